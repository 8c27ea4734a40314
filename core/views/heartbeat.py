"""`Heartbeat`: a line a minute about a run without a terminal, whose log would fall silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..model.events import Event
from ..model.moments import minute_of, moment
from ..model.phase import Phase
from ..model.state import FeatureState, Run, RunState
from ..model.terminal_text import one_line
from ..model.translate import _
from ..model.words import duration, headed, money, waits_for_review
from ..reporter.style import Style, shorten
from .activity import Activity
from .live import SILENT_SECONDS, counts, spent_usd
from .view import View

SECONDS = 60.0
"""Between two lines. Some CI systems end a job that prints nothing for ten minutes."""

MOST_FEATURES = 8
ACTION_COLUMNS = 60


class Heartbeat(View):
    """Prints the line with ``say``. ``read`` tells what Claude does, by feature."""

    is_optional = True

    def __init__(
        self,
        say: Callable[[str], object],
        style: Style,
        read: Callable[[RunState], Mapping[str, Activity]],
        clock: Callable[[], float],
        cap_usd: float | None = None,
    ) -> None:
        self._say = say
        self._style = style
        self._read = read
        self._clock = clock
        self._cap_usd = cap_usd
        self._state = RunState()
        self._due = clock() + SECONDS

    def on_event(self, state: RunState, event: Event) -> None:
        """Keep the state."""
        self._state = state

    def on_tick(self) -> None:
        """Print the line if it is time to."""
        now = self._clock()
        if now >= self._due:
            self._due = now + SECONDS
            run = self._state.run
            if run is not None and run.ended_at is None:
                line = heartbeat(
                    self._state, now, self._style, self._read(self._state), self._cap_usd
                )
                self._say(line)


def heartbeat(
    state: RunState,
    now: float,
    style: Style,
    activities: Mapping[str, Activity],
    cap_usd: float | None = None,
) -> str:
    """The line: how much is done, what it cost, and what each feature does."""
    run = state.run
    assert run is not None
    begun = [f for f in map(state.feature, run.features) if f.run == run.id]
    # Others are prepared before there is a slot for them.
    active = [f for f in begun if f.status.active and f.in_slot]
    over, _failed, count = counts(state)
    parts = [
        _("{over}/{count} done").format(over=over, count=count),
        duration(now - run.started_at),
        _cost(begun, state, activities, cap_usd),
        *_waits(run),
        *(_doing(f, now, activities.get(f.id, Activity()), style) for f in active[:MOST_FEATURES]),
    ]
    if len(active) > MOST_FEATURES:
        parts.append(_("+{count} more").format(count=len(active) - MOST_FEATURES))
    return f"[{moment(now)}] {style.pick(' · ', ' | ').join(parts)}"


def _cost(
    begun: list[FeatureState],
    state: RunState,
    activities: Mapping[str, Activity],
    cap_usd: float | None,
) -> str:
    costs = [spent_usd(f, state, activities.get(f.id, Activity())) for f in begun]
    about = "" if all(is_exact for _usd, is_exact in costs) else "~"
    of_cap = "" if cap_usd is None else _(" of {cost}").format(cost=money(cap_usd))
    return f"{about}{money(sum(usd for usd, _exact in costs))}{of_cap}"


def _waits(run: Run) -> Iterator[str]:
    if run.is_paused:
        yield _("paused")
    if run.unreviewed:
        yield waits_for_review(run.unreviewed)
    if run.paused_until:
        yield _("usage limit until {time}").format(time=minute_of(run.paused_until))


def _doing(feature: FeatureState, now: float, activity: Activity, style: Style) -> str:
    name = _("waiting") if feature.phase is Phase.BETWEEN else _(feature.phase.value)
    said = headed(one_line(feature.id), f"{name} {duration(now - feature.phase_at)}")
    if feature.phase is Phase.CLAUDE and activity.action:
        said += f", {shorten(activity.action, ACTION_COLUMNS, style)}"
        silent = now - max(activity.changed_at, feature.phase_at)
        if silent >= SILENT_SECONDS:
            said += _(" (no output for {time})").format(time=duration(silent))
    return said
