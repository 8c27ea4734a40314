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
from binascii import crc32
from collections.abc import Callable, Iterator

from ..model.errors import UserError, unwritable
from ..model.lines import MAX_LINE_BYTES
from ..model.patterns import pattern
from ..model.translate import N_
from . import private_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.events import Event

CHUNK_BYTES = 65536

_SUM = pattern(rb',"sum":"([0-9a-f]{8})"\}\n')
_SUM_BYTES = 19
_PARSE = json.JSONDecoder().decode
"""``json.loads`` guesses the encoding of bytes, which takes longer than a short line itself."""
_SUM_REMAINS = pattern(rb'"sum":|:"[0-9a-f]{8}"\}\n\Z')
"""Either half of a checksum, which no line of version 1.0.0 contains."""


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

        event = event_json.masked(event, self.mask)
        body = json.dumps(event_json.to_json(event), separators=(",", ":")).encode()
        try:
            _write_through(self._file, _summed(body))
        except OSError as error:
            raise unwritable(self.path, error) from None
        self.on_append(event)
        return event

    def close(self) -> None:
        """Close the journal."""
        os.close(self._file)
        self._file = -1


def _summed(body: bytes) -> bytes:
    """The line of a JSON object, with the checksum as its last key."""
    content = body[: -len(b"}")]
    return b'%b,"sum":"%08x"}\n' % (content, crc32(content))


def _checked(line: bytes) -> bytes:
    """A line without its checksum. Raises ``ValueError`` if that does not match."""
    content, found = line[:-_SUM_BYTES], _SUM.fullmatch(line[-_SUM_BYTES:])
    if found and int(found[1], 16) == crc32(content):
        return content + b"}"
    if _SUM_REMAINS.search(line):
        raise ValueError(N_("the checksum does not match"))
    return line


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


class Reader:
    """Follows a journal: each call returns the events since the last one.

    It begins at ``offset``, the end of the line with the number ``line``. A line that it does not
    ``want`` is neither checked nor parsed.
    """

    def __init__(
        self, path: str, offset: int = 0, line: int = 0, *, want: Callable[[bytes], bool] = bool
    ) -> None:
        self.path = path
        self.offset = offset
        self.line = line
        self._want = want

    def new_events(self) -> Iterator[Event]:
        """The complete events since the last call.

        Raises :class:`UserError` at a damaged line.
        """
        try:
            with open(self.path, "rb", opener=private_files.only_regular) as file:
                from ..model.event_json import from_json

                self._from_json = from_json
                file.seek(self.offset)
                for line in iter(lambda: file.readline(MAX_LINE_BYTES), b""):
                    # An incomplete line may still be cut off: the next call reads it again.
                    if not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES:
                        return
                    event = self._event(line) if self._want(line) else None
                    self.line += 1
                    self.offset += len(line)
                    if event is not None:
                        yield event
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(
                N_("{path} can't be read: {strerror}").format(
                    path=self.path, strerror=error.strerror
                )
            ) from None

    def _event(self, line: bytes) -> Event:
        body = b""
        try:
            if not line.endswith(b"\n"):
                raise ValueError(N_("longer than {mib} MiB").format(mib=MAX_LINE_BYTES >> 20))
            body = _checked(line)
            return self._from_json(_PARSE(body.decode()))
        except (ValueError, RecursionError) as error:
            where = f"{self.path}:{self.line + 1}"
            if body and body != line:  # Its checksum matches, so it is not damaged.
                raise UserError(
                    N_("{where} was written by a newer version of RoRchestrator: {error}").format(
                        where=where, error=error
                    ),
                    hint=N_("update this one (rorchestrator self-update)"),
                ) from None
            raise UserError(
                N_("{where} is damaged: {error}").format(where=where, error=error),
                hint=N_(
                    "back up the file, then delete this line; branches and results are safe in git"
                ),
            ) from None
