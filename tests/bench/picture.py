"""The figures as a picture: a bar for each as a share of its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from .measure import Figure, digits

BAR, LINE, MARGIN, LEFT = 320, 22, 12, 420
"""Pixels: the width of a bar at its limit, the height of a line, the margin, where bars begin."""

WIDEST = 1.9
"""Of the width of its limit; a longer bar is cut."""


def svg(found: Sequence[tuple[str, Figure]]) -> str:
    """An SVG. The dashed line is the limit; the thin line on a bar is the noise."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Sequence[tuple[str, Figure]]) -> Iterator[str]:
    height, at = 2 * MARGIN + LINE * len(found), LEFT + BAR
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + 2 * BAR}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
    )
    yield '<rect width="100%" height="100%" fill="#ffffff"/>'
    for row, (name, each) in enumerate(found):
        yield from _row(MARGIN + LINE * row, name, each)
    yield f'<path d="M{at} {MARGIN}V{height - MARGIN}" stroke="#555" stroke-dasharray="4 3"/>'
    yield "</svg>"


def _row(top: int, name: str, each: Figure) -> Iterator[str]:
    fill = "#2e7d32" if each.is_kept else "#c62828"
    end = _place(each.value, each)
    yield f'<text x="{MARGIN}" y="{top + 14}">{escape(f"{name}: {each.name}"[:64])}</text>'
    size = f'width="{end - LEFT:.0f}" height="14"'
    yield f'<rect x="{LEFT}" y="{top + 3}" {size} fill="{fill}"/>'
    if each.low is not None and each.high is not None:
        low, high = _place(each.low, each), _place(each.high, each)
        yield f'<path d="M{low:.0f} {top + 10}H{high:.0f}" stroke="#222"/>'
        end = max(end, high)
    value = f"{digits(each.value)}{each.unit} of {each.limit:g}{each.unit}"
    yield f'<text x="{end + 4:.0f}" y="{top + 14}">{escape(value)}</text>'


def _place(value: float, each: Figure) -> float:
    return LEFT + min(value / each.limit, WIDEST) * BAR
