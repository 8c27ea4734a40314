"""Says in plain output what a feature is doing: without it, a long setup would be silence.

Setup and checks are said when they begin. The other phases rarely take long, so they are said
only once they have lasted :data:`SLOW_SECONDS`; a fast run has no line more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model.events import Event
from ..model.moments import clock
from ..model.phase import Phase
from ..model.state import FeatureState, Run, RunState
from ..model.translate import N_, _
from ..model.words import headed
from .style import Style

SLOW_SECONDS = 2.0

_AT_ONCE = {"setting_up": N_("setup"), "checking": N_("checks")}

_IF_SLOW = {
    Phase.WORKTREE: N_("worktree"),
    Phase.INSPECTION: N_("commit"),
    Phase.COMMIT: N_("commit"),
}


class PhaseLines:
    """The lines of one run about phases."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._told: dict[str, tuple[str, float]] = {}
        """By feature: the phase that was told last, and when it began."""

    def at_event(self, state: RunState, event: Event) -> str:
        """The line of a phase that begins with this event; empty if there is none yet."""
        words = _AT_ONCE.get(event.kind, "")
        return self._line(event.feature, words, event.at, state.run) if words else ""

    def slow(self, state: RunState, now: float) -> Iterator[str]:
        """The lines of phases that take long, each once."""
        run = state.run
        if run is None:
            return
        features = [state.feature(id) for id in run.features]
        active = [each for each in features if each.run == run.id and each.status.active]
        is_full = sum(each.in_slot for each in active) >= run.max_parallel
        for feature in active:
            words = _IF_SLOW.get(feature.phase, "")
            waits = feature.phase is Phase.WORKTREE and (is_full or _is_held(run))
            if words and not waits and now - feature.phase_at >= SLOW_SECONDS:
                yield from self._once(feature, words, run)

    def _once(self, feature: FeatureState, words: str, run: Run) -> Iterator[str]:
        told = self._told.get(feature.id)
        self._told[feature.id] = (words, feature.started_at or 0.0)
        if told != self._told[feature.id]:
            yield self._line(feature.id, words, feature.phase_at, run)

    def _line(self, id: str, words: str, at: float, run: Run | None) -> str:
        when = clock(at, run.started_at if run is not None else at)
        mark = self.style.pick("·", "[..]")
        return f"{self.style.paint(f'[{when}]', 'dim')} {mark} {headed(id, _(words))}"


def _is_held(run: Run) -> bool:
    """Whether a feature with a worktree may be waiting for the end of a pause or a limit."""
    return run.is_paused or bool(run.paused_until)
