"""`LiveView`: draws the live view of a run on a terminal, and reads its keys.

It knows no event loop: whoever uses it hands it states, events and keys, and calls
:meth:`LiveView.tick` when that asks for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping

from ..model.frozen import replace
from ..model.state import RunState
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from ..model.words import duration
from ..reporter.style import Style
from . import terminal_codes as codes
from .activities import Activities, active_features
from .activity import Activity
from .expected_end import ExpectedEnd
from .keyboard import Keyboard
from .live import Costs, Facts, counts, live_lines
from .screen import Screen

FIRST_SECONDS = 0.5
"""Before the first draw: what is over by then needs none."""

LEAST_SECONDS = 0.1
"""Between two draws."""

SHARE = 150
"""At least this many times the duration of a draw lies between two draws, or two looks."""

LOOK_SECONDS = 0.5
"""Between two looks at the logs."""

CLOCK_SECONDS = 1.0
"""Between two draws if only a clock has changed."""

SUSPENDED = N_("Suspended. Running Claudes go on, nothing new starts. fg continues here.")


class LiveView:
    """A run on a terminal: a block of lines that is redrawn, below lines that scroll away.

    ``facts`` gives what the state does not have. ``pause`` asks the run to pause (True) or to
    resume; without it, ``p`` is no key. ``hold`` is told, while the terminal is changed, what
    restores it: the settings of the keyboard and the closing sequences; ``None`` after that.
    """

    def __init__(
        self,
        screen: Screen,
        style: Style,
        *,
        keyboard: Keyboard | None = None,
        activities: Activities | None = None,
        facts: Callable[[], Facts] = Facts,
        pause: Callable[[bool], None] | None = None,
        hold: Callable[[Keyboard | None, str], None] = lambda keyboard, closing: None,
        name: str = "",
        suspended: str = SUSPENDED,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.screen = screen
        self.keyboard = keyboard
        self.state = RunState()
        self._style = style
        self._activities = activities or Activities()
        self._seen: Mapping[str, Activity] = {}
        self._facts, self._pause, self._hold = facts, pause, hold
        self._name, self._suspended = name, suspended
        self._costs, self._expected = Costs(), ExpectedEnd()
        self._has_progress = codes.knows_progress(os.environ)
        self._has_title = codes.knows_titles(os.environ)
        self._clock, self._monotonic = clock, monotonic
        self._begun = monotonic()
        self._look_at = self._new_at = self._clock_at = 0.0
        """When to look at the logs, to draw something new, and to draw the clocks again."""
        self._is_new = True
        self._is_open = self._keeps_title = False

    def on_event(self, state: RunState) -> None:
        """An event was recorded; ``state`` is the state after it."""
        self.state = state
        self._is_new = True

    def write(self, text: str) -> None:
        """Print lines that scroll away."""
        self.screen.write(text)

    def tick(self) -> float:
        """Draw if it is time to; the seconds until the next call."""
        now = self._monotonic()
        if now < self._begun + FIRST_SECONDS:
            return self._begun + FIRST_SECONDS - now
        if not self.screen.is_ours:
            self._leave()
            return CLOCK_SECONDS
        self._enter()
        if now >= self._look_at:
            before, self._seen = self._seen, self._activities.read(self.state)
            self._is_new = self._is_new or before != self._seen
            self._look_at = now + max(LOOK_SECONDS, SHARE * (self._monotonic() - now))
        due = self._new_at if self._is_new else self._clock_at
        if now >= due:
            begun = self._monotonic()
            self._draw()
            self._new_at = now + max(LEAST_SECONDS, SHARE * (self._monotonic() - begun))
            self._clock_at = due = max(now + CLOCK_SECONDS, self._new_at)
        return max(0.0, min(due, self._look_at) - now)

    def _draw(self) -> None:
        self._is_new = False
        columns, lines = self.screen.size
        style = replace(self._style, width=columns)
        facts, now = self._facts(), self._clock()
        expected = self._expected.at(self.state, now, facts.learned_runs)
        facts = replace(facts, activities=self._seen, prediction=expected)
        drawn = live_lines(self.state, now, style, lines, facts, self._costs)
        self.screen.show(drawn, self._decoration())

    def _decoration(self) -> str:
        over, broken, count = counts(self.state)
        run = self.state.run
        if run is None or not count:
            return ""
        state = codes.FAILED if broken else codes.NORMAL
        if run.is_paused or run.paused_until:
            state = codes.PAUSED
        progress = codes.progress(100 * over // count, state) if self._has_progress else ""
        title = codes.title(one_line(f"{over}/{count} {self._name}")) if self._has_title else ""
        return progress + title

    @property
    def reads_keys(self) -> bool:
        """Whether the keyboard may be read: from the background, that would stop the process."""
        return self.keyboard is not None and self.keyboard.before is not None

    # -- keys -------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """Act on keys."""
        for key in dict.fromkeys(keys):
            if key == "s":
                self.tell()
            elif key == "p" and self._pause is not None and self.state.run is not None:
                self._pause(not self.state.run.is_paused)
            elif key == "?":
                self.write(self._help())

    def _help(self) -> str:
        pause = _("  p       pause or resume\n") if self._pause is not None else ""
        return _(
            "  s       what each feature does (also: kill -USR1 {pid})\n{pause}  "
            "Ctrl-C  stop\n  Ctrl-Z  suspend\n"
        ).format(pid=os.getpid(), pause=pause)

    def tell(self) -> None:
        """Print what everything does, with the last lines of each."""
        seen = self._activities.read(self.state)
        now = self._clock()
        self.write("".join(f"{line}\n" for line in told(self.state, now, self._style, seen)))

    # -- the terminal -----------------------------------------------------------------------

    def _enter(self) -> None:
        """Take the keys and keep the title, so that :meth:`_leave` can restore them."""
        if self._is_open:
            return
        self._is_open = self._is_new = True
        if self.keyboard is not None and not self.keyboard.open():
            self.keyboard = None
        self._hold(self.keyboard, codes.closing(os.environ))
        if not self._keeps_title and self._has_title:
            self._keeps_title = True
            self.screen.control(codes.PUSH_TITLE)

    def _leave(self) -> None:
        """Take the block away, and restore keys and title."""
        if not self._is_open:
            return
        self._is_open = self._keeps_title = False
        self.screen.clear()
        self.screen.control(codes.closing(os.environ))
        if self.keyboard is not None:
            self.keyboard.close()
        self._hold(None, "")

    def suspend(self) -> None:
        """Leave a clean terminal before this process is stopped; :meth:`tick` draws again."""
        if self.screen.is_ours:
            self._leave()
            self.write(f"{self._suspended}\n")
            self.screen.flush()

    def renew(self) -> None:
        """Draw below what a shell has printed while this process was stopped by a signal."""
        if self._is_open:
            self._is_open = False
            self.screen.forget()
            if self.keyboard is not None:
                self.keyboard.close()
        self._is_new = True

    def close(self, seconds: float = 1.0) -> None:
        """Leave the terminal for good; wait at most this long until all is written."""
        self._leave()
        self.screen.close(seconds)


def told(
    state: RunState, now: float, style: Style, activities: Mapping[str, Activity]
) -> Iterator[str]:
    """What every active feature does, with its last lines."""
    features = active_features(state)
    if not features:
        yield _("No feature is being worked on.")
    for feature in features:
        activity = activities.get(feature.id, Activity())
        name = style.paint(one_line(feature.id), "bold")
        phase = _(feature.phase.value or feature.status.words)
        since = duration(max(0.0, now - feature.phase_at))
        doing = f": {activity.action}" if activity.action else ""
        yield f"{name} ({phase} {since}){doing}"
        yield from (f"    {line}" for line in activity.last_lines)
