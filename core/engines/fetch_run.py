"""Fetches the results of a run on many machines, so that its features count as completed here.

Each feature gets its branch, its result ref, and the events that its machine recorded, without
the worktree, session and logs that only that machine has. Where a feature starts and its branch are
checked, because an agent could have written the report to hide a part of its work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..git import checkouts, history, remotes
from ..git.channel import open_channel
from ..git.door import Git
from ..git.refs import HEADS, RESULTS, SEEN
from ..model import events
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.frozen import dataclass, replace
from ..model.state import RunState
from ..model.translate import N_
from ..process.spawner import run_sync
from ..process.temporary_folder import temporary_folder
from ..project.control_requests import journalling
from ..project.open import OpenProject
from .earlier import Earlier
from .feature_report import FeatureReport, stories
from .merged_report import OF_A_FEATURE, fetched

OF_ITS_MACHINE = ("log", "session_id", "worktree")
"""Keys of events about what exists on that machine only."""


@dataclass(frozen=True)
class Source:
    """The remote that the machines of a run pushed to."""

    name: str
    url: str


@dataclass(frozen=True)
class FetchedRun:
    """The features of a run that completed and are new here."""

    ids: tuple[str, ...]
    gone: tuple[str, ...] = ()
    """Those whose commits the remote no longer has, because their branches were replaced."""


def fetch_run(project: OpenProject, source: Source, run_id: str, command: str) -> FetchedRun:
    """Fetch the features that completed in a run and are new here.

    The git of ``project`` must be writable. Raises :class:`UserError` if the remote can't be read,
    knows no such run, or if a branch here has other work.
    """
    with temporary_folder() as folder:
        place = os.path.join(folder, "channel.git")
        channel = run_sync(open_channel(place, source.url, os.environ))
        found = run_sync(fetched(channel, run_id))
        there = run_sync(channel.look(f"{HEADS}*"))
    if not found:
        raise UserError(
            N_("{remote} has no report of run {run}").format(remote=source.name, run=run_id),
            hint=N_("its runs: git ls-remote {remote} 'refs/rorchestrator/runs/*'").format(
                remote=source.name
            ),
        )
    with journalling(project, command) as state:
        known = {id: each.work.commit for id, each in state.features.items() if each.work}
        new = [
            each for each in _completed(project, found) if known.get(each.feature) != each.commit
        ]
        lacking = [each for each in new if not run_sync(project.git.commit_of(each.commit))]
        # A forge deletes a branch that landed.
        names = {name for each in lacking for name in (each.branch, each.base_branch)}
        wanted = [name for name in sorted(names) if HEADS + name in there]
        if wanted:
            run_sync(remotes.fetch_commits(project.git, source.url, wanted))
        asked = new
        new = [each for each in asked if run_sync(project.git.commit_of(each.commit))]
        run_sync(_place(project, state, new, run_id, command))
        for event in _events(project, run_id, new, found):
            project.journal.append(event)
    ids = tuple(report.feature for report in new)
    return FetchedRun(ids, tuple(each.feature for each in asked if each.feature not in ids))


async def _place(
    project: OpenProject,
    state: RunState,
    reports: Sequence[FeatureReport],
    run_id: str,
    command: str,
) -> None:
    """Put branches and result refs at the results.

    Raises :class:`UserError` before anything changes if a branch has other work.
    """
    git, refs = project.git, await project.git.refs(*SEEN)
    moves = [each for each in reports if not await _contains(git, refs, each)]
    there = {HEADS + each.branch: each.path for each in await checkouts.worktrees(git)}
    faults = [await _fault(project, state, refs, each, there) for each in moves]
    if any(faults):
        raise UserError(
            N_("branches here are in the way of the results of run {run}").format(run=run_id),
            details=tuple(filter(None, faults)),
            hint=N_("rename them, or what a run made: rorchestrator cleanup ID --discard"),
        )
    for report in reports:
        result, branch = project.worktrees.result_ref(report.feature, run_id), HEADS + report.branch
        await git.create_ref(result, report.commit)
        if branch not in refs:
            await git.create_ref(branch, report.commit)
        elif report in moves:
            await git.move_ref(branch, report.commit, refs[branch], by=command)


async def _contains(git: Git, refs: Mapping[str, str], report: FeatureReport) -> bool:
    """Whether there is no branch yet, or one that has the result already."""
    tip = refs.get(HEADS + report.branch, "")
    return not tip or await git.is_ancestor(report.commit, tip)


async def _fault(
    project: OpenProject,
    state: RunState,
    refs: Mapping[str, str],
    report: FeatureReport,
    there: Mapping[str, str],
) -> str:
    """Why a branch can't be moved to a result; empty if it can.

    It has no work of its own, or that of an earlier run, which a result ref keeps.
    """
    id, branch, git = report.feature, HEADS + report.branch, project.git
    tip, known = refs[branch], state.feature(id)
    is_result = known.branch == report.branch and known.work and known.work.commit == tip
    is_kept = tip in [commit for ref, commit in refs.items() if ref.startswith(f"{RESULTS}{id}/")]
    is_older = [await git.is_ancestor(tip, each) for each in (report.commit, project.base_commit)]
    if not (is_result and is_kept) and not any(is_older):
        return N_("feature {id}: {branch} has commits that the run does not have").format(
            id=id, branch=report.branch
        )
    if branch in there:
        return N_("feature {id}: {branch} is checked out in {path}").format(
            id=id, branch=report.branch, path=there[branch]
        )
    return ""


def _completed(project: OpenProject, found: Mapping[str, Earlier]) -> Iterator[FeatureReport]:
    """The reports of completed features of the list, dependencies first."""
    for id in project.dag.order():
        report = found[id].report if id in found and found[id].has_completed else None
        is_named = report is not None and report.branch == project.config.branch_of(id)
        if report is not None and report.commit and is_named:
            yield report


def _events(
    project: OpenProject,
    run_id: str,
    reports: Iterable[FeatureReport],
    found: Mapping[str, Earlier],
) -> list[Event]:
    """The events of one run with all of these features."""
    given = list(reports)
    known = [found[id].report for id in project.dag.order() if id in found]
    events_of = stories(filter(None, known), project.dag.dependencies)
    story: list[Event] = []
    for report in given:
        facts = run_sync(_facts(project, report, found))
        of_it = (each for each in events_of[report.feature] if _is_of(each, report))
        story += (_here(each, run_id, facts) for each in of_it)
    story.sort(key=lambda event: event.at)
    if not given:
        return []
    times = [event.at for event in story] or [time.time()]
    begun = events.run_started(
        *(min(times), run_id),
        pid=os.getpid(),
        base_branch=given[0].base_branch,
        base_commit=given[0].base_commit,
        features=[report.feature for report in given],
        max_parallel=given[0].max_parallel,
        owner=project.owner,
    )
    return [begun, *story, events.run_ended(max(times), run_id, exit_code=ExitCode.UP_TO_DATE)]


def _is_of(event: Event, report: FeatureReport) -> bool:
    return event.feature == report.feature and event.kind in OF_A_FEATURE


async def _facts(
    project: OpenProject, report: FeatureReport, found: Mapping[str, Earlier]
) -> dict[str, str]:
    """What events may say of the branch of a feature and where it starts.

    Nothing but its dependencies and their merges is before its start; else all of it is its work.
    """
    git, base, start = project.git, report.base_commit, report.start_commit
    is_base = await git.commit_of(base) and await git.is_ancestor(base, project.base_commit)
    common = base if is_base else await git.merge_base(project.base_commit, report.commit)
    needed = project.dag.features[report.feature].depends_on
    reports = [found[id].report for id in needed if id in found and found[id].has_completed]
    before = [common, *(each.commit for each in reports if each is not None)]
    before += [project.refs.get(HEADS + project.config.branch_of(id), "") for id in needed]
    is_start = await git.commit_of(start) and await git.is_ancestor(start, report.commit)
    if not is_start or await history.has_work(git, start, before):
        start = common
    return {"branch": report.branch, "start_commit": start, "base_commit": common}


def _here(event: Event, run_id: str, facts: Mapping[str, str]) -> Event:
    data = {name: "" if name in OF_ITS_MACHINE else value for name, value in event.data.items()}
    known = {name: value for name, value in facts.items() if name in data}
    return replace(event, run=run_id, data={**data, **known})
