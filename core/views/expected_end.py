"""When a run is expected to end: its start's estimates, and what became of them since."""

from __future__ import annotations

from datetime import datetime

from ..dag.schedule import rest_seconds
from ..model.phase import Phase
from ..model.state import FeatureState, Run, RunState
from .live import ENDED, Prediction, begun_features

KEPT_SECONDS = 5.0
"""How long an expected end is reused."""


class ExpectedEnd:
    """The expected end of a run, computed now and then."""

    def __init__(self) -> None:
        self._found: float | None = None
        self._run = ""
        self._at = 0.0

    def at(self, state: RunState, now: float, runs: int) -> Prediction | None:
        """The expected end as of ``now``; ``None`` if nothing is known.

        ``runs`` is how many past runs the estimates were learned from: without one, they are
        only guesses.
        """
        run = state.run
        if run is None or not runs:
            return None
        if run.id != self._run or not self._at <= now < self._at + KEPT_SECONDS:
            self._run, self._at = run.id, now
            self._found = expected_end(state, run, now)
        return None if self._found is None else Prediction(self._found, runs)


def expected_end(state: RunState, run: Run, now: float) -> float | None:
    """When what is left of a run will be over; ``None`` if nobody can know.

    That is so while the user holds back what has not started, and once nothing is left but
    features that take longer than expected. One of these is taken to need as long again as it is
    overdue, so that the end moves away with it.
    """
    begun = {feature.id: feature for feature in begun_features(state, run)}
    left = [id for id in run.features if id not in begun or begun[id].status not in ENDED]
    given = run.provenance.estimates
    seconds = {id: given[id].seconds for id in left if id in given}
    working = [id for id in left if id in begun and begun[id].in_slot]
    has_more = len(working) < len(left)
    if len(seconds) < len(left) or ((run.is_paused or run.unreviewed) and has_more):
        return None
    rest = {id: seconds[id] - _worked(begun[id], run, now) for id in working}
    if not has_more and all(each <= 0 for each in rest.values()):
        return None
    needs = {id: _left_of(run.provenance.depends_on.get(id, ()), seconds) for id in left}
    needs.update(dict.fromkeys(working, ()))
    working_rest = {id: abs(each) for id, each in rest.items()}
    lasts = rest_seconds(needs, seconds, run.max_parallel, working_rest)
    return lasts + max(now, _reset(run))


def _left_of(ids: tuple[str, ...], seconds: dict[str, float]) -> tuple[str, ...]:
    return tuple(id for id in ids if id in seconds)


def _worked(feature: FeatureState, run: Run, now: float) -> float:
    """For how long a feature was worked on, without the current wait for a usage limit."""
    until = now
    if run.limits.since is not None and feature.phase is Phase.BETWEEN:
        until = run.limits.since
    return max(0.0, until - (feature.started_at or now))


def _reset(run: Run) -> float:
    """When a usage limit is reset that the run waits for; 0 without one."""
    return datetime.fromisoformat(run.paused_until).timestamp() if run.paused_until else 0.0
