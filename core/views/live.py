"""The live view of a run: a head line, what needs a person, and a row for each active feature.

It is a function of the state, the time and the size of the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from ..model.attempt import cost_of, estimate
from ..model.frozen import dataclass, field
from ..model.outcome import Fault, Status
from ..model.phase import Phase
from ..model.state import FeatureState, Run, RunState
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.window import gauge
from ..model.words import counted, decimal, duration, headed, money, waits_for_review
from ..reporter.style import Style, columns, shorten
from ..runner.budget import OVER
from .activity import Activity
from .layout import GAP, Part, fitted, padded, right

MOST_ROWS = 8

SILENT_SECONDS = 120.0
"""After this long without output, the view says so. The stall limit is much longer."""

LEAST_ACTION = 20
"""Columns for what Claude does, at least a third of the width: others vanish before."""

WIDEST_ID = 24


@dataclass(frozen=True)
class Prediction:
    """When a run is expected to end, and from how many runs that was learned."""

    end_at: float
    runs: int = 0


@dataclass(frozen=True)
class Facts:
    """What the view shows beside the state."""

    activities: Mapping[str, Activity] = field(default_factory=dict)
    """What Claude does, by feature."""
    prediction: Prediction | None = None
    cap_usd: float | None = None
    is_stopping: bool = False
    """Whether a signal asked the run to end."""
    learned_runs: int = 0
    """How many past runs the run's estimates were learned from; 0 if they are only guesses."""
    complete: Callable[[str], str] = str
    """Completes the commands in a text with the options of this run."""


def live_lines(
    state: RunState,
    now: float,
    style: Style,
    height: int,
    facts: Facts,
    costs: Costs | None = None,
) -> list[str]:
    """The lines of the view: each fits the width, and all of them a terminal of ``height``.

    ``costs`` spares work if it is the same at each draw.
    """
    run = state.run
    if run is None or height < 2:
        return []
    # A line that fills the last column wraps in some terminals.
    narrow = Style(max(1, style.width - 1), style.colour, style.unicode)
    view = _View(state, run, now, narrow, facts, costs or Costs())
    lines = [*view.calls_for_a_person(), view.head()]
    return [*lines[1 - height :], *view.rows(height - 1 - len(lines))]


def counts(state: RunState) -> tuple[int, int, int]:
    """How many features of the last run are over, how many of these failed, and all of them."""
    run = state.run
    if run is None:
        return 0, 0, 0
    over = [f for f in begun_features(state, run) if f.status in ENDED]
    return len(over), sum(f.status in _BROKEN for f in over), len(run.features)


def begun_features(state: RunState, run: Run) -> list[FeatureState]:
    """The features of a run that it has worked on or ended."""
    known = (state.features.get(id) for id in run.features)
    return [feature for feature in known if feature is not None and feature.run == run.id]


