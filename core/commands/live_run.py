"""How a run is shown while features run: plain lines, or the live view above them."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..journal.control import Requests
from ..model.ci_systems import obeys_lines
from ..model.control_action import ControlAction
from ..model.errors import UserError
from ..model.state import RunState
from ..model.terminal_text import one_line
from ..model.translate import _
from ..orchestrator.one_run import OneRun
from ..reporter.console import Printable
from ..reporter.style import Style
from ..views.above import Above
from ..views.activities import Activities
from ..views.attendant import Attendant
from ..views.keyboard import Keyboard
from ..views.live import Facts
from ..views.live_view import SUSPENDED, LiveView, told
from ..views.screen import Screen
from .options import Display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from ..process.supervisor import Supervisor

NO_CI = ("", "0", "false")
"""Values of ``CI`` that mean that it is not set."""

TICK_SECONDS = 1.0


def is_live(display: Display) -> bool:
    """Whether ``--progress`` means the live view here."""
    if display.quiet or display.progress == "plain" or not sys.stderr.isatty():
        return False
    if obeys_lines(os.environ):
        return False  # A screen writes past the door that keeps its commands out.
    if display.progress == "live":
        return True
    is_dumb = os.environ.get("TERM") == "dumb" or os.environ.get("CI", "") not in NO_CI
    # What reads our JSON from a pipe may print on the same terminal, and would be overwritten.
    return not is_dumb and not (display.json and _is_pipe(sys.stdout))


def _is_pipe(stream: TextIO) -> bool:
    with suppress(OSError):
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    return False


def _same_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is the terminal of standard error."""
    with suppress(OSError, AttributeError, ValueError):
        return os.ttyname(stream.fileno()) == os.ttyname(sys.stderr.fileno())  # type: ignore[union-attr]
    return False


async def _ticking(ticks: Sequence[Callable[[], None]]) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        for tick in ticks:
            tick()


class Streams:
    """Standard output and error while a view may be drawn."""

    def __init__(self) -> None:
        self.err = Above(sys.stderr)
        self._out = Above(sys.stdout) if _same_terminal(sys.stdout) else None

    @property
    def out(self) -> Printable:
        """Standard output."""
        return self._out or sys.stdout

    def draw_on(self, screen: Screen) -> None:
        """From now on, everything goes above the block of ``screen``."""
        for stream in filter(None, (self.err, self._out)):
            stream.screen = screen


class LiveRun:
    """The live view of one run, if there is one; SIGUSR1 in any case.

    ``run`` gives the run once it exists. For a run of another process, ``ask`` asks it to pause or
    to resume, ``facts`` are what the state does not have, ``supervisor`` restores the terminal
    after a SIGKILL, ``suspended`` is what is printed at Ctrl-Z. Without ``run`` and ``ask``, as in
    a rehearsal, there are no keys.
    """

    def __init__(
        self,
        streams: Streams,
        display: Display,
        style: Style,
        say: Callable[[str], None],
        *,
        mask: Callable[[str], str],
        name: str,
        run: Callable[[], OneRun] | None = None,
        ask: Callable[[ControlAction], None] | None = None,
        facts: Callable[[], Facts] = Facts,
        supervisor: Callable[[], Supervisor | None] = lambda: None,
        suspended: str = SUSPENDED,
        lost: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        self.streams, self.style, self.say = streams, style, say
        self.mask, self.name, self.run, self.lost = mask, name, run, lost
        self.ask, self.facts, self.suspended = ask, facts, suspended
        self.supervisor = supervisor
        if run is not None:
            self.ask, self.supervisor = self._ask, lambda: run().supervisor
        self.is_live = is_live(display)
        self.attendant = Attendant(self._view, self._tell, self._broke)

    async def watch(self, *ticks: Callable[[], None]) -> None:
        """Show the run until cancelled; ``ticks`` are called about once a second."""
        await asyncio.gather(self.attendant.watch(), _ticking(ticks))

    def _view(self) -> LiveView | None:
        if not self.is_live:
            return None
        screen = Screen(
            sys.stderr.fileno(),
            polish=getattr(sys.stderr, "polished", str),
            encoding=sys.stderr.encoding,
            lost=self.lost,
        )
        self.streams.draw_on(screen)
        has_keys = self.ask is not None and _same_terminal(sys.stdin)
        return LiveView(
            screen,
            self.style,
            keyboard=Keyboard(sys.stdin.fileno()) if has_keys else None,
            activities=Activities(self.mask),
            facts=self._facts,
            pause=self._pause if has_keys else None,
            hold=self._hold,
            name=self.mask(self.name),
            suspended=self.suspended,
        )

    def _facts(self) -> Facts:
        if self.run is None:
            return self.facts()
        run = self.run()
        return Facts(
            cap_usd=run.budget.cap_usd,
            learned_runs=run.forecast.runs,
            is_stopping=run.stop is not None and run.stop.is_set(),
            complete=getattr(sys.stderr, "completed", str),
        )

    def _ask(self, action: ControlAction) -> None:
        assert self.run is not None
        run = self.run()
        Requests(run.project.journal.folder).leave(run.run_id, action)

    def _pause(self, pause: bool) -> None:
        """Ask the run, as ``rorchestrator pause`` and ``resume`` do."""
        assert self.ask is not None
        try:
            self.ask(ControlAction.PAUSE if pause else ControlAction.RESUME)
        except UserError as error:
            self.say(one_line(error.message))

    def _hold(self, keyboard: Keyboard | None, closing: str) -> None:
        supervisor = self.supervisor()
        if supervisor is not None:
            before, ours = (keyboard.before, keyboard.ours) if keyboard is not None else ([], [])
            supervisor.hold_terminal(before or [], ours or [], closing)

    def _tell(self, state: RunState) -> None:
        view = self.attendant.view
        if view is not None:
            view.tell()
        else:
            seen = Activities(self.mask).read(state)
            self.say("\n".join(told(state, time.time(), self.style, seen)))

    def _broke(self, error: Exception) -> None:
        self.say(
            one_line(
                _("the live view is off: {name}: {error}").format(
                    name=type(error).__name__, error=error
                )
            )
        )
