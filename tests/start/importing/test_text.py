"""An import as it is shown."""

from __future__ import annotations

import unittest

from core.reporter.style import Style
from core.start.importing.merge import Action, Merge, Row
from core.start.importing.text import NOTES, document, import_lines

ROWS = (
    Row(Action.NEW, "a", "T1", "Cart\x1b[2J", tuple("bcdef"), ("npm test",)),
    Row(Action.NEW, "b", "T2", "Page"),
    Row(Action.CHANGED, "c", "T3", "Pay", changed=("name", "prompt"), kept=("tags",)),
    Row(Action.LEFT, "d", "T4", "Same"),
    Row(Action.GONE, "e", "T5", "Gone"),
)


def made(rows: tuple[Row, ...] = ROWS, notes: tuple[str, ...] = ("so",)) -> Merge:
    return Merge(rows, (), (), (), notes)


def lines(merge: Merge, *, verbose: bool = False) -> list[str]:
    return list(import_lines(merge, "IMPORT", Style(colour=False), verbose=verbose))


class Shown(unittest.TestCase):
    def test_what_changes_is_shown_and_the_rest_is_counted(self) -> None:
        expected = [
            "IMPORT",
            "  new      a  Cart",
            "           after b, c, d and 2 more",
            "           check: npm test",
            "  new      b  Page",
            "  changed  c  Pay",
            "           new: name, prompt",
            "           differs in the source, yours stays: tags",
            "  gone     e  Gone",
            "Note: so",
            "2 new, 1 changed, 1 as before, 1 no longer in the source, left in the list",
        ]
        self.assertEqual(lines(made()), expected)
        self.assertIn("  left     d  Same", lines(made(), verbose=True))
        self.assertEqual(lines(made((), ())), ["IMPORT", "Nothing to import."])

    def test_many_notes_are_cut(self) -> None:
        many = made((), tuple(map(str, range(NOTES + 2))))
        self.assertEqual(len(lines(many)), NOTES + 3)
        self.assertIn("Note: --verbose shows 2 more notes.", lines(many))
        self.assertEqual(len(lines(many, verbose=True)), NOTES + 4)

    def test_the_document_has_every_feature(self) -> None:
        found = document(made(), "tasks.md", "spec-kit", "list.json", written=False)
        features = found["features"]
        assert isinstance(features, list)
        self.assertEqual(len(features), 5)
        self.assertEqual(features[0]["depends_on"], list("bcdef"))
        self.assertEqual((found["written"], found["notes"]), (False, ["so"]))
