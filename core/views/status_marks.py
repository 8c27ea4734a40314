"""The mark of a status in a picture: each has a shape and a colour of its own.

A disc is done, a diamond went wrong, a square was stopped or kept from running, a ring is not over.
"""

from __future__ import annotations

from ..model.frozen import dataclass
from ..model.outcome import Status
from ..model.translate import _

_DISC = '<circle cx="8" cy="8" r="7"/>'
_RING = '<circle cx="8" cy="8" r="6" class="hollow"/>'
_DIAMOND = '<path d="M8 .6 15.4 8 8 15.4.6 8Z"/>'
_SQUARE = '<rect x="1.5" y="1.5" width="13" height="13" rx="2.5"/>'


@dataclass(frozen=True)
class Mark:
    """The mark of a status."""

    tone: str
    """Its colour, a class of the style sheet: ``good``, ``bad``, ``warn``, ``idle``, ``live``."""
    drawing: str
    """Its shape as SVG, 16 × 16."""


def _sign(path: str) -> str:
    return f'<path class="sign" d="{path}"/>'


MARKS = {
    Status.COMPLETED: Mark("good", _DISC + _sign("M4.7 8.3 7 10.6 11.3 5.8")),
    Status.FAILED: Mark("bad", _DIAMOND + _sign("M5.8 5.8 10.2 10.2M10.2 5.8 5.8 10.2")),
    Status.TIMED_OUT: Mark("bad", _DIAMOND + _sign("M8 4.8V8.2L10.2 9.8")),
    Status.CONFLICT: Mark("bad", _DIAMOND + _sign("M9 4 6.8 8.2H9.4L7.2 12")),
    Status.EMPTY: Mark("warn", _DIAMOND + _sign("M5.4 8H10.6")),
    Status.BLOCKED: Mark("warn", _SQUARE + _sign("M4.6 8H11.4")),
    Status.CANCELLED: Mark("warn", _SQUARE + _sign("M6 6H10V10H6Z")),
    Status.SKIPPED: Mark("idle", _SQUARE + _sign("M5 5.2 7.8 8 5 10.8M8.4 5.2 11.2 8 8.4 10.8")),
    Status.PENDING: Mark("idle", _RING),
}

ACTIVE = Mark("live", _RING + '<path d="M8 2A6 6 0 0 1 8 14Z"/>')


def mark_of(status: Status) -> Mark:
    """The mark of a status."""
    return MARKS.get(status, ACTIVE)


def symbols() -> str:
    """All marks, to be used by their names: see :func:`mark`."""
    shapes = "".join(
        f'<symbol id="-mark-{status.value}" viewBox="0 0 16 16">{mark_of(status).drawing}</symbol>'
        for status in Status
    )
    return f'<svg class="symbols" aria-hidden="true" width="0" height="0">{shapes}</svg>'


def mark(status: Status, place: str = "") -> str:
    """The mark of a status as SVG; ``place`` has its ``x`` and ``y`` in a larger picture."""
    name, tone = f"#-mark-{status.value}", mark_of(status).tone
    used = f'<use href="{name}" width="16" height="16" class="mark {tone}" {place}/>'
    if place:
        return used
    return (
        f'<svg class="mark {tone}" width="16" height="16" role="img" '
        f'aria-label="{_(status.words)}"><use href="{name}"/></svg>'
    )
