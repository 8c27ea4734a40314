"""`Recording`: what other machines pushed, recorded in the journal of a new clone.

Completed dependencies get a branch, a result ref and the events of a feature that completed there;
what an earlier attempt at the feature left is work that was interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from ..git import commits, history
from ..git.channel import Channel
from ..git.refs import HEADS, SEEN
from ..model import events
from ..model.decision import Action, Decision
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.excerpt import some
from ..model.frozen import dataclass, replace
from ..model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Work
from ..model.state import RunState
from ..model.translate import N_
from ..process.spawner import run_sync
from ..project.base_branch import REMOTES
from ..project.decisions import decide
from ..project.open import OpenProject
from ..project.selection import Selection
from .earlier import TRAILER, Earlier, earlier_of
from .feature_report import FeatureReport, report_ref

ORIGIN = f"{REMOTES}origin/"


@dataclass(frozen=True)
class FetchedRemote:
    """The remote, and the refs that the clone has of it."""

    channel: Channel
    run_id: str
    refs: Mapping[str, str]
    branch_lease: str
    """Where the feature's branch is."""
    say: Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """The result of a dependency: the tip of its branch, or none if it has landed."""

    id: str
    branch: str
    tip: str = ""
    start_commit: str = ""


class Recording:
    """Records for one feature; ``report`` is the last one of an earlier attempt at it."""

    def __init__(
        self, project: OpenProject, there: FetchedRemote, report: FeatureReport | None
    ) -> None:
        self.project = project
        self.git = project.git.writable()
        self.there = there
        in_base = history.trailers_in(self.git, [project.base_commit], TRAILER)
        self.landed = run_sync(in_base) & project.dag.features.keys()
        """The features whose commits are in the base commit."""
        self.kept = self._with_work(report)
        """The report of the attempt whose work is continued."""

    def _with_work(self, report: FeatureReport | None) -> FeatureReport | None:
        tip = self.there.branch_lease
        if report is None or not (tip and report.commit and report.start_commit):
            return None
        # Also with commits that somebody added.
        line = (report.start_commit, report.commit, tip)
        is_ours = all(self._contains(newer, older) for older, newer in zip(line, line[1:]))
        return replace(report, commit=tip) if is_ours else None

    def record(self, id: str) -> OpenProject:
        """Record what the feature needs; the project with it.

        Raises :class:`UserError` if a dependency has no result.
        """
        project = self.project
        found = self._results(id)
        decisions = decide(project, RunState(), Selection((id,), deps=False))
        heads = {HEADS + each.branch: each.tip for each in found if each.tip}
        for each in found:
            ref = project.worktrees.result_ref(each.id, self.there.run_id)
            run_sync(self.git.create_ref(ref, each.tip or project.base_commit))
        story = [event for each in found for event in self._completed(decisions[each.id], each)]
        if self.kept is not None:
            heads[HEADS + self.kept.branch] = self.kept.commit
            story += self._interrupted(self.kept)
        for ref, commit in heads.items():
            run_sync(self.git.create_ref(ref, commit))
        project.journal.open()
        for event in story:
            project.journal.append(event)
        project.journal.close()
        return replace(project, refs=run_sync(self.git.refs(*SEEN)))

    def _results(self, id: str) -> list[Result]:
        needed = self.project.dag.features[id].depends_on
        known = run_sync(earlier_of(self.there.channel, self.there.run_id, needed))
        faults = {each: self._fault(each, known.get(each)) for each in needed}
        lacking = [each for each, fault in faults.items() if fault]
        if lacking:
            raise UserError(
                N_("{id} can't begin: a dependency has no result on the remote").format(id=id),
                details=tuple(faults[each] for each in lacking),
                hint=N_("run first, in the same run: {ids}").format(ids=some(lacking)),
                exit_code=ExitCode.INCOMPLETE,
            )
        return [self._result(each, known.get(each)) for each in needed]

    def _fault(self, id: str, earlier: Earlier | None) -> str:
        """Why a dependency has no result; empty if it has one."""
        branch = self.project.config.branch_of(id)
        tip = self._tip(branch, earlier)
        if earlier is None:
            fault = "" if tip or id in self.landed else N_("{id}: there is no branch {branch}")
            return fault.format(id=id, branch=branch)
        report = earlier.report
        if report is None and not earlier.claim.attempt:
            return N_("{id}: {ref} holds no claim and no report").format(
                id=id, ref=report_ref(self.there.run_id, id)
            )
        if report is None or not earlier.has_reported:
            return N_("{id}: attempt {number} on {host} has not reported").format(
                id=id, number=earlier.claim.attempt, host=earlier.claim.host
            )
        if not report.is_complete:
            return N_("{id}: it did not complete ({status})").format(
                id=id, status=report.status.words
            )
        if not (tip and self._contains(tip, report.commit)):
            return N_("{id}: {branch} does not contain its result {commit}").format(
                id=id, branch=branch, commit=report.commit[:12]
            )
        return ""

    def _result(self, id: str, earlier: Earlier | None) -> Result:
        branch = self.project.config.branch_of(id)
        if earlier is None and id in self.landed:
            return Result(id, branch)
        if earlier is None:
            text = N_("{id} has no report in run {run}: its branch {branch} is used as it is")
            self.there.say(text.format(id=id, run=self.there.run_id, branch=branch))
        report = earlier.report if earlier is not None else None
        tip = self._tip(branch, earlier)
        return Result(id, branch, tip, report.start_commit if report else "")

    def _tip(self, branch: str, earlier: Earlier | None) -> str:
        """Where a dependency's branch is.

        A forge deletes a branch that landed; the base may still be a commit from before.
        """
        tip = self.there.refs.get(ORIGIN + branch, "")
        report = earlier.report if earlier is not None else None
        if tip or report is None or not report.commit:
            return tip
        return run_sync(self.git.commit_of(report.commit))

    def _contains(self, commit: str, other: str) -> bool:
        return run_sync(self.git.is_ancestor(other, commit))

    def _completed(self, decision: Decision, result: Result) -> Iterator[Event]:
        """The events of a dependency, as if it had completed here."""
        base, id = self.project.base_commit, result.id
        tip, start = result.tip or base, result.start_commit
        if not (start and self._contains(tip, start)):
            start = run_sync(self.git.merge_base(base, tip)) or base
        stat = run_sync(commits.diffstat(self.git, start, tip))
        work = Work(tip, stat.files, stat.insertions, stat.deletions)
        yield self._preparing(decision, result.branch)
        yield events.based(
            *(time.time(), self.there.run_id, decision), start_commit=start, base_commit=base
        )
        yield self._ended(id, FeatureOutcome(Status.COMPLETED, work=work))
        if not result.tip:
            into = self.project.config.project.base_branch
            yield events.cleaned(
                time.time(), id, merged_into=into, kept_ref="", discarded=False, detail=into
            )

    def _interrupted(self, report: FeatureReport) -> Iterator[Event]:
        """The events of the feature, as if its last attempt had been interrupted here.

        The session is on the machine that had it, so the events name none.
        """
        at, run, id = time.time(), self.there.run_id, report.feature
        decision = Decision(id, Action.START, "", report.key, report.inputs)
        stopped = AttemptOutcome(
            Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED, cost_usd=0.0
        )
        yield self._preparing(decision, report.branch)
        yield events.based(
            *(at, run, decision), start_commit=report.start_commit, base_commit=report.base_commit
        )
        yield events.attempt_started(
            *(at, run, id), attempt=report.last_number, session_id="", resumed=False, log=""
        )
        yield events.attempt_ended(at, run, id, stopped)
        yield self._ended(
            id, FeatureOutcome(Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED)
        )

    def _preparing(self, decision: Decision, branch: str) -> Event:
        name = self.project.dag.features[decision.feature].name
        at, run = time.time(), self.there.run_id
        return events.preparing(at, run, decision, branch=branch, worktree="", name=name)

    def _ended(self, id: str, outcome: FeatureOutcome) -> Event:
        return events.ended(time.time(), self.there.run_id, id, outcome)
