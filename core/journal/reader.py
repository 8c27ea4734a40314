"""Reads the journal: its lines, their checksums, and the events of both."""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Callable, Iterator

from ..model.errors import UserError
from ..model.lines import MAX_LINE_BYTES
from ..model.patterns import pattern
from ..model.translate import N_
from . import private_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.events import Event

_SUM = pattern(rb',"sum":"([0-9a-f]{8})"\}\n')
_SUM_BYTES = 19
_PARSE = json.JSONDecoder().decode
"""``json.loads`` guesses the encoding of bytes, which takes longer than a short line itself."""
_SUM_REMAINS = pattern(rb'"sum":|:"[0-9a-f]{8}"\}\n\Z')
"""Either half of a checksum, which no line of version 1.0.0 contains."""


def summed(body: bytes) -> bytes:
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
