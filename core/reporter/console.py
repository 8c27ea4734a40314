"""`Reporter`: prints the events of a run as lines or as JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress

from ..model import event_json
from ..model.errors import READER_GONE
from ..model.events import Event
from ..model.state import RunState
from . import run_text
from .phase_lines import PhaseLines
from .style import Style, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

STARTS = ("preparing", "setting_up", "attempt_started", "verifying", "committing", "checking")
"""The kinds of events that a live view shows as long as what they begin goes on."""


BELOW_TIME = " " * len("[00:00:00] ")
"""Before the further lines of an event."""


class Printable(Protocol):
    """As much of a text stream as lines need."""

    def write(self, text: str, /) -> int:
        """Write ``text``."""

    def flush(self) -> None:
        """Write what is buffered."""

    def fileno(self) -> int:
        """The descriptor."""


class Reporter:
    """Prints a run on a stream: a line for each change of state.

    ``lost`` is called if a write fails although there is a reader. With ``is_live``, a view shows
    what is being worked on, and there are no lines about starts.
    """

    def __init__(
        self,
        stream: Printable,
        style: Style,
        *,
        quiet: bool = False,
        verbose: bool = False,
        is_live: bool = False,
        json_stream: Printable | None = None,
        clock: Callable[[], float],
        lost: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        self.stream: Printable | None = stream
        self.style = style
        self.quiet = quiet
        self.verbose = verbose
        self.is_live = is_live
        self.json_stream = json_stream
        self.lost = lost
        self.clock = clock
        self._phases = PhaseLines(style)
        self._state = RunState()

    def on_event(self, state: RunState, event: Event) -> None:
        """Print one event; ``state`` is the state after it."""
        self._state = state
        if self.json_stream is not None:
            line = json.dumps(event_json.to_json(event)) + "\n"
            if not say(self.json_stream, line, self.lost):
                self.json_stream = None
        if self.quiet or (self.is_live and event.kind in STARTS and not self.verbose):
            return
        line = run_text.event_line(state, event, self.style, verbose=self.verbose)
        line = self._broken(line) if self.is_live else line or self._phases.at_event(state, event)
        if line:
            self._say(line + "\n")

    def _broken(self, said: str) -> str:
        """An event for a terminal; what a failed command printed stays as it is."""
        first, end, rest = said.partition("\n")
        lines = wrapped(first, self.style.width, indent=BELOW_TIME)
        return "\n".join(lines) + end + rest

    def tick(self) -> None:
        """Say which phases take long, unless a view shows them."""
        if not (self.is_live or self.quiet or self.verbose):
            for line in self._phases.slow(self._state, self.clock()):
                self._say(line + "\n")

    def _say(self, words: str) -> None:
        if self.stream is not None and not say(self.stream, words, self.lost):
            self.stream = None


def say(stream: Printable, words: str, lost: Callable[[OSError], None]) -> bool:
    """Write and flush ``words``; whether that succeeded. After a failure, the stream is discarded.

    A failure does not end a run. ``lost`` is called, unless only the reader is gone.
    """
    try:
        stream.write(words)
        stream.flush()
    except OSError as error:
        # Else the buffered rest fails again when Python exits.
        with suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        if error.errno not in READER_GONE:
            lost(error)
        return False
    return True
