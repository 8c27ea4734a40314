"""Lines of exactly the columns that a terminal has: parts that vanish, cells that align."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.frozen import dataclass
from ..reporter.style import Style, columns, shorten

GAP = 2
"""Columns between two cells."""


@dataclass(frozen=True)
class Part:
    """A part of a line, in ``forms`` from the longest to the shortest."""

    forms: tuple[str, ...]
    rank: int
    """The part with the highest rank shrinks and vanishes first."""
    colour: str = ""
    is_kept: bool = False
    """Whether its shortest form stays."""


def fitted(parts: Sequence[Part], width: int, style: Style) -> str:
    """As much of the ``parts`` as fits, in their order, with dots between them."""
    dot = style.pick(" · ", " | ")
    shown = [(part, [form for form in part.forms if form]) for part in parts]
    shown = [(part, forms) for part, forms in shown if forms]
    while _plain_width(shown, dot) > width:
        shrinking = [each for each in shown if len(each[1]) > 1 or not each[0].is_kept]
        if not shrinking:
            return shorten(dot.join(forms[0] for _, forms in shown), width, style)
        last = max(shrinking, key=lambda each: each[0].rank)
        del last[1][0]
        shown = [each for each in shown if each[1]]
    drawn = [(forms[0], part.colour) for part, forms in shown]
    return dot.join(style.paint(form, colour) if colour else form for form, colour in drawn)


def _plain_width(shown: Sequence[tuple[Part, list[str]]], dot: str) -> int:
    return sum(columns(forms[0]) for _, forms in shown) + len(dot) * max(0, len(shown) - 1)


def padded(text: str, width: int) -> str:
    """``text`` with blanks up to ``width`` columns."""
    return text + " " * max(0, width - columns(text))


def right(text: str, width: int) -> str:
    """``text`` at the right of ``width`` columns."""
    return " " * max(0, width - columns(text)) + text
