"""The plan of a changed list for a run in progress, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..dag.list_change import ListChange
from ..model.json_values import Json
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import headed
from .style import Style


def reload_lines(change: ListChange, style: Style) -> Iterator[str]:
    """What the run would take up, group by group."""
    if change.is_empty:
        yield _("The run already follows this list.")
    yield from _named(_("Joins the run"), change.joins, style)
    if change.everywhere:
        what = headed(_("Every prompt from now on"), ", ".join(change.everywhere))
        yield _strong(style, what)
    changed = {id: ", ".join(keys) for id, keys in change.follows.items()}
    yield from _reasoned(_("Follows its new entry"), changed, style)
    yield from _reasoned(_("Leaves the run"), change.goes, style)
    yield from _named(_("Left alone, although it is gone from the list"), change.stays, style)
    title = _("Out of date: not run again by this run; the next run does")
    yield from _reasoned(title, change.out_of_date, style)
    yield from _named(_("Up to date again"), change.up_to_date, style)
    yield from _reasoned(_("Does not join"), change.left_out, style)
    if change.widenings:
        yield _strong(style, headed(_("Needs your consent"), ""))
        for each in change.widenings:
            yield f"  {one_line(shown(each.text))}"
    if change.later:
        what = ", ".join(change.later)
        yield headed(_("Takes effect with the next run, not with this one"), what)


def _strong(style: Style, text: str) -> str:
    return style.paint(one_line(text), "bold")


def _named(title: str, ids: Collection[str], style: Style) -> Iterator[str]:
    if ids:
        yield _strong(style, headed(title, ", ".join(ids)))


def _reasoned(title: str, reasons: Mapping[str, str], style: Style) -> Iterator[str]:
    if reasons:
        yield _strong(style, headed(title, ""))
    for id, reason in reasons.items():
        yield "  " + one_line(headed(id, shown(reason)))


def reload_document(change: ListChange) -> dict[str, Json]:
    """The change for ``--json``."""
    return {
        "joins": list(change.joins),
        "follows": {id: list(keys) for id, keys in change.follows.items()},
        "every_prompt": list(change.everywhere),
        "goes": dict(change.goes),
        "stays": list(change.stays),
        "out_of_date": dict(change.out_of_date),
        "up_to_date": list(change.up_to_date),
        "left_out": dict(change.left_out),
        "needs_consent": [
            {"feature": each.feature, "text": each.text} for each in change.widenings
        ],
        "next_run": list(change.later),
    }
