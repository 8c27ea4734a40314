"""Colours, glyphs and widths of a terminal; tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..model.frozen import dataclass
from ..model.outcome import Status
from ..model.patterns import pattern
from ..model.terminal_text import painted
from ..model.translate import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


@dataclass(frozen=True)
class Style:
    """What an output stream can show."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, code: str) -> str:
        """``text`` in a colour of :data:`CODES`, if the stream has colours."""
        return painted(text, code) if self.colour and text else text

    def pick(self, glyph: str, ascii: str) -> str:
        """The glyph, or its ASCII form if the stream cannot encode it."""
        return glyph if self.unicode else ascii


GLYPHS = {
    Status.COMPLETED: ("✅", "[ok]", "green"),
    Status.FAILED: ("❌", "[failed]", "red"),
    Status.TIMED_OUT: ("⏰", "[timed out]", "red"),
    Status.EMPTY: ("⭕", "[empty]", "yellow"),
    Status.CONFLICT: ("⚡", "[conflict]", "red"),
    Status.BLOCKED: ("⛔", "[blocked]", "yellow"),
    Status.CANCELLED: ("🛑", "[cancelled]", "yellow"),
    Status.SKIPPED: ("⏭", "[skipped]", "yellow"),
}


def columns(text: str) -> int:
    """The width of ``text`` in a terminal: CJK and emoji take two columns, accents none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    import unicodedata

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def shorten(text: str, width: int, style: Style) -> str:
    """``text`` cut to ``width`` columns; a mark shows the cut."""
    mark = style.pick("…", "...")
    room, fitting = width, 0
    for length, character in enumerate(text, 1):
        room -= columns(character)
        if room < 0:
            return text[:fitting] + mark
        if room >= len(mark):
            fitting = length
    return text


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` columns, broken between words; ``indent``: all but
    the first line begin with it.

    A longer word, such as a path to copy, stays whole. Colours take no room.
    """
    first, *words = text.split(" ")
    lines = [first]
    has_word = bool(first)  # Blanks in front are no place to break.
    for word in words:
        longer = f"{lines[-1]} {word}"
        if has_word and columns(_COLOUR.sub("", longer)) > width:
            lines.append(f"{indent}{word}")
        else:
            lines[-1] = longer
        has_word = has_word or bool(word)
    return lines


_COLOUR = pattern("\x1b\\[[0-9;]*m")


def table_lines(
    rows: Sequence[Sequence[str]], paint: Callable[[int, int, str], str] | None = None
) -> Iterator[str]:
    """Rows in columns as wide as their widest cell; the first row is the heading, and translated.

    ``paint`` colours a cell; it gets the numbers of its row and of its column.
    """
    rows = [list(map(_, rows[0])), *rows[1:]]
    widths = [max(columns(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [paint(number, at, cell) if paint else cell for at, cell in enumerate(row)]
        gaps = [" " * (width - columns(cell)) for cell, width in zip(row, widths)]
        yield "  ".join(cell + gap for cell, gap in zip(cells, gaps)).rstrip()


def table_width(rows: Sequence[Sequence[str]]) -> int:
    """The columns that :func:`table_lines` needs for these rows."""
    rows = [list(map(_, rows[0])), *rows[1:]]
    widths = [max(columns(row[column]) for row in rows) for column in range(len(rows[0]))]
    return sum(widths) + 2 * (len(widths) - 1)


def fitted(
    rows: Sequence[Sequence[str]],
    style: Style,
    least: Mapping[int, int],
    cut: Callable[[str, int, Style], str] = shorten,
) -> list[list[str]]:
    """The rows with shorter cells, so that the table is as wide as ``style``.

    ``least`` says which columns are cut, and the width that they keep anyway; who has most to
    spare gives first.
    """
    excess = table_width(rows) - style.width
    widths = {at: max(columns(row[at]) for row in rows) for at in least}
    for __ in range(excess):
        at = max(least, key=lambda at: widths[at] - least[at])
        if widths[at] <= least[at]:
            break
        widths[at] -= 1
    heading, *rest = map(list, rows)
    for at, width in widths.items():
        for row in rest:
            row[at] = cut(row[at], width, style)
    return [heading, *rest]


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
