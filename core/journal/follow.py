"""`Follower`: follows the journal that another process writes, and folds its events.

The file grows. It can also vanish or be replaced (a state folder that was deleted or restored),
or be cut (a torn line, a line that somebody removed by hand).
"""

from __future__ import annotations

import os
from binascii import crc32
from collections import deque
from collections.abc import Iterator

from ..model.errors import UserError
from ..model.events import Event
from ..model.fold import apply, fold
from ..model.state import RunState
from .private_files import only_regular
from .reader import Reader

MOST_DIGITS = 18
"""Of the offset in the name of a position."""

COMPARED_BYTES = 256
"""How much of the file before the offset is compared, to notice that it was rewritten."""


class Follower:
    """Reads what was appended to a journal since the last call. It writes nothing.

    ``state`` is the fold of the events so far. ``restarts`` counts how often the file was
    replaced, cut or deleted: ``state`` began anew each time.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.restarts = 0
        self.state = RunState()
        self._begin()

    def catch_up(self) -> list[Event]:
        """The new events, folded at once: ``state`` is that after the last of them.

        Raises :class:`~core.model.errors.UserError` at a damaged line.
        """
        self._read()
        events = list(self._unfolded)
        self._unfolded.clear()
        self.state = fold(events, self.state)
        return events

    def new_events(self) -> Iterator[Event]:
        """The new events one by one, each folded before it is yielded.

        Raises :class:`~core.model.errors.UserError` at a damaged line.
        """
        self._read()
        while self._unfolded:
            event = self._unfolded.popleft()
            self.state = apply(self.state, event)
            yield event

    @property
    def offset(self) -> int:
        """How many bytes of the journal were read."""
        return self._reader.offset

    @property
    def position(self) -> str:
        """A name for the place up to which the journal was read."""
        return _named(self._reader.offset, self._before)

    def offset_of(self, position: str) -> int | None:
        """How many bytes are before a place, ``None`` unless it is one of this journal."""
        number = position.partition("-")[0]
        is_number = len(number) <= MOST_DIGITS and number.isascii() and number.isdecimal()
        offset = int(number) if is_number else -1
        if not 0 <= offset <= self._reader.offset:
            return None
        return offset if _named(offset, self._bytes_before(offset)) == position else None

    def _begin(self) -> None:
        self.state = RunState()
        self._unfolded: deque[Event] = deque()
        self._reader = Reader(self.path)
        self._file: tuple[int, ...] = ()
        self._seen: tuple[int, ...] = ()
        self._before = b""

    def _read(self) -> None:
        if not self._has_changed():
            return
        try:
            self._unfolded.extend(self._reader.new_events())
        except UserError:
            self._begin()  # The line may be repaired before the next call.
            raise
        self._before = self._bytes_before(self._reader.offset)

    def _has_changed(self) -> bool:
        """Whether there may be new events; starts over if the file is another one."""
        try:
            info = os.stat(self.path)
        except OSError:  # The reader reports anything but a missing file.
            self._start_over_if(self._file != ())
            return True
        file, seen = (info.st_dev, info.st_ino), (info.st_size, info.st_mtime_ns)
        if (file, seen) == (self._file, self._seen):
            return False
        known = self._file
        self._start_over_if(known not in ((), file) or self._has_other_start())
        self._file, self._seen = file, seen
        return True

    def _start_over_if(self, is_other: bool) -> None:
        if is_other:
            self._begin()
            self.restarts += 1

    def _has_other_start(self) -> bool:
        """Whether the lines before the offset changed."""
        return self._bytes_before(self._reader.offset) != self._before

    def _bytes_before(self, end: int) -> bytes:
        """The last bytes before an offset."""
        if not end:
            return b""
        start = max(0, end - COMPARED_BYTES)
        try:
            with open(self.path, "rb", opener=only_regular) as file:
                file.seek(start)
                return file.read(end - start)
        except OSError:
            return b""


def _named(offset: int, before: bytes) -> str:
    return f"{offset}-{crc32(before):08x}"
