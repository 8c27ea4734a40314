"""`Reporter`: prints the events of a run to a terminal, a pipe or as JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress

from ..model import event_json
from ..model.errors import READER_GONE
from ..model.events import Event
from ..model.state import RunState
from ..model.terminal_text import ERASE_LINE
from . import run_text
from .phase_lines import PhaseLines
from .style import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


PROGRESS_SECONDS = 1.0


def style_of(stream: TextIO, color: str = "auto") -> Style:
    """The style of a stream; ``color`` is ``auto``, ``always`` or ``never``."""
    terminal = stream.isatty()
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    colour = color == "always" or (color == "auto" and terminal and not plain)
    return Style(_width(stream) if terminal else 100, colour, _encodes_glyphs(stream))


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _encodes_glyphs(stream: TextIO) -> bool:
    if os.environ.get("LC_ALL") in ("C", "POSIX"):
        return False  # Python writes UTF-8 even then, but the user asked for ASCII.
    try:
        "✅─→".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Reporter:
    """Prints a run on a stream: a line for each change of state.

    On a terminal, the last line shows the progress; :meth:`tick` redraws it. ``lost`` is called
    if a write fails although there is a reader.
    """

    def __init__(
        self,
        stream: TextIO,
        style: Style,
        *,
        quiet: bool = False,
        verbose: bool = False,
        json_stream: TextIO | None = None,
        progress: bool = False,
        clock: Callable[[], float],
        lost: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        self.stream: TextIO | None = stream
        self.style = style
        self.quiet = quiet
        self.verbose = verbose
        self.json_stream = json_stream
        self.progress = progress and not quiet
        self.clock = clock
        self.lost = lost
        self._phases = PhaseLines(style)
        self._state = RunState()
        self._drawn = False

    def on_event(self, state: RunState, event: Event) -> None:
        """Print one event; ``state`` is the state after it."""
        self._state = state
        if self.json_stream is not None:
            line = json.dumps(event_json.to_json(event)) + "\n"
            if not say(self.json_stream, line, self.lost):
                self.json_stream = None
        line = run_text.event_line(state, event, self.style, verbose=self.verbose)
        if not self.progress:
            line = line or self._phases.at_event(state, event)
        if line and not self.quiet:
            self.clear()
            self._say(line + "\n")
            self.tick()

    def tick(self) -> None:
        """Redraw the progress line on a terminal; elsewhere, say which phases take long."""
        if not (self.progress or self.quiet or self.verbose):
            for line in self._phases.slow(self._state, self.clock()):
                self._say(line + "\n")
        if self.progress:
            self.clear()
            line = run_text.progress_line(self._state, self.clock(), self.style)
            self._say(self.style.paint(line, "dim"))
            self._drawn = True

    def clear(self) -> None:
        """Erase the progress line until it is drawn again."""
        if self._drawn:
            self._say(ERASE_LINE)
            self._drawn = False

    def finish(self) -> None:
        """Remove the progress line."""
        self.clear()
        self.progress = False

    def _say(self, words: str) -> None:
        if self.stream is not None and not say(self.stream, words, self.lost):
            self.stream = None


def say(stream: TextIO, words: str, lost: Callable[[OSError], None]) -> bool:
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
