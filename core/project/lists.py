"""Several feature lists in one repository: the owner of each feature, takeover of ids."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from ..git.refs import HEADS
from ..model.decision import Decision
from ..model.errors import UserError
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..process.spawner import run_sync
from .obstructions import check_names, made_by_us
from .open import OpenProject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.events import Event


def claims(project: OpenProject, state: RunState) -> list[Event]:
    """Events that claim features without a recorded list, or of a list that was moved."""
    ours, dag = project.owners(state), project.dag.features
    found = [
        id
        for id, known in state.features.items()
        if known.owner != project.owner and known.owner in ours and (known.owner or id in dag)
    ]
    if not found:
        return []
    from ..model import events

    return [events.claimed(time.time(), project.owner, found)]


def check(
    project: OpenProject,
    state: RunState,
    decisions: Mapping[str, Decision],
    selected: Collection[str],
) -> list[Event]:
    """Events to record before the ``selected`` features start.

    Raises :class:`UserError` if ids, branches or folders belong to others.
    """
    story = [*claims(project, state), *takeovers(project, state, selected)]
    ours, chosen = project.owners(state), frozenset(selected)
    others = {id for id, known in state.features.items() if known.owner not in ours}
    due = {id: made for id, made in decisions.items() if id in chosen or id not in others}
    check_names(project, project.seen(_after(story, state)), due)
    return story


def _after(story: Sequence[Event], state: RunState) -> RunState:
    """The state after what is to be recorded."""
    if not story:
        return state
    from ..model.fold import fold

    return fold(story, state)


def takeovers(project: OpenProject, state: RunState, ids: Iterable[str]) -> list[Event]:
    """Events to record before features start under ids of another list.

    Raises :class:`UserError` if work of the other list has not landed.
    """
    ours = project.owners(state)
    taken = [id for id in ids if id in state.features and state.features[id].owner not in ours]
    unlanded = [state.features[id] for id in taken if not run_sync(_has_landed(project, state, id))]
    if unlanded:
        raise _refused(project, unlanded)
    if not taken:
        return []
    from ..model import events

    return [events.replaced(time.time(), project.owner, taken)]


async def _has_landed(project: OpenProject, state: RunState, id: str) -> bool:
    """Whether no work of a feature is only on its branch or in its worktree."""
    from .landed import how_merged_into

    known = state.features[id]
    if known.status.active:
        return False
    if not made_by_us(known, known.branch):
        return True  # never started, or cleaned up
    if known.work is None:
        return False
    base = project.config.project.base_branch
    targets = {base: project.base_commit}
    targets.update((name, project.refs.get(HEADS + name, "")) for name in known.landings)
    for name, commit in targets.items():
        if commit and await how_merged_into(project, known, commit, name):
            return True
    return False


def _refused(project: OpenProject, known: Collection[FeatureState]) -> UserError:
    faults = tuple(
        N_("feature {id}: {branch} belongs to the list {owner}").format(
            id=each.id, branch=each.branch or each.id, owner=each.owner
        )
        for each in known
    )
    import shlex

    first = next(iter(known))
    other = f"--config {shlex.quote(list_file(project, first.owner))}"
    step = "merge" if first.work is not None else "run --only"
    return UserError(
        N_("work of another list with the same id has not landed"),
        details=faults,
        hint=N_(
            "rorchestrator {step} {id} {other}, or rename the feature here; to "
            "discard that work: rorchestrator cleanup {id} --discard {other}"
        ).format(step=step, id=first.id, other=other),
    )


def list_file(project: OpenProject, owner: str) -> str:
    """The path of a list, by its recorded name."""
    return os.path.join(project.git.repository.top, owner)


def check_run(project: OpenProject, action: str, id: str) -> None:
    """Raise :class:`UserError` if the current run belongs to another list than the feature."""
    state = project.whole_state()
    owner = state.run.owner if state.run is not None else ""
    if owner in project.owners(state):
        return
    import shlex

    file = shlex.quote(list_file(project, owner))
    raise UserError(
        N_("the current run belongs to another list, {owner}, not to {ours}").format(
            owner=owner, ours=project.owner
        ),
        hint=N_(
            "wait for its end; for the {id} of that list: rorchestrator {action} "
            "{id} --config {file}"
        ).format(id=id, action=action, file=file),
    )
