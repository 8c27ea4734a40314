"""Bytes in, whole lines out: the one reader for streams that are followed while they grow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

MAX_LINE_BYTES = 64 * 1024 * 1024
"""A longer line is skipped: it is not worth the memory that it would take."""

LONG_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is held only where its begin says that it is worth it."""

BEGIN_BYTES = 256


class LineSplitter:
    """Splits at ``\\n`` only: ``str.splitlines`` would tear lines at U+0085.

    ``skipped`` counts the lines that were longer than ``limit`` bytes; or longer than ``long``
    and, by their first :data:`BEGIN_BYTES`, not ``worth`` so much memory.
    """

    def __init__(
        self,
        limit: int = MAX_LINE_BYTES,
        *,
        worth: Callable[[bytes], bool] = bool,
        long: int = LONG_LINE_BYTES,
    ) -> None:
        self.limit = limit
        self.worth = worth
        self.long = long
        self.skipped = 0
        self._parts: list[bytes] = []
        self._held = 0
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
        """What stands after the last line end, once, as a line of its own."""
        return self._end_line() if self._held else []

    def _hold(self, piece: bytes) -> None:
        if self._skipping or not piece:
            return
        self._parts.append(piece)
        self._held += len(piece)
        if self._held > self.limit or (self._held > self.long and not self.worth(self._begin())):
            self.skipped += 1
            self._skipping = True
            self._parts.clear()

    def _begin(self) -> bytes:
        return b"".join(part[:BEGIN_BYTES] for part in islice(self._parts, BEGIN_BYTES))[
            :BEGIN_BYTES
        ]

    def _end_line(self) -> list[bytes]:
        lines = [] if self._skipping else [b"".join(self._parts)]
        self._parts.clear()
        self._held = 0
        self._skipping = False
        return lines
