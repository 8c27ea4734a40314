"""The lines of ``why``: one feature with all details, or a line for each feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.terminal_text import clean, one_line
from ..model.translate import _
from ..model.words import counted
from ..reporter.style import Style, columns, shorten
from .why import Standing, Why

COLOURS = {
    Standing.RUNNING: "cyan",
    Standing.WAITING: "yellow",
    Standing.DUE: "yellow",
    Standing.LEFT_OUT: "yellow",
    Standing.UP_TO_DATE: "green",
    Standing.UNKNOWN: "red",
}

_LINE_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

LONGEST_ID = 30
"""The columns of an id in the list of all features, at most."""


def why_lines(why: Why, style: Style) -> Iterator[str]:
    """Why one feature is not running, what changed, and the commands that change it."""
    first, *rest = clean(why.reason).splitlines() or [""]
    name = style.paint(one_line(why.feature), "bold")
    yield f"{name} {style.paint(first, COLOURS[why.standing])}"
    for line in rest:
        yield f"    {line}"
    for changed in why.changed:
        for line in changed.diff:
            cut = shorten(clean(line).replace("\n", " "), style.width - 4, style)
            colour = _LINE_COLOURS.get(line[:1])
            yield f"    {style.paint(cut, colour) if colour else cut}"
    for command in why.commands:
        yield f"  {style.pick('→', '->')} {one_line(command)}"


def why_table(all: Sequence[Why], style: Style) -> Iterator[str]:
    """A line for each feature that is not up to date, and below it the command that changes that.

    Where the next one has the same command, it is named once, below both.
    """
    shown = [why for why in all if why.standing is not Standing.UP_TO_DATE]
    names = [shorten(one_line(why.feature), LONGEST_ID, style) for why in shown]
    width = max(map(columns, names), default=0)
    commands = [why.commands[0] if why.commands else "" for why in shown]
    for why, name, command, next in zip(shown, names, commands, [*commands[1:], ""]):
        reason = shorten(one_line(why.reason), max(20, style.width - width - 2), style)
        gap = " " * (width - columns(name) + 2)
        yield f"{style.paint(name, 'bold')}{gap}{style.paint(reason, COLOURS[why.standing])}"
        if command not in ("", next):
            yield f"  {style.pick('→', '->')} {one_line(command)}"
    rest = len(all) - len(shown)
    if rest:
        yield _("{features} up to date").format(features=counted(rest, "feature"))
