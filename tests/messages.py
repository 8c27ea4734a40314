"""Brings the French catalogue up to date with the code: ``python3 -m tests.messages``.

New sentences get an empty translation. A sentence that was changed keeps the old one, marked as
fuzzy: correct it in ``core/locale/fr/LC_MESSAGES/rorchestrator.po``, remove ``#, fuzzy``, and run
this again, which compiles the ``.mo`` file too.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

from core.process.language import DOMAIN, FOLDER
from tests.support import po_files
from tests.support.marked_messages import Marked, argparse_messages, marked_messages
from tests.support.po_files import Entry

PATH = os.path.join(FOLDER, "fr", "LC_MESSAGES", DOMAIN)
OF_PYTHON = "argparse.py"
"""Where the sentences of argparse come from; those of other versions of Python are kept."""

CLOSE = 0.8
"""How much a changed sentence must have in common with the old one (difflib's ratio)."""


def entries() -> list[Entry]:
    """What the catalogue has now."""
    with open(f"{PATH}.po", encoding="utf-8") as file:
        return po_files.read(file.read())


def updated(old: Iterable[Entry], marked: Iterable[Marked]) -> list[Entry]:
    """The catalogue with exactly the sentences that are marked."""
    known = {each.text: each for each in old}
    found: dict[str, Entry] = {}
    for each in marked:
        entry = found.setdefault(each.text, Entry(each.text))
        entry.many = entry.many or each.many
        if each.module not in entry.places:
            entry.places.append(each.module)
    for text, before in known.items():
        if OF_PYTHON in before.places:
            entry = found.setdefault(text, Entry(text, before.many))
            entry.places = [*(each for each in entry.places if each != OF_PYTHON), OF_PYTHON]
    gone = [text for text in known if text not in found]
    for text, entry in found.items():
        _translate(entry, known.get(text), known, gone)
    return sorted(found.values(), key=lambda each: (each.places[0], each.text))


def _translate(
    entry: Entry, before: Entry | None, known: dict[str, Entry], gone: list[str]
) -> None:
    if before is not None and bool(before.many) == bool(entry.many):
        entry.said, entry.fuzzy = before.said, before.fuzzy
        return
    near = difflib.get_close_matches(entry.text, gone, 1, CLOSE)
    if near and bool(known[near[0]].many) == bool(entry.many):
        entry.said, entry.fuzzy = known[near[0]].said, True


def main() -> None:
    """Write both files, and say what is left to translate."""
    catalogue = updated(entries(), [*marked_messages(), *argparse_messages()])
    with open(f"{PATH}.po", "w", encoding="utf-8") as source:
        source.write(po_files.written(catalogue))
    with open(f"{PATH}.mo", "wb") as binary:
        binary.write(po_files.compiled(catalogue))
    left = [each for each in catalogue if not each.is_translated]
    for each in left:
        print(f"to translate: {each.text!r}")
    print(f"{len(catalogue)} sentences, {len(left)} to translate")


if __name__ == "__main__":
    main()
