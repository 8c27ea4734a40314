"""An import, shown: as lines, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.terminal_text import one_line
from ..model.words import counted
from ..reporter.style import Style
from .import_merge import Action, Merge, Row

SHOWN = 3
"""Dependencies shown on a line."""

NOTES = 10
"""Notes shown without ``--verbose``."""

COLOURS = {Action.NEW: "green", Action.CHANGED: "yellow", Action.KEPT: "yellow"}

SUMMARY = {
    Action.NEW: "new",
    Action.CHANGED: "changed",
    Action.KEPT: "edited by you and left as they are",
    Action.LEFT: "as before",
    Action.GONE: "no longer in the source, left in the list",
}


def import_lines(made: Merge, title: str, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """The import: each feature that it concerns, then what it decided, then the totals.

    ``verbose`` shows the others as well.
    """
    yield style.paint(one_line(title), "bold")
    for row in made.rows:
        if verbose or row.action is not Action.LEFT:
            yield from _row_lines(row, style)
    for note in made.notes if verbose else made.notes[:NOTES]:
        yield style.paint(f"Note: {one_line(note)}", "dim")
    if len(made.notes) > NOTES and not verbose:
        yield style.paint(f"Note: --verbose shows {len(made.notes) - NOTES} more notes.", "dim")
    counts = [
        (sum(row.action is action for row in made.rows), SUMMARY[action]) for action in Action
    ]
    yield ", ".join(f"{count} {said}" for count, said in counts if count) or "Nothing to import."


def _row_lines(row: Row, style: Style) -> Iterator[str]:
    action = style.paint(f"{row.action.value:7}", COLOURS.get(row.action, "dim"))
    yield f"  {action}  {one_line(row.id)}  {style.paint(one_line(row.name), 'dim')}"
    details = []
    if row.action is Action.NEW:
        if row.depends_on:
            details.append(f"after {_some(row.depends_on)}")
        details += [f"check: {command}" for command in row.verify]
    if row.changed:
        details.append(f"new: {', '.join(row.changed)}")
    if row.kept:
        details.append(f"the source has another {' and '.join(row.kept)}; yours stays")
    for detail in details:
        yield f"           {one_line(detail)}"


def _some(names: Sequence[str]) -> str:
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN])} and {counted(len(names) - SHOWN, 'other')}"


def document(
    made: Merge, file: str, kind: str, list_file: str, *, written: bool
) -> dict[str, object]:
    """The import as a JSON object."""
    return {
        "file": file,
        "kind": kind,
        "list": list_file,
        "written": written,
        "features": [
            {
                "action": row.action.value,
                "id": row.id,
                "key": row.key,
                "name": row.name,
                "depends_on": list(row.depends_on),
                "verify": list(row.verify),
                "changed": list(row.changed),
                "kept": list(row.kept),
            }
            for row in made.rows
        ],
        "notes": list(made.notes),
    }
