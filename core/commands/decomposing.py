"""How `decompose` shows what Claude does: a line that is redrawn, or a line from time to time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

from ..model.frozen import dataclass
from ..model.terminal_text import one_line
from ..model.translate import shown
from ..model.words import counted, duration, tokens
from ..reporter.style import Style, shorten
from ..start.reading_claude import ReadingClaude
from ..views.activity import STARTS, Activity, ActivityLog
from ..views.screen import Screen
from .live_run import is_live
from .options import Display

LOOK_SECONDS = 0.25

LINE_SECONDS = 15.0
"""The time between two lines where no line is redrawn."""

CLOSE_SECONDS = 1.0


@dataclass(frozen=True)
class Look:
    """What a session of Claude does at a moment."""

    call: int
    activity: Activity
    seconds: float

    def words(self, between: str = "  ") -> str:
        """All of it on one line."""
        parts = [shown(self.activity.action or STARTS), duration(self.seconds)]
        if self.activity.turns:
            parts.insert(1, counted(self.activity.turns, "turn"))
        if self.activity.tokens:
            parts.append(tokens(self.activity.tokens // 1000 * 1000))
        if self.call > 1:
            parts.insert(0, f"[{self.call}]")
        return between.join(parts)


class Progress:
    """Shows one session on standard error."""

    def __init__(
        self,
        display: Display,
        style: Style,
        mask: Callable[[str], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.style = style
        self.quiet = display.quiet
        self.screen: Screen | None = None
        if is_live(display):
            self.screen = Screen(
                sys.stderr.fileno(),
                polish=getattr(sys.stderr, "polished", str),
                encoding=sys.stderr.encoding,
            )
        self._mask, self._clock = mask, clock
        self._started = self._said_at = clock()
        self._log: ActivityLog | None = None
        self._said = ""

    def say(self, text: str) -> None:
        """Print a line, above the one that is redrawn."""
        if self.screen is not None:
            self.screen.write(f"{one_line(text)}\n")
        elif not self.quiet:
            print(one_line(text), file=sys.stderr, flush=True)

    async def watch(self, claude: ReadingClaude) -> None:
        """Show what Claude does until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                self.show(claude)
        finally:
            if self.screen is not None:
                self.screen.close(CLOSE_SECONDS)
                self.screen = None

    def show(self, claude: ReadingClaude) -> None:
        """Show what Claude does now."""
        if self._log is None or self._log.path != claude.log:
            self._log = ActivityLog(claude.log, self._mask)
            self._started = self._clock()
        look = Look(claude.number, self._log.read(), self._clock() - self._started)
        if self.screen is not None:
            columns, _ = self.screen.size
            self.screen.show([shorten(look.words(), columns - 1, self.style)])
        elif self._clock() - self._said_at >= LINE_SECONDS and look.activity.action != self._said:
            self._said, self._said_at = look.activity.action, self._clock()
            self.say(look.words(", "))
