"""`ClaudeText`: what Claude printed in an attempt, as readable lines that grow with its log."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator

from ...claude.stream import parse
from ...journal.private_files import only_regular
from ...model.json_values import Json
from ...model.lines import LineSplitter
from ...model.mask import Mask
from ...model.terminal_text import clean, pieces
from ...reporter.stream_text import message_lines
from ...reporter.style import Style

LAST_BYTES = 512 * 1024
"""How much of the end of a log is shown."""

READ_BYTES = 512 * 1024
"""Of one call."""

MOST_LINES = 500
LONGEST_LINE = 8 * 1024 * 1024
MOST_CHARACTERS = 2_000
"""Of a line."""

STYLE = Style(width=400, colour=True)

Line = tuple[tuple[str, str], ...]
"""The parts of a line: the name of a colour, or nothing, and a text."""


class ClaudeText:
    """Follows the log of one attempt. A missing log is an empty one."""

    def __init__(self, path: str, mask: Mask) -> None:
        self.path = path
        self.is_cut = False
        """Whether the beginning is left out."""
        self.lines: deque[Line] = deque(maxlen=MOST_LINES)
        """The last lines."""
        self._mask = mask
        self._offset = -1
        self._splitter = LineSplitter(LONGEST_LINE)

    def read(self) -> list[Line]:
        """The lines that were added since the last call."""
        new: list[Line] = []
        for line in self._splitter.feed(self._chunk()):
            new += self._shown(line)
        self.is_cut = self.is_cut or len(self.lines) + len(new) > MOST_LINES
        self.lines.extend(new)
        return new[-MOST_LINES:]

    def _chunk(self) -> bytes:
        try:
            size = os.stat(self.path).st_size
            if size == self._offset:
                return b""
            with open(self.path, "rb", opener=only_regular) as file:
                if self._offset < 0:
                    self._offset = max(0, size - LAST_BYTES)
                    self.is_cut = self._offset > 0
                    file.seek(self._offset)
                    # Half a line is not readable.
                    self._offset += len(file.readline()) if self._offset else 0
                file.seek(self._offset)
                chunk = file.read(READ_BYTES)
        except OSError:
            return b""
        self._offset += len(chunk)
        return chunk

    def _shown(self, line: bytes) -> Iterator[Line]:
        messages = parse(line)
        for message in messages:
            # Before a long line is cut: the mask does not know half a secret.
            shown = self._mask.tree(message)
            assert isinstance(shown, dict)
            for text in message_lines(shown, STYLE):
                yield tuple((tone, part[:MOST_CHARACTERS]) for tone, part in pieces(text))
        if not messages and line.strip():
            # Not of the stream: the error of a program that could not start.
            said = clean(self._mask(line.decode("utf-8", "replace"))).strip()
            yield (("", said[:MOST_CHARACTERS]),)


def as_json(lines: list[Line]) -> Json:
    """Lines as JSON."""
    return [[[tone, text] for tone, text in line] for line in lines]
