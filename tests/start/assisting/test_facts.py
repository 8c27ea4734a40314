"""The facts of a list: entries of contracts, owners, makers, written files."""

from __future__ import annotations

import unittest

from core.start.assisting.facts import Entry, entry, pairs_in_order
from tests.support.dependencies import facts_of, one


class FactsTest(unittest.TestCase):
    def test_an_entry_names_a_path_a_symbol_a_command_or_something_in_words(self) -> None:
        for text, expected in (
            ("path:./src/a.py", Entry("path:./src/a.py", "src/a.py", True, True)),
            ("symbol:Task", Entry("symbol:Task", "Task", False, True)),
            ("command:make", Entry("command:make", "command:make", False, True, True)),
            ("src/a.py", Entry("src/a.py", "src/a.py", True, False)),
            (" the login page ", Entry(" the login page ", "the login page", False, False)),
        ):
            self.assertEqual(entry(text), expected)

    def test_the_owner_of_a_path_creates_it_or_a_folder_or_a_pattern_around_it(self) -> None:
        facts = facts_of(
            one("a", creates=["path:src/a.py", "path:src/views/"]),
            one("b", creates=["path:src/api", "path:db/*_tables.rb", "path:src/a.py"]),
        )
        for what, expected in (
            ("src/a.py", ["a", "b"]),
            ("src/views/x/y.html", ["a"]),
            ("src/views", ["a"]),
            ("src/api/users.py", ["b"]),
            ("db/1_tables.rb", ["b"]),
            ("src/other.py", []),
            ("Task", []),
        ):
            self.assertEqual(facts.owners(what), expected, what)

    def test_makers_are_those_who_make_what_the_base_lacks(self) -> None:
        facts = facts_of(
            one("a", prompt="Add `src/a.py` with class `Auth`.", creates=["symbol:User", "words"]),
            one("b", prompt="Extend `src/old.py`.", creates=["command:make", "Gs1::Gtin"]),
            paths={"src", "src/old.py"},
            defined={"Old"},
        )
        self.assertEqual(
            facts.makers, {"User": ["a"], "src/a.py": ["a"], "Auth": ["a"], "Gs1::Gtin": ["b"]}
        )
        self.assertEqual(facts.owners_of_made("Auth"), ["a"])
        self.assertTrue(facts.is_on_base("src/"))
        self.assertTrue(facts.is_on_base("Old"))

    def test_written_files_come_from_prompt_contracts_and_past_branches(self) -> None:
        facts = facts_of(
            one("a", prompt="Add `src/a.py`.", creates=["path:src/b.py", "path:src/c/"]),
            touched={"a": {"src/d.py"}},
        )
        self.assertEqual(
            facts.written("a"),
            {
                "src/a.py": "its prompt writes",
                "src/b.py": "it creates",
                "src/d.py": "its branch changed",
            },
        )

    def test_pairs_are_each_with_the_next(self) -> None:
        self.assertEqual(list(pairs_in_order("abc")), [("a", "b"), ("b", "c")])
