"""`Screen`: lines that scroll away on a terminal, above a block that is redrawn in place.

A terminal that takes no more, for example after Ctrl-S, does not block the run: the view waits.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..model.errors import READER_GONE
from . import terminal_codes as codes

MOST_WAITING = 1024 * 1024
"""Bytes that wait for a terminal that takes none. What comes then is not shown."""

_COLOUR = re.compile(r"\x1b\[\d*m")


class Screen:
    """The terminal at a descriptor. ``polish`` masks and cleans a text.

    ``lost`` is called if a write fails although there is a reader.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        polish: Callable[[str], str] = str,
        encoding: str = "utf-8",
        lost: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        self.descriptor = descriptor
        self.is_gone = False
        """Whether nothing can be written any more."""
        self._polish, self._encoding, self._lost = polish, encoding, lost
        self._own = _reopened(descriptor)
        self._waiting = b""
        self._begun = ""
        """A line without its end."""
        self._asked: Sequence[str] = ()
        """The lines of the block as they were given."""
        self._block: list[str] = []
        """The same, as they were written."""
        self._drawn_width = 0
        self._decoration = ""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal now."""
        try:
            size = os.get_terminal_size(self.descriptor)
        except OSError:
            return 80, 24
        return size.columns or 80, size.lines or 24

    @property
    def is_ours(self) -> bool:
        """Whether this process is in the foreground, or the terminal has no job control."""
        try:
            return os.tcgetpgrp(self.descriptor) == os.getpgrp()
        except OSError:
            return True

    def flush(self) -> bool:
        """Write what waits; whether all of it is written."""
        try:
            while self._waiting and not self.is_gone:
                if self._own == self.descriptor and not _takes_more(self._own):
                    return False
                self._waiting = self._waiting[os.write(self._own, self._waiting) :]
        except BlockingIOError:
            return False
        except OSError as error:
            self.is_gone, self._waiting = True, b""
            if error.errno not in READER_GONE:
                self._lost(error)
        return True

    def write(self, text: str) -> None:
        """Print lines that scroll away. They go above the block, which stays."""
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            body = self._polish("\n".join(lines)) + "\n"
            self._put(self._above() + body + codes.block(self._block))

    def show(self, lines: Sequence[str], decoration: str = "") -> None:
        """Draw the block anew if it has changed; ``decoration`` are title and progress."""
        if (lines, decoration) == (self._asked, self._decoration) or not self.flush():
            return
        before = codes.up(self._rows())
        new = "" if decoration == self._decoration else decoration
        self._asked, self._decoration = lines, decoration
        self._block = self._polish("\n".join(lines)).split("\n") if lines else []
        self._drawn_width = self.size[0]
        self._put(before + codes.block(self._block) + new)

    def clear(self) -> None:
        """Take the block away."""
        if self._block:
            self._put(self._above())
        self.forget()

    def forget(self) -> None:
        """Leave the block where it is, as lines like any others."""
        self._asked, self._block = (), []

    def control(self, sequence: str) -> None:
        """Write a control sequence that moves nothing; the decoration is new after it."""
        self._decoration = ""
        self._put(sequence)

    def close(self, seconds: float) -> None:
        """Erase the block and write what is waiting; wait at most this long for the terminal."""
        self.clear()
        deadline = time.monotonic() + seconds
        while not self.flush() and time.monotonic() < deadline:
            select.select([], [self._own], [], max(0.0, deadline - time.monotonic()))
        self.is_gone = True
        if self._own != self.descriptor:
            os.close(self._own)

    def _above(self) -> str:
        """To where the block began, with everything from there erased."""
        return codes.up(self._rows()) + codes.ERASE_BELOW if self._block else ""

    def _rows(self) -> int:
        columns, lines = self.size
        rows = len(self._block)
        if columns < self._drawn_width:
            plain = [_COLOUR.sub("", line) for line in self._block]
            rows = codes.rows_of(plain, columns)
        return min(rows, lines - 1)

    def _put(self, text: str) -> None:
        if not self.is_gone and len(self._waiting) < MOST_WAITING:
            self._waiting += text.encode(self._encoding, "backslashreplace")
            self.flush()


def _reopened(descriptor: int) -> int:
    """The terminal, opened once more so as not to block: the flag would be the shell's as well."""
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(descriptor), flags)
    return descriptor


def _takes_more(descriptor: int) -> bool:
    return bool(select.select([], [descriptor], [], 0)[1])
