"""What a run spent without a result, and which changes to the list would have saved most.

It is computed from the state; no model is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .attempt import Attempt, cost_of
from .english import counted
from .frozen import dataclass
from .json_values import Json
from .outcome import Status
from .state import FeatureState, Run, RunState
from .translate import N_

ADVICE = 3

LONG = 0.5
"""A feature that took this share of the run is worth splitting."""

SMALL = 0.1
"""The share of the cost from which on the starts of sessions are worth saving."""


@dataclass(frozen=True)
class Entry:
    """Something that a run spent without a result."""

    kind: str
    words: str
    count: int
    cost_usd: float | None
    """``None`` if it cost only time, or if the cost is unknown."""
    seconds: float

    def to_json(self) -> dict[str, Json]:
        """An entry of ``waste`` in the report."""
        usd = None if self.cost_usd is None else round(self.cost_usd, 6)
        return {**vars(self), "cost_usd": usd, "seconds": round(self.seconds)}


@dataclass(frozen=True)
class Advice:
    """A change to the list, and about how much it would have saved."""

    text: str
    cost_usd: float
    seconds: float

    def to_json(self) -> dict[str, Json]:
        """An entry of ``advice`` in the report."""
        usd, seconds = round(self.cost_usd, 6), round(self.seconds)
        return {"text": self.text, "cost_usd": usd, "seconds": seconds}


@dataclass(frozen=True)
class Ledger:
    """The waste of a run, and up to three changes, the most useful first."""

    entries: tuple[Entry, ...]
    advice: tuple[Advice, ...]


def ledger(state: RunState, run: Run) -> Ledger:
    """The ledger of a run that is over."""
    features = [f for f in map(state.feature, run.features) if f.run == run.id]
    repairs = [attempt for feature in features for attempt in _repairs(feature)]
    # An attempt counts once.
    thrown = [a for feature in features for a in _thrown(feature) if a not in repairs]
    starts = _starts(state, features)
    entries = (
        _of_attempts("thrown_away", N_("attempts thrown away"), thrown),
        _of_attempts("failing_checks", N_("attempts after failing checks"), repairs),
        _idle(run, features),
        Entry("limits", N_("waits for usage limits"), 0, None, run.limits.seconds),
        starts,
    )
    kept = tuple(entry for entry in entries if entry.cost_usd or entry.seconds)
    given = sorted(_advice(run, features, repairs, starts), key=lambda a: (-a.cost_usd, -a.seconds))
    return Ledger(kept, tuple(given[:ADVICE]))


def _thrown(feature: FeatureState) -> tuple[Attempt, ...]:
    """Attempts whose work nobody continues: those before a new start, and those that failed."""
    before = tuple(a for a in feature.earlier if a.run == feature.run)
    lost = feature.status.unsuccessful and not feature.fault.resumable
    return (*before, *(a for a in feature.attempts if lost and a.run == feature.run))


def _repairs(feature: FeatureState) -> Iterator[Attempt]:
    """Attempts that repair what a check, a contract or a hook did not accept."""
    made = [a for a in feature.attempts if a.run == feature.run]
    for before, attempt in zip(made, made[1:]):
        was_done = before.outcome is not None and before.outcome.status is Status.COMPLETED
        if was_done and not attempt.was_asked_for:
            yield attempt


def _seconds(attempts: Sequence[Attempt]) -> float:
    return sum(a.ended_at - a.started_at for a in attempts if a.ended_at is not None)


def _usd(attempts: Sequence[Attempt]) -> float:
    cost = cost_of(attempts)
    return cost.known_usd + cost.estimated_usd


def _of_attempts(kind: str, words: str, attempts: Sequence[Attempt]) -> Entry:
    return Entry(kind, words, len(attempts), _usd(attempts), _seconds(attempts))


def _in_slot(feature: FeatureState) -> float:
    if not feature.in_slot or feature.started_at is None or feature.ended_at is None:
        return 0.0
    return feature.ended_at - feature.started_at


def _wall(run: Run) -> float:
    return 0.0 if run.ended_at is None else run.ended_at - run.started_at


def _idle(run: Run, features: Sequence[FeatureState]) -> Entry:
    """The time of slots in which no feature was, without the waits for limits and pauses.

    More slots than features don't count.
    """
    slots = min(run.max_parallel, sum(feature.in_slot for feature in features))
    open_seconds = max(0.0, _wall(run) - run.limits.seconds - run.pauses.seconds)
    idle = open_seconds * slots - sum(map(_in_slot, features))
    return Entry("idle_slots", N_("idle slots"), slots, None, max(0.0, idle))


def _starts(state: RunState, features: Sequence[FeatureState]) -> Entry:
    """What sessions read before they do anything: at most the smallest first reading of one."""
    sessions = [
        a.outcome.usage.cache_creation_input_tokens
        for f in features
        for a in f.of_run(f.run)
        if a.outcome is not None and not a.resumed and a.outcome.usage.cache_creation_input_tokens
    ]
    tokens = sum(paid.tokens for paid in state.rates.values())
    if not sessions or not tokens:
        return Entry("starts", N_("starts of sessions"), 0, None, 0.0)
    rate = sum(paid.cost_usd for paid in state.rates.values()) / tokens
    usd = len(sessions) * min(sessions) * rate
    return Entry("starts", N_("starts of sessions"), len(sessions), usd, 0.0)


def _advice(
    run: Run, features: Sequence[FeatureState], repairs: Sequence[Attempt], starts: Entry
) -> Iterator[Advice]:
    if repairs:
        text = N_(
            "let Claude run the checks itself (claude.allowed_tools_add): "
            "{attempts} came after failing ones"
        ).format(attempts=counted(len(repairs), "attempt"))
        yield Advice(text, _usd(repairs), _seconds(repairs))
    for feature in features:
        thrown = _thrown(feature)
        if thrown and feature.status is not Status.COMPLETED:
            text = N_("split {id}: it did not complete").format(id=feature.id)
            yield Advice(text, _usd(thrown), _seconds(thrown))
    completed = [feature for feature in features if feature.status is Status.COMPLETED]
    longest = max(completed, key=_in_slot, default=None)
    if longest is not None and len(features) > 1 and _in_slot(longest) > LONG * _wall(run) > 0:
        yield Advice(
            N_("split {id}: the run waited for it").format(id=longest.id),
            0.0,
            _in_slot(longest) / 2,
        )
    usd = starts.cost_usd or 0.0
    total = _usd([attempt for feature in features for attempt in feature.of_run(run.id)])
    if starts.count > 1 and usd > SMALL * total:
        text = N_("join small features: each session reads the same before it begins")
        yield Advice(text, usd / 2, 0.0)
