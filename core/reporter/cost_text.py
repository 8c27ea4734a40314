"""A cost as a word: exact, estimated, at least, or unknown."""

from __future__ import annotations

from ..model.translate import _
from ..model.words import money
from .style import Style


def spent(usd: float | None, about_usd: float | None, style: Style, *, complete: bool) -> str:
    """A cost: exact, estimated, at least, or unknown."""
    if not complete and about_usd is not None:
        return _("about {cost}").format(cost=money(about_usd))
    if complete or usd is None:
        return money(usd)
    return style.pick("≥ ", ">= ") + money(usd)
