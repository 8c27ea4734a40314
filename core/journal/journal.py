"""The journal of a repository: an append-only file of events, each line with a checksum.

``journal.jsonl`` has one event a line. A line counts once its line end is on the disk. An
incomplete last line is cut off at the next start; damage before it is an error. Each line ends
with its checksum (``sum``: CRC-32, eight hexadecimal digits), so that a flipped bit can't turn a
failed feature into a completed one. Lines of version 1.0.0 have none.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable

from ..model.errors import unwritable
from ..model.translate import N_
from . import private_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.events import Event

CHUNK_BYTES = 65536


class Journal:
    """The journal in a state folder. The folder is created at the first write, for this user only.

    ``mask`` removes secrets from the events, because the journal is never deleted.
    """

    def __init__(self, folder: str, mask: Callable[[str], str] = str) -> None:
        self.folder = folder
        self.mask = mask
        self.path = os.path.join(folder, "journal.jsonl")
        self.on_append: Callable[[Event], None] = lambda event: None
        """Told each event that was written."""
        self._file = -1

    def read(self) -> list[Event]:
        """All events; an incomplete last line is ignored.

        Raises :class:`UserError` if another line is damaged.
        """
        from .reader import Reader

        return list(Reader(self.path).new_events())

    def open(self) -> str:
        """Open the journal to append, under the lock; a sentence if a torn line was cut off."""
        try:
            private_files.make_folder(self.folder)
            os.chmod(self.folder, 0o700)
            self._file = private_files.open_file(self.path, os.O_RDWR | os.O_APPEND)
            return self._repair()
        except OSError as error:
            raise unwritable(self.path, error) from None

    def _repair(self) -> str:
        size = os.fstat(self._file).st_size
        whole = _end_of_last_line(self._file, size)
        if whole == size:
            return ""
        os.ftruncate(self._file, whole)
        return N_("{path}: cut off {count} bytes of an incomplete event").format(
            path=self.path, count=size - whole
        )

    def append(self, event: Event) -> Event:
        """Write an event through to the disk; returns it as written, with secrets masked.

        Raises :class:`StateError` if the disk is full or the folder is not writable. The journal
        is then unchanged.
        """
        from ..model import event_json
        from .reader import summed

        event = event_json.masked(event, self.mask)
        body = json.dumps(event_json.to_json(event), separators=(",", ":")).encode()
        try:
            _write_through(self._file, summed(body))
        except OSError as error:
            raise unwritable(self.path, error) from None
        self.on_append(event)
        return event

    def close(self) -> None:
        """Close the journal."""
        os.close(self._file)
        self._file = -1


def _write_through(file: int, line: bytes) -> None:
    info = os.fstat(file)
    if not info.st_nlink:
        # A deleted file is gone once the process ends.
        raise FileNotFoundError(errno.ENOENT, N_("it was deleted"))
    size = info.st_size
    try:
        if os.write(file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    except OSError:
        os.ftruncate(file, size)
        raise


def _end_of_last_line(file: int, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - CHUNK_BYTES)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
