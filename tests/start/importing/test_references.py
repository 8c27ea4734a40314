"""What a text says that an item depends on."""

from __future__ import annotations

import unittest

from core.start.importing.references import every_issue, issues_in, tasks_in, titles_in


class References(unittest.TestCase):
    def test_tasks_are_found_after_words_of_dependence(self) -> None:
        for text, expected in {
            "(depends on T012, T013)": ["T012", "T013"],
            "Depends on: T001 and T002b.": ["T001", "T002b"],
            "blocked by **T003**, `T004`": ["T003", "T004"],
            "after T005; T006": ["T005", "T006"],
            "requires tasks T007 & T008": ["T007", "T008"],
            "depends on T010-T013": ["T010", "T013", "T011", "T012"],
            "depends on T10 through T12": ["T10", "T12", "T11"],
            "does not depend on T001": [],
            "doesn't depend on T001, no dependency: T002": [],
            "like T001": [],
            "T001 depends on nothing": [],
            "depends on T1 to T9999": ["T1", "T9999", *(f"T{n}" for n in range(2, 201))],
        }.items():
            with self.subTest(text):
                self.assertEqual(list(tasks_in(text)), expected)

    def test_in_prose_only_plain_words_count(self) -> None:
        self.assertEqual(list(tasks_in("checked after T001, needs T002", in_prose=True)), [])
        found = list(tasks_in("**Dependencies**: T001, T002", in_prose=True))
        self.assertEqual(found, ["T001", "T002"])

    def test_issues_are_found_with_their_repositories(self) -> None:
        for text, expected in {
            "Depends on #12, #13 and o/r#4": [("", "12"), ("", "13"), ("o/r", "4")],
            "Blocked by: https://github.com/o/r/issues/5": [("o/r", "5")],
            "Blocked by\n- #6": [],
            "after #7": [],
            "see #8": [],
        }.items():
            with self.subTest(text):
                self.assertEqual(list(issues_in(text)), expected)
        self.assertEqual(list(every_issue("#1 x #2")), [("", "1"), ("", "2")])

    def test_names_are_found_as_they_are_written(self) -> None:
        self.assertEqual(list(titles_in("Cart (depends on: Sign in, `API`)")), ["Sign in", "API"])
        self.assertEqual(list(titles_in("Blocked by Sign in and .")), ["Sign in"])
        self.assertEqual(list(titles_in("Cart (after the API)")), ["the API"])
        self.assertEqual(list(titles_in("Look after it")), [])

    def test_long_texts_are_read_quickly(self) -> None:
        for text in (
            "depends on " * 5_000,
            "depends on T1" + ", T1" * 5_000,
            "after " + " " * 10**5,
        ):
            for _ in tasks_in(text):
                pass
            for _ in issues_in(text):
                pass
            for _ in titles_in(text):
                pass