class Costs:
    """What features cost that are over, remembered from one draw to the next."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[FeatureState, float, bool]] = {}

    def spent_usd(
        self, feature: FeatureState, state: RunState, activity: Activity
    ) -> tuple[float, bool]:
        """As :func:`spent_usd`."""
        known = self._known.get(feature.id)
        if known is None or known[0] is not feature:
            usd, is_exact = spent_usd(feature, state, activity)
            if feature.status.active:
                return usd, is_exact
            known = self._known[feature.id] = (feature, usd, is_exact)
        return known[1], known[2]


def spent_usd(feature: FeatureState, state: RunState, activity: Activity) -> tuple[float, bool]:
    """What a feature cost in the last run, and whether that is exact.

    An attempt that did not report its cost yet counts with the rates paid so far.
    """
    made = feature.of_run(state.run.id if state.run else "")
    over = [attempt for attempt in made if attempt.outcome is not None]
    cost = cost_of(over)
    usd, is_exact = cost.known_usd + cost.estimated_usd, cost.is_complete
    if len(over) < len(made):
        now = activity.cost_usd
        if now is None:
            now, is_exact = estimate(activity.tokens_by_model, state.rates), False
        usd += now or 0.0
    return usd, is_exact


class _View:
    def __init__(
        self, state: RunState, run: Run, now: float, style: Style, facts: Facts, costs: Costs
    ) -> None:
        self.state, self.run, self.now, self.style, self.facts = state, run, now, style, facts
        self.costs = costs
        self.begun = begun_features(state, run)
        self.over = [f for f in self.begun if f.status in ENDED]
        working = [f for f in self.begun if f.status.active]
        self.slots_used = sum(f.in_slot for f in working)
        waits = run.is_paused or run.paused_until
        free = 0 if waits else max(0, run.max_parallel - self.slots_used)
        self.active = [f for f in working if f.in_slot]
        self.active.sort(key=lambda f: f.started_at or 0.0)
        # Others prepare before there is a slot for them: they are shown while slots are free.
        self.active += [f for f in working if not f.in_slot][:free]

    # -- the head ---------------------------------------------------------------------------

    def head(self) -> str:
        run = self.run
        done = f"{len(self.over)}/{len(run.features)}"
        elapsed = duration(max(0.0, (run.ended_at or self.now) - run.started_at))
        cost, of_cap = self._cost()
        slots = f"{self.slots_used}/{run.max_parallel}"
        parts = [
            Part((_("{done} done").format(done=done), done), 1, "bold", is_kept=True),
            Part((elapsed,), 3),
            Part(self._end(), 4),
            Part(
                (
                    _("{cost} of {budget}").format(cost=cost, budget=of_cap) if of_cap else cost,
                    cost,
                ),
                5,
            ),
            Part((_("{slots} slots").format(slots=slots),), 7),
            Part((gauge(self.state.windows, self.now),), 6),
            Part(self._waits(), 2, "yellow"),
        ]
        return fitted(parts, self.style.width, self.style)

    def _end(self) -> tuple[str, ...]:
        found = self.facts.prediction
        if self.run.ended_at is not None:
            return ()
        if found is None or found.end_at < self.now:
            return (_("ends ?"), "?")
        clock = f"~{self._clock(found.end_at)}"
        known = (
            _("ends {clock} ({runs})").format(clock=clock, runs=counted(found.runs, "run"))
            if found.runs
            else _("ends {clock}").format(clock=clock)
        )
        return (known, _("ends {clock}").format(clock=clock), clock)

    def _clock(self, at: float) -> str:
        moment, now = datetime.fromtimestamp(at), datetime.fromtimestamp(self.now)
        return moment.strftime("%H:%M" if moment.date() == now.date() else "%a %H:%M")

    def _cost(self) -> tuple[str, str]:
        total, exact = 0.0, True
        for feature in self.begun:
            activity = self._activity(feature)
            usd, is_exact = self.costs.spent_usd(feature, self.state, activity)
            total, exact = total + usd, exact and is_exact
        cap = self.facts.cap_usd
        return ("" if exact else "~") + money(total), "" if cap is None else money(cap)

    def _waits(self) -> tuple[str, ...]:
        run = self.run
        if self.facts.is_stopping:
            return (_("stopping"),)
        if run.is_paused:
            return (_("paused"),)
        if run.unreviewed:
            return (waits_for_review(run.unreviewed), _("waits for your review"))
        if run.paused_until:
            until = self._clock(datetime.fromisoformat(run.paused_until).timestamp())
            return (
                _("usage limit until {until}").format(until=until),
                _("limit until {until}").format(until=until),
                _("until {until}").format(until=until),
            )
        return (_("budget used up"),) if self._is_poor() else ()

    def _is_poor(self) -> bool:
        return any(f.fault is Fault.BUDGET or f.reason.startswith(OVER) for f in self.over)

    # -- what needs a person ----------------------------------------------------------------

    def calls_for_a_person(self) -> Iterator[str]:
        if self.run.is_paused:
            yield self._call("⏸", "[pause]", "yellow", _("paused"), "rorchestrator resume")
        if self.run.unreviewed:
            said = _("{waits}, so nothing new starts")
            said = said.format(waits=waits_for_review(self.run.unreviewed))
            yield self._call("✋", "[review]", "yellow", said, "rorchestrator review")
        if self._is_poor():
            why = _("the budget is used up, so nothing more starts")
            yield self._call("✋", "[budget]", "yellow", why, "")
        broken = [f for f in self.over if f.status in _BROKEN]
        if broken:
            first = one_line(broken[0].id)
            what = _("{features} did not complete").format(features=counted(len(broken), "feature"))
            said = headed(what, ", ".join(one_line(f.id) for f in broken))
            if len(broken) == 1:
                what = f"{first} {_(broken[0].status.words)}"
                said = headed(what, one_line(shown(broken[0].reason)))
            yield self._call("❌", "[failed]", "red", said, f"rorchestrator retry {first}")

    def _call(self, glyph: str, ascii: str, colour: str, said: str, command: str) -> str:
        line = f"{self.style.pick(glyph, ascii)} {said}"
        dot, width = self.style.pick(" · ", " | "), self.style.width
        command = f"{dot}{self.facts.complete(command)}" if command else ""
        if columns(command) > max(width // 2, width - columns(line)):
            command = ""
        line = shorten(line, width - columns(command), self.style)
        return self.style.paint(line, colour) + command

    # -- the rows ---------------------------------------------------------------------------

    def rows(self, room: int) -> list[str]:
        """At most ``room`` lines."""
        count = len(self.active)
        most = min(MOST_ROWS, room if count <= room else room - 1)
        if room < 1 or not count:
            return []
        rows_shown = self.active[:most]
        table = _Table([self._cells(feature) for feature in rows_shown], self.style)
        rows = list(table.lines())
        if count > len(rows_shown):
            rows.append(
                self.style.paint(_("+{count} more").format(count=count - len(rows_shown)), "dim")
            )
        return rows

    def _activity(self, feature: FeatureState) -> Activity:
        return self.facts.activities.get(feature.id, _NOTHING)

    def _cells(self, feature: FeatureState) -> _Cells:
        activity = self._activity(feature)
        said, colour = self._doing(feature, activity)
        made = feature.of_run(self.run.id)
        outcomes = [attempt.outcome for attempt in made if attempt.outcome is not None]
        is_open = len(outcomes) < len(made)
        turns = sum(outcome.num_turns for outcome in outcomes) + activity.turns * is_open
        tokens = sum(sum(vars(o.usage).values()) for o in outcomes) + activity.tokens * is_open
        usd, is_exact = self.costs.spent_usd(feature, self.state, activity)
        return _Cells(
            one_line(feature.id),
            said,
            colour,
            counted(turns, "turn") if turns else "",
            _("{count} tokens").format(count=short_count(tokens)) if tokens else "",
            ("" if is_exact else "~") + money(usd) if usd else "",
            duration(self.now - feature.started_at) if feature.started_at is not None else "",
        )

    def _doing(self, feature: FeatureState, activity: Activity) -> tuple[str, str]:
        """What a feature does now, and its colour."""
        since = duration(max(0.0, self.now - feature.phase_at))
        if feature.phase is Phase.CLAUDE:
            return self._claude(feature, activity)
        if feature.phase is Phase.BETWEEN:
            return f"{self._between(feature)} {since}", "dim"
        name = _(_PHASES.get(feature.phase, feature.phase.value))
        return f"{name} {since}", "cyan"

    def _claude(self, feature: FeatureState, activity: Activity) -> tuple[str, str]:
        count = len(feature.attempts)
        action = activity.action or _("starts")
        if count > 1:
            action = f"[{count}] {action}"
        heard = max(activity.changed_at, feature.phase_at)
        silent = self.now - heard
        if silent < SILENT_SECONDS:
            return action, ""
        minutes = round(silent // 60)
        length = (
            _("{minutes} min").format(minutes=minutes)
            if minutes < 120
            else _("{hours} h").format(hours=minutes // 60)
        )
        return _("no output for {length}: {action}").format(length=length, action=action), "yellow"

    def _between(self, feature: FeatureState) -> str:
        if self.run.paused_until:
            return _("waits for the usage limit")
        if self.run.is_paused:
            return _("waits: paused")
        last = feature.last_outcome
        return (
            _("waits for its next attempt") if last and last.fault is not Fault.NONE else _("ready")
        )


_NOTHING = Activity()
_PHASES = {Phase.INSPECTION: N_("inspects its changes")}
_BROKEN = (Status.FAILED, Status.TIMED_OUT, Status.EMPTY, Status.CONFLICT)
ENDED = (*_BROKEN, Status.COMPLETED, Status.BLOCKED, Status.CANCELLED, Status.SKIPPED)


@dataclass(frozen=True)
class _Cells:
    """A row."""

    id: str
    action: str
    colour: str
    turns: str
    tokens: str
    cost: str
    elapsed: str


_VANISHING = ("turns", "tokens", "cost", "elapsed")
"""The columns that vanish where there is no room, in this order."""


class _Table:
    """Rows whose columns align, as many of them as fit."""

    def __init__(self, rows: Sequence[_Cells], style: Style) -> None:
        self.rows, self.style = rows, style
        longest = max((columns(row.id) for row in rows), default=0)
        self.id = min(longest, WIDEST_ID, style.width // 4)
        for first in range(len(_VANISHING) + 1):
            self.widths = {name: self._widest(name) for name in _VANISHING[first:]}
            taken = sum(width + GAP for width in self.widths.values() if width)
            self.action = style.width - self.id - GAP - taken
            if self.action >= max(LEAST_ACTION, style.width // 3):
                break
        self.action = max(1, self.action)

    def _widest(self, name: str) -> int:
        return max((columns(getattr(row, name)) for row in self.rows), default=0)

    def lines(self) -> Iterator[str]:
        """The lines of the rows."""
        paint, style = self.style.paint, self.style
        for row in self.rows:
            id = padded(shorten(row.id, self.id, style), self.id)
            action = padded(shorten(row.action, self.action, style), self.action)
            cells = [paint(id, "bold"), paint(action, row.colour) if row.colour else action]
            for name, width in self.widths.items():
                cell = right(getattr(row, name), width)
                if width:
                    cells.append(paint(cell, "dim") if name != "elapsed" else cell)
            yield (" " * GAP).join(cells)


def short_count(count: int) -> str:
    """``950``, ``34k``, ``1.2M``."""
    if count < 1_000:
        return str(count)
    if count < 999_500:
        return _("{count}k").format(count=f"{count / 1_000:.0f}")
    return _("{count}M").format(count=decimal(f"{count / 1_000_000:.1f}"))
