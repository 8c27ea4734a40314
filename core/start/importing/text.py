"""An import, shown: as lines, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.excerpt import some
from ...model.terminal_text import one_line
from ...model.translate import N_, _, shown
from ...reporter.style import Style
from .merge import Action, Merge, Row

SHOWN = 3
"""Dependencies shown on a line."""

NOTES = 10
"""Notes shown without ``--verbose``."""

COLOURS = {Action.NEW: "green", Action.CHANGED: "yellow", Action.KEPT: "yellow"}

WORDS = {
    Action.NEW: N_("new"),
    Action.CHANGED: N_("changed"),
    Action.KEPT: N_("kept"),
    Action.LEFT: N_("left"),
    Action.GONE: N_("gone"),
}

SUMMARY = {
    Action.NEW: N_("{count} new"),
    Action.CHANGED: N_("{count} changed"),
    Action.KEPT: N_("{count} edited by you and left as they are"),
    Action.LEFT: N_("{count} as before"),
    Action.GONE: N_("{count} no longer in the source, left in the list"),
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
        yield style.paint(one_line(_("Note: {text}").format(text=shown(note))), "dim")
    if len(made.notes) > NOTES and not verbose:
        more = _("--verbose shows {count} more notes.").format(count=len(made.notes) - NOTES)
        yield style.paint(_("Note: {text}").format(text=more), "dim")
    counts = [(sum(row.action is each for row in made.rows), _(SUMMARY[each])) for each in Action]
    totals = [said.format(count=count) for count, said in counts if count]
    yield ", ".join(totals) or _("Nothing to import.")


def _row_lines(row: Row, style: Style) -> Iterator[str]:
    width = max(len(_(word)) for word in WORDS.values())
    action = style.paint(f"{_(WORDS[row.action]):{width}}", COLOURS.get(row.action, "dim"))
    yield f"  {action}  {one_line(row.id)}  {style.paint(one_line(row.name), 'dim')}"
    details = []
    if row.action is Action.NEW:
        if row.depends_on:
            details.append(_("after {ids}").format(ids=some(row.depends_on, SHOWN)))
        details += [_("check: {command}").format(command=command) for command in row.verify]
    if row.changed:
        details.append(_("new: {keys}").format(keys=", ".join(row.changed)))
    if row.kept:
        said = _("differs in the source, yours stays: {keys}")
        details.append(said.format(keys=", ".join(row.kept)))
    for detail in details:
        yield f"{'':{width + 4}}{one_line(detail)}"


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
