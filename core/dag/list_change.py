"""`ListChange`: what a changed feature list means for the run that is in progress."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ..model.decision import Action, Decision
from ..model.feature import Feature
from ..model.frozen import Enum, dataclass, field
from ..model.list_outline import Outline
from ..model.state import RunState
from ..model.translate import N_
from . import incremental
from .resolver import DAGResolver
from .widening import Widening, widenings

REMOVED = N_("it was removed from the list")
NOT_SELECTED = N_("the options of the run do not select it")

CONTEXT = "prompts.context_file"
RULES = "prompts.quality_rules"

INPUTS = frozenset(
    (
        *("prompt", "description", "creates", "uses", "depends_on", "verify", "model"),
        "allowed_tools",
    )
)
"""The keys of a feature that its result depends on."""


class Where(Enum):
    """Where a feature is in the run."""

    ABSENT = "absent"
    """It is not part of the run."""
    WAITING = "waiting"
    """It has not begun; its worktree may be in preparation."""
    RUNNING = "running"
    DONE = "done"
    ENDED = "ended"
    """It began, and ended without a result."""
    OUT = "out"
    """It ended before it began: blocked, skipped or stopped."""


FOLLOWING = (Where.WAITING, Where.ENDED, Where.OUT)
"""Features in these places follow a changed list; one that ended does when it is retried."""


@dataclass(frozen=True)
class ListChange:
    """What changes in a run; all features by id."""

    joins: tuple[str, ...] = ()
    """Features that become part of the run."""
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The changed keys of each feature that follows its new text."""
    everywhere: tuple[str, ...] = ()
    """The changed keys that go into every prompt."""
    goes: Mapping[str, str] = field(default_factory=dict)
    """The features that leave the run, each with its reason."""
    stays: tuple[str, ...] = ()
    """The features that are gone from the list but not from the run: they began."""
    out_of_date: Mapping[str, str] = field(default_factory=dict)
    """The features whose result is or will be out of date, each with the input that changed."""
    still_out_of_date: Mapping[str, str] = field(default_factory=dict)
    """The same for those that were before, because of an earlier change."""
    up_to_date: tuple[str, ...] = ()
    """Features that an earlier change made out of date, and this one does not."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """The new features that do not join, each with its reason."""
    widenings: tuple[Widening, ...] = ()
    """What needs the user's consent."""
    later: tuple[str, ...] = ()
    """The changed keys that only the next run takes up."""

    @property
    def is_empty(self) -> bool:
        """Whether the run would go on unchanged."""
        parts = (self.joins, self.follows, self.everywhere, self.goes, self.stays)
        return not any((*parts, self.out_of_date, self.up_to_date, self.left_out))


@dataclass(frozen=True)
class RunSoFar:
    """A run in progress: the list that it follows, and where its features are."""

    outline: Outline
    where: Mapping[str, Where]
    """By id; a feature that is missing is no part of the run."""
    state: RunState

    def place(self, id: str) -> Where:
        """Where a feature is."""
        return self.where.get(id, Where.ABSENT)


def list_change(
    run: RunSoFar,
    new: Outline,
    dag: DAGResolver,
    decisions: Mapping[str, Decision],
    selected: Collection[str],
) -> ListChange:
    """What the list ``new`` changes; ``decisions`` and ``selected`` are those of a run of it."""
    old = {feature.id: feature for feature in run.outline.features}
    now = {feature.id: feature for feature in new.features}
    changed = {id: _changed_keys(old[id], now[id]) for id in now if id in old}
    joins = [
        id
        for id in now
        if id in selected and run.place(id) is Where.ABSENT and not _has_result(run, id, old)
    ]
    follows = {id: keys for id, keys in changed.items() if keys and run.place(id) in FOLLOWING}
    goes = dict(_going(run, now, decisions))
    following = [id for id in follows if id not in goes]
    earlier = run.state.run.out_of_date if run.state.run is not None else {}
    touched = _touched(run, new, dag, changed)
    stale = _out_of_date(run, {**dict.fromkeys(touched), **earlier}, decisions)
    return ListChange(
        joins=tuple(joins),
        follows={id: follows[id] for id in following},
        everywhere=tuple(_everywhere(run.outline, new)),
        goes=goes,
        stays=tuple(id for id in run.where if id not in now and id not in goes),
        out_of_date={id: reason for id, reason in stale.items() if id not in earlier},
        still_out_of_date={
            id: stale.get(id, reason)
            for id, reason in earlier.items()
            if id in stale or id not in now
        },
        up_to_date=tuple(id for id in earlier if id in now and id not in stale),
        left_out={
            id: _why_left(decisions[id])
            for id in now
            if id not in old and id not in joins and run.place(id) is Where.ABSENT
        },
        widenings=widenings(run.outline, dag.features, (*joins, *following)),
        later=later_keys(run.outline, new),
    )


def _changed_keys(old: Feature, new: Feature) -> tuple[str, ...]:
    before = vars(old)
    return tuple(name for name, value in vars(new).items() if before[name] != value)


def _has_result(run: RunSoFar, id: str, old: Mapping[str, Feature]) -> bool:
    """Whether a feature completed before: a changed list does not run it again by itself."""
    return id in old and run.state.feature(id).work is not None


def _everywhere(old: Outline, new: Outline) -> Iterator[str]:
    if old.context != new.context:
        yield CONTEXT
    if old.quality_rules != new.quality_rules:
        yield RULES


def _going(
    run: RunSoFar, now: Mapping[str, Feature], decisions: Mapping[str, Decision]
) -> Iterator[tuple[str, str]]:
    for id, place in run.where.items():
        if id not in now and place in (Where.WAITING, Where.OUT):
            yield id, REMOVED
        elif place is Where.WAITING and not _is_due(decisions[id]):
            yield id, decisions[id].reason


def _is_due(decision: Decision) -> bool:
    return decision.action in (Action.START, Action.RESUME)


def _why_left(decision: Decision) -> str:
    return NOT_SELECTED if _is_due(decision) else decision.reason


def _touched(
    run: RunSoFar, new: Outline, dag: DAGResolver, changed: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """The features of both lists whose inputs this change may have changed."""
    own = [id for id, keys in changed.items() if not INPUTS.isdisjoint(keys)]
    below = {*own, *(each for id in own for each in dag.descendants(id))}
    return [id for id in changed if id in below or any(_everywhere(run.outline, new))]


def _out_of_date(
    run: RunSoFar, ids: Iterable[str], decisions: Mapping[str, Decision]
) -> dict[str, str]:
    """Those of ``ids`` that began or have a result, with other inputs than the list has now."""
    reasons = {}
    for id in ids:
        known, place = run.state.feature(id), run.place(id)
        began = place in (Where.RUNNING, Where.DONE)
        if id in decisions and (began or (place is Where.ABSENT and known.work is not None)):
            reason = incremental.changed_input(known, decisions[id].inputs)
            if reason and decisions[id].action is Action.START:
                reasons[id] = reason
    return reasons


def later_keys(old: Outline, new: Outline) -> tuple[str, ...]:
    """The changed keys of project, claude and notify."""
    names = {**old.settings, **new.settings}
    return tuple(name for name in names if old.settings.get(name) != new.settings.get(name))
