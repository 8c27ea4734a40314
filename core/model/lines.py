"""Splits a growing stream of bytes into whole lines, with a limit on their length."""

from __future__ import annotations

MAX_LINE_BYTES = 64 * 1024 * 1024
"""A longer line is skipped, because reading it would take too much memory."""


class LineSplitter:
    """Splits at ``\\n`` only: ``str.splitlines`` would also split at U+0085.

    ``skipped`` counts the lines longer than ``limit`` bytes.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self.limit = limit
        self.skipped = 0
        self._line = bytearray()
        self._skipping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` completes, without their line ends."""
        *ended, begun = chunk.split(b"\n")
        lines = []
        for piece in ended:
            self._hold(piece)
            lines.extend(self._end_line())
        self._hold(begun)
        return lines

    def rest(self) -> list[bytes]:
        """The incomplete last line, if there is one. A second call returns nothing."""
        return self._end_line() if self._line or self._skipping else []

    def _hold(self, piece: bytes) -> None:
        if self._skipping:
            return
        self._line += piece
        if len(self._line) > self.limit:
            self.skipped += 1
            self._skipping = True
            self._line = bytearray()

    def _end_line(self) -> list[bytes]:
        lines = [] if self._skipping else [bytes(self._line)]
        self._line.clear()
        self._skipping = False
        return lines
