"""A proposal as text."""

from __future__ import annotations

import unittest

from core.model.frozen import replace
from core.project.keys import EMPTY
from core.reporter.style import Style
from core.start.decomposing.list import Checked, Draft
from core.start.decomposing.target import Target
from core.start.decomposing.text import diff_lines, finding_lines, spent_words
from core.start.list_edit import ListFile
from core.start.reading_claude import Spent

PATH = "/shop/config/feature_list.json"
TARGET = Target(PATH, replace(EMPTY, path=PATH, workspace="/shop"))
DRAFT = Draft(TARGET, "[\n1\n]\n", {"a.md": "Write it.\n"}, EMPTY, ("a",), ("Which port?",))


class Texts(unittest.TestCase):
    def test_new_files_are_shown_whole(self) -> None:
        self.assertEqual(
            list(diff_lines(DRAFT, Style(), "/shop")),
            [
                *("--- /dev/null", "+++ b/config/feature_list.json", "@@ -0,0 +1,3 @@"),
                *("+[", "+1", "+]"),
                *("--- /dev/null", "+++ b/prompts/a.md", "@@ -0,0 +1 @@", "+Write it."),
            ],
        )

    def test_an_existing_list_is_shown_as_it_changes(self) -> None:
        old = replace(DRAFT, target=replace(TARGET, file=ListFile(PATH, b"", "[\n0\n]\n")))
        lines = list(diff_lines(replace(old, prompts={}), Style(colour=True), "/shop"))
        self.assertEqual(lines[0], "\x1b[1m--- a/config/feature_list.json\x1b[0m")
        self.assertEqual(lines[3:], [" [", "\x1b[31m-0\x1b[0m", "\x1b[32m+1\x1b[0m", " ]"])

    def test_what_is_wrong_or_open_is_listed(self) -> None:
        self.assertEqual(list(finding_lines(Checked(replace(DRAFT, questions=())), Style())), [])
        lines = list(finding_lines(Checked(DRAFT, findings=("a:\n1",)), Style()))
        expected = ["1 finding left:", "  a: 1", "The specification leaves open:", "  Which port?"]
        self.assertEqual(lines, expected)
        self.assertEqual(
            list(finding_lines(Checked(None, ("x", "y")), Style())),
            ["2 faults in the answer:", "  x", "  y"],
        )

    def test_what_was_spent_is_said_as_far_as_it_is_known(self) -> None:
        for spent, words in (
            (Spent(0.5, calls=2), "Spent: $0.50 in 2 calls to Claude."),
            (Spent(), "Spent: $0.00 in 0 calls to Claude."),
            (Spent(0.5, is_complete=False, calls=1), "Spent: at least $0.50 in 1 call to Claude."),
            (
                Spent(0.0, is_complete=False, calls=1),
                "Spent: an unknown amount, in 1 call to Claude.",
            ),
        ):
            self.assertEqual(spent_words(spent), words)


if __name__ == "__main__":
    unittest.main()
