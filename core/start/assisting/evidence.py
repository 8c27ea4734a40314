"""What the repository and its past runs tell the dependency assistant; changes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from ...git import commits
from ...git.refs import HEADS
from ...model.contracts import PROSE, definition
from ...model.decision import Action
from ...model.errors import UserError
from ...model.feature import Feature
from ...model.frozen import dataclass, replace
from ...model.state import FeatureState, RunState
from ...process.spawner import run_sync
from ...project.decisions import decide
from ...project.open import OpenProject
from ...project.past import forecast_of
from ...project.selection import Selection
from .assistant import names_to_look_up
from .facts import folders_around
from .finding import Knowledge

COMMITS = 500
"""How many commits of the base are read, the latest ones."""

LONGEST_LINE = 1_000
"""A longer line of code was made by a program."""


@dataclass(frozen=True)
class Gathered:
    """The evidence, and in words what could not be read."""

    knowledge: Knowledge
    unknown: tuple[str, ...] = ()


def gather(project: OpenProject, state: RunState) -> Gathered:
    """Everything that is known beside the list.

    ``state`` has the features of this list. What git can't read, as in a partial clone, is left
    out. Raises :class:`UserError` if the journal is damaged.
    """
    return run_sync(_gather(project, state))


async def _gather(project: OpenProject, state: RunState) -> Gathered:
    features, unknown = project.config.features, []
    known = _of_runs(project, state)
    for read in (_base, _history, _branches):
        try:
            known = await read(project, state, known)
        except UserError as error:
            unknown.append(error.message)
    try:
        known = replace(known, defined=await _defined(project, features, known))
    except UserError as error:
        unknown.append(error.message)
    return Gathered(known, tuple(dict.fromkeys(unknown)))


def _of_runs(project: OpenProject, state: RunState) -> Knowledge:
    """What the journal knows: what is done, and how long features take."""
    decisions = decide(project, state, Selection(), hashed=bool(state.features))
    done = {id for id, each in decisions.items() if each.action is Action.SKIP}
    return Knowledge(
        done=frozenset(done),
        begun=frozenset(id for id, each in decisions.items() if each.action is Action.RESUME),
        merged=frozenset(id for id in done if decisions[id].merged),
        clashes={
            (id, other): files
            for id, known in state.features.items()
            for other, files in known.clashes.items()
        },
        seconds=forecast_of(project).seconds,
        slots=project.config.project.max_parallel,
    )


async def _base(project: OpenProject, _: RunState, known: Knowledge) -> Knowledge:
    files = await commits.files_of(project.git, project.base_commit)
    folders = {folder for file in files for folder in folders_around(file)}
    return replace(known, paths=frozenset((*files, *folders)), has_base=True)


async def _history(project: OpenProject, _: RunState, known: Knowledge) -> Knowledge:
    found = await commits.latest_changes(project.git, project.base_commit, COMMITS)
    return replace(known, commits=tuple(found))


async def _branches(project: OpenProject, state: RunState, known: Knowledge) -> Knowledge:
    """The files that the features changed in past runs."""
    ends = {id: _ends(project, state.feature(id)) for id in project.dag.features}
    asked = {id: pair for id, pair in ends.items() if all(pair)}
    there = await commits.existing(project.git, [each for pair in asked.values() for each in pair])
    pairs = {id: pair for id, pair in asked.items() if there.issuperset(pair)}
    files = await commits.changed_files(project.git, list(pairs.values()))
    return replace(known, touched=dict(zip(pairs, files)))


def _ends(project: OpenProject, known: FeatureState) -> tuple[str, str]:
    """Where a feature's work begins and ends; empty if it has none."""
    result = known.work.commit if known.work else ""
    branch = project.refs.get(HEADS + known.branch, "") if known.branch else ""
    return known.work_start, result or branch or project.refs.get(known.kept_ref, "")


async def _defined(
    project: OpenProject, features: Sequence[Feature], known: Knowledge
) -> frozenset[str]:
    """The names in question that the code of the base defines."""
    words: dict[str, list[str]] = {}
    for name in names_to_look_up(features, known):
        found = re.findall(r"\w+", name)
        if found:
            words.setdefault(found[-1], []).append(name)
    text = await commits.lines_with(project.git, project.base_commit, list(words), PROSE)
    defined: set[str] = set()
    for line in text.splitlines():
        if len(line) <= LONGEST_LINE:
            for word in words.keys() & set(re.findall(r"\w+", line)):
                defined.update(name for name in words[word] if _definition(name).search(line))
    return frozenset(defined)


@cache
def _definition(name: str) -> re.Pattern[str]:
    return re.compile(definition(name))  # Slow: only for names that the code has.
