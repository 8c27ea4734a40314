"""What a changed feature list means for a run in progress, for the user and for the run itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ..dag.list_change import ListChange, RunSoFar, Where, list_change
from ..model.decision import Decision
from ..model.feature import Config, Feature
from ..model.frozen import dataclass, replace
from ..model.list_outline import Outline, outline_of
from ..model.outcome import Status
from ..model.state import FeatureState, Run, RunState
from . import lists
from .decisions import apply_skips, decide
from .open import OpenProject
from .results import results_below
from .running_list import RunningList
from .selection import Selection, select, still

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.events import Event

BEGUN = (Where.RUNNING, Where.DONE, Where.ENDED)


@dataclass(frozen=True)
class Reload:
    """A change of the list that a run can take up."""

    project: OpenProject
    """With the features of the changed list."""
    listed: tuple[Feature, ...]
    """The same features with all of their dependencies, also those that the user skipped."""
    outline: Outline
    change: ListChange
    decisions: Mapping[str, Decision]
    """As for a run of the changed list."""
    selection: Selection | None
    """``None`` if the options of the run select nothing in it."""
    results: Mapping[str, str]
    """The commits of dependencies that are not part of the run."""
    story: tuple[Event, ...]
    """Events to record before the new features start."""

    @property
    def digest(self) -> str:
        """A digest of what the user was shown: the list, and what needs consent."""
        needed = "\n".join(each.text for each in self.change.widenings)
        return hashlib.sha256(f"{self.outline.digest}\n{needed}".encode()).hexdigest()


def as_the_run_reads(config: Config, outline: Outline, base_option: str) -> Config:
    """A list with the base branch of the run, if it names none or the run was told another."""
    project = config.project
    if project.base_branch and not base_option:
        return config
    return replace(config, project=replace(project, base_branch=outline.base_branch))


def reload_of(
    project: OpenProject,
    state: RunState,
    running: RunningList,
    where: Mapping[str, Where],
    merged: Mapping[str, str] | None = None,
) -> Reload:
    """What the run ``running`` would take up of the list of ``project``.

    ``state`` is that of the list, ``where`` has the features of the run, ``merged`` how
    features were merged as far as that is known. Raises :class:`UserError` if the run can't take
    up the change.
    """
    listed, outline = project.config.features, outline_of(project.config, project.mask)
    project = apply_skips(project, state)
    begun = {id for id, place in where.items() if place in BEGUN}
    selection = still(running.selection, project.dag, begun)
    given = selection or Selection()
    decisions = decide(project, state, given, run=running.run, merged=merged)
    selected = select(given, project.dag, decisions) if selection else ()
    so_far = RunSoFar(running.outline, where, state)
    change = list_change(so_far, outline, project.dag, decisions, selected)
    story = _story(project, decisions, change)
    remaining = [id for id in (*where, *change.joins) if id not in change.goes]
    due = [id for id in remaining if id in project.dag.features and where.get(id) not in BEGUN]
    results = results_below(project, state, decisions, due, remaining)
    return Reload(project, listed, outline, change, decisions, selection, results, story)


def _story(
    project: OpenProject, decisions: Mapping[str, Decision], change: ListChange
) -> tuple[Event, ...]:
    if not change.joins:
        return ()
    due = {id: decisions[id] for id in change.joins}
    return tuple(lists.check(project, project.whole_state(), due, change.joins))


def places(state: RunState, run: Run) -> dict[str, Where]:
    """Where the features of a run are, by the journal."""
    return {id: _place(state.feature(id), run) for id in run.features}


def _place(known: FeatureState, run: Run) -> Where:
    if known.run != run.id:
        return Where.WAITING
    if known.status.active:
        return Where.RUNNING if known.in_slot else Where.WAITING
    if known.status is Status.COMPLETED:
        return Where.DONE
    # `in_slot` may be that of an earlier run.
    began = known.in_slot and known.started_at is not None
    return Where.ENDED if began else Where.OUT
