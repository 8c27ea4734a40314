"""Collects what a review shows from the journal and from git. See :func:`reading_of`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..git import commits
from ..git.door import Unknown
from ..git.file_changes import file_changes
from ..git.patches import FileDiff, file_diffs
from ..git.refs import HEADS
from ..journal.reader import Reader
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.feature import Feature
from ..model.frozen import dataclass, replace
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..process.spawner import run_sync
from ..project.landed import how_merged_into
from ..project.open import OpenProject
from ..project.own_work import OwnWork, own_work
from ..project.selection import check_known
from .evidence import Facts, evidence_of, hardest, in_order
from .named_files import is_named_by, names_files
from .reading import FeatureReading, FileReading, Reading
from .seen import News, Sight, news


@dataclass(frozen=True)
class _Asked:
    """A feature that is read, with its work; without one, with why that is unknown."""

    known: FeatureState
    work: OwnWork | None
    fault: str = ""
    note: str = ""


def reading_of(
    project: OpenProject, state: RunState, ids: Sequence[str] = (), *, whole: bool = False
) -> Reading:
    """The completed features that have not landed, or those of ``ids``; ``whole``: all is new.

    ``state`` has the features of this list; ``project.refs`` must be recent. Raises
    :class:`UserError` if one of ``ids`` is unknown, not completed, or has landed.
    """
    return run_sync(_reading(project, state, ids, whole=whole))


async def _reading(
    project: OpenProject, state: RunState, ids: Sequence[str], *, whole: bool
) -> Reading:
    check_known("", ids, project.dag.features)
    asked = await _asked(project, state, ids)
    touched = await _touched(project, state, asked)
    failed = _failed_first(project, asked)
    features = {}
    for each in asked.values():
        made = await _feature(project, each, touched, whole=whole)
        features[made.id] = _with_evidence(project, made, touched, failed.get(made.id, {}))
    order = in_order(project.dag, {id: each.attention for id, each in features.items()})
    waiting = [id for id in order if features[id].waits]
    return Reading(
        project.config.project.name,
        project.config.project.base_branch,
        project.base_commit,
        tuple(features[id] for id in order),
        hardest(waiting, lambda id: features[id].attention),
    )


# -- which features -------------------------------------------------------------------------------


async def _asked(project: OpenProject, state: RunState, ids: Sequence[str]) -> dict[str, _Asked]:
    found = {}
    for id in project.dag.features:
        known = state.feature(id)
        if ids and id not in ids:
            continue
        if known.status is not Status.COMPLETED or known.work is None:
            if ids:
                raise _nothing_to_review(
                    id, N_("its status is {status}").format(status=known.status.words)
                )
            continue
        landed, note = await _landed(project, known)
        if landed and ids:
            raise _nothing_to_review(id, N_("it has landed ({how})").format(how=landed))
        if not landed:
            found[id] = await _with_work(project, state, known, note)
    return found


def _nothing_to_review(id: str, why: str) -> UserError:
    return UserError(
        N_("{id} has nothing to review: {why}").format(id=id, why=why),
        hint=f"rorchestrator diff {id}",
        exit_code=ExitCode.INCOMPLETE,
    )


async def _landed(project: OpenProject, known: FeatureState) -> tuple[str, str]:
    """How the base holds a feature, if it does; and a note if git cannot tell."""
    base = project.config.project.base_branch
    try:
        return await how_merged_into(project, known, project.base_commit, base), ""
    except Unknown as error:
        return "", N_("git can't tell whether it has landed: {unknown}").format(
            unknown=error.message
        )


async def _with_work(
    project: OpenProject, state: RunState, known: FeatureState, note: str
) -> _Asked:
    try:
        return _Asked(known, await own_work(project, state, known.id), note=note)
    except UserError as error:
        return _Asked(known, None, error.message, note)


# -- what git knows -------------------------------------------------------------------------------


async def _touched(
    project: OpenProject, state: RunState, asked: Mapping[str, _Asked]
) -> dict[str, frozenset[str]]:
    """The files that each feature of the list changed and that have not landed."""
    pairs = {id: (a.work.before, a.work.after) for id, a in asked.items() if a.work}
    for id in project.dag.features.keys() - asked.keys():
        known = state.feature(id)
        tip = project.refs.get(HEADS + known.branch, "") if known.branch else ""
        if known.work_start and tip and tip != project.base_commit and not _is_over(known):
            pairs[id] = (known.work_start, tip)
    there = await commits.existing(project.git, [each for pair in pairs.values() for each in pair])
    asked_pairs = {id: pair for id, pair in pairs.items() if there.issuperset(pair)}
    found = await file_changes(project.git, list(asked_pairs.values()))
    return {
        id: frozenset(change.path for change in changes) for id, changes in zip(asked_pairs, found)
    }


def _is_over(known: FeatureState) -> bool:
    """Whether the journal tells that a feature landed."""
    return bool(known.merged_into) or any(each.is_over for each in known.landings.values())


async def _feature(
    project: OpenProject,
    asked: _Asked,
    touched: Mapping[str, Collection[str]],
    *,
    whole: bool,
) -> FeatureReading:
    """A feature with its files, and without evidence."""
    known, work = asked.known, asked.work
    entry = project.dag.features[known.id]
    assert known.work is not None
    made = FeatureReading(
        known, entry.name, entry.depends_on, known.work.commit, notes=_notes(asked)
    )
    if work is None:
        return replace(made, fault=asked.fault)
    made = replace(made, tip=work.after, start=work.before)
    try:
        found = await news(project.git, work.before, work.after, {} if whole else known.review.seen)
        own = await file_diffs(project.git, work.before, work.after)
        new = own
        if found.since != work.before:
            new = await file_diffs(project.git, found.since, work.after)
    except UserError as error:
        return replace(made, fault=error.message)
    return replace(
        made,
        since=found.since,
        files=_files(entry, own, new, found, _others(project, known.id, touched)),
        taken_back=found.taken_back,
        sightings=found.sightings,
    )


def _notes(asked: _Asked) -> tuple[str, ...]:
    """What to know about the branch of a feature."""
    again = ""
    if asked.known.again is not None:
        again = N_("its retry has not ended: rorchestrator run goes on with it")
    return (*filter(None, [asked.note, again]), *(asked.work.notes if asked.work else ()))


def _others(
    project: OpenProject, id: str, touched: Mapping[str, Collection[str]]
) -> dict[str, tuple[str, ...]]:
    """By file of a feature: the other features that change it."""
    rest = [other for other in project.dag.features if other != id]
    return {
        path: tuple(other for other in rest if path in touched.get(other, ()))
        for path in touched.get(id, ())
    }


def _files(
    entry: Feature,
    own: Iterable[FileDiff],
    new: Iterable[FileDiff],
    found: News,
    others: Mapping[str, tuple[str, ...]],
) -> tuple[FileReading, ...]:
    """The files of a feature: their whole diffs, and what of them is new."""
    # A prompt that names no file says nothing about which files to expect.
    is_named = is_named_by(entry) if names_files(entry) else lambda path: True
    by_path = {file.path: file for file in new}
    return tuple(
        FileReading(
            file,
            _sight(file, found),
            by_path.get(file.path),
            is_named(file.path),
            others.get(file.path, ()),
        )
        for file in own
    )


def _sight(file: FileDiff, found: News) -> Sight:
    """A renamed file was seen if both names were."""
    sights = [found.sights[path] for path in (file.old_path, file.path) if path in found.sights]
    if len(set(sights)) == 1:
        return sights[0]
    return Sight.CHANGED


# -- evidence -------------------------------------------------------------------------------------


def _failed_first(project: OpenProject, asked: Collection[str]) -> dict[str, dict[str, int]]:
    """By feature: how often each check failed since the feature last started over."""
    found: dict[str, dict[str, int]] = {}
    for event in Reader(project.journal.path, want=_is_about_checks).new_events():
        if event.feature in asked:
            _count(found.setdefault(event.feature, {}), event)
    return found


def _is_about_checks(line: bytes) -> bool:
    head = line[:64]
    return b'"event":"checked"' in head or b'"event":"based"' in head


def _count(failed: dict[str, int], event: Event) -> None:
    if event.kind == "based":
        failed.clear()
    elif event.data.get("passed") is False:
        check = str(event.data.get("command", ""))
        failed[check] = failed.get(check, 0) + 1


def _with_evidence(
    project: OpenProject,
    made: FeatureReading,
    touched: Mapping[str, Collection[str]],
    failed: Mapping[str, int],
) -> FeatureReading:
    known, entry = made.known, project.dag.features[made.id]
    checks = (*project.config.project.verify, *entry.verify, *entry.creates)
    denied = _denied(known)
    facts = Facts(
        dependents=[id for id in project.dag.descendants(made.id) if id in touched],
        lines=made.insertions + made.deletions,
        unnamed=[file.path for file in made.files if not file.is_named],
        shared={file.path: file.others for file in made.files if file.others},
        has_checks=bool(checks),
        verdicts=tuple(known.verdicts.values()),
        left=known.work.held_back if known.work else (),
        denied=denied,
        failed_first=failed,
        attempts=made.attempts,
        conflicts=tuple(known.clashes),
    )
    return replace(made, evidence=evidence_of(facts), failed_first=dict(failed), denied=denied)


def _denied(known: FeatureState) -> tuple[str, ...]:
    """The tools that Claude was denied, each once."""
    outcomes: Iterable[Sequence[str]] = (
        attempt.outcome.denied_tools for attempt in known.attempts if attempt.outcome
    )
    return tuple(dict.fromkeys(tool for tools in outcomes for tool in tools))
