"""Several feature lists of one repository: whose each feature is, and who may have an id."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Collection, Iterable, Mapping

from ..git.refs import HEADS
from ..model import events
from ..model.decision import Decision
from ..model.errors import UserError
from ..model.events import Event
from ..model.fold import fold
from ..model.state import FeatureState, RunState
from ..process.spawner import run_sync
from .landed import merged_how
from .obstructions import check_names, made_by_us
from .open import OpenProject


def claims(project: OpenProject, state: RunState) -> list[Event]:
    """What the journal is to say of features that have no recorded list, or one that moved."""
    ours, dag = project.owners(state), project.dag.features
    found = [
        id
        for id, known in state.features.items()
        if known.owner != project.owner and known.owner in ours and (known.owner or id in dag)
    ]
    return [events.claimed(time.time(), project.owner, found)] if found else []


def check(
    project: OpenProject,
    state: RunState,
    decisions: Mapping[str, Decision],
    selected: Collection[str],
) -> list[Event]:
    """What the journal is to say before the ``selected`` features start.

    Raises :class:`UserError` for ids, branches and folders that are not theirs.
    """
    story = [*claims(project, state), *takeovers(project, state, selected)]
    ours, chosen = project.owners(state), frozenset(selected)
    others = {id for id, known in state.features.items() if known.owner not in ours}
    due = {id: made for id, made in decisions.items() if id in chosen or id not in others}
    check_names(project, project.seen(fold(story, state)), due)
    return story


def takeovers(project: OpenProject, state: RunState, ids: Iterable[str]) -> list[Event]:
    """What the journal is to say before features start under ids of another list.

    Raises :class:`UserError` if its work has not landed.
    """
    ours = project.owners(state)
    taken = [id for id in ids if id in state.features and state.features[id].owner not in ours]
    unlanded = [state.features[id] for id in taken if not run_sync(_has_landed(project, state, id))]
    if unlanded:
        raise _refused(project, unlanded)
    return [events.replaced(time.time(), project.owner, taken)] if taken else []


async def _has_landed(project: OpenProject, state: RunState, id: str) -> bool:
    """Whether nothing of a feature's work is on its branch or in its worktree alone."""
    known = state.features[id]
    if known.status.active:
        return False
    if not made_by_us(known, known.branch):
        return True  # It never began, or was cleaned up.
    if known.work is None:
        return False
    base = project.config.project.base_branch
    targets = {base: project.base_commit}
    targets.update((name, project.refs.get(HEADS + name, "")) for name in known.landings)
    for name, commit in targets.items():
        if commit and await merged_how(project, known, commit, name):
            return True
    return False


def _refused(project: OpenProject, known: Collection[FeatureState]) -> UserError:
    faults = tuple(
        f"feature {each.id}: {each.branch or each.id} is of the list {each.owner}" for each in known
    )
    first = next(iter(known))
    other = f"--config {shlex.quote(list_file(project, first.owner))}"
    step = "merge" if first.work is not None else "run --only"
    return UserError(
        "work of another list, which has not landed, is under the same id",
        details=faults,
        hint=f"rorchestrator {step} {first.id} {other}, or rename the feature here; "
        f"to give that work up: rorchestrator cleanup {first.id} --discard {other}",
    )


def list_file(project: OpenProject, owner: str) -> str:
    """Where the list of that record is."""
    return os.path.join(project.git.repository.top, owner)


def check_run(project: OpenProject, action: str, id: str) -> None:
    """Raise :class:`UserError` if the current run is of another list than the feature."""
    state = project.whole_state()
    owner = state.run.owner if state.run is not None else ""
    if owner in project.owners(state):
        return
    file = shlex.quote(list_file(project, owner))
    raise UserError(
        f"the current run is of another list, {owner}, and not of {project.owner}",
        hint=f"wait for its end; if its {id} is meant: rorchestrator {action} {id} --config {file}",
    )
