"""The prompt and the keys of an imported feature."""

from __future__ import annotations

import unittest

from core.start.importing.items import Item
from core.start.importing.prompt import OTHERS, keys_of, prompt_of


class Prompt(unittest.TestCase):
    def test_it_has_everything_that_the_source_says(self) -> None:
        item = Item("T1", "Cart", "Fill it.", ("it is full", "Run `npm test`"))
        criteria = "## It is done when\n\n- it is full\n- Run `npm test`"
        parts = ["# Cart", "Fill it.", criteria, f"This is T1 of a larger plan. {OTHERS}"]
        self.assertEqual(prompt_of(item), "\n\n".join(parts) + "\n")
        self.assertEqual(prompt_of(Item("T1", "Cart")).count("\n\n"), 1)

    def test_a_check_that_the_project_does_not_have_becomes_one_of_the_feature(self) -> None:
        item = Item(
            "T1", "Cart", "Run `npm run lint`", ("Run `npm test`",), tags=("x",), priority=0
        )
        expected = {
            "name": "Cart",
            "tags": ["x"],
            "depends_on": ["a"],
            "priority": 0,
            "verify": ["npm run lint"],
        }
        self.assertEqual(keys_of(item, ["a"], ["npm test"]), expected)
        self.assertEqual(keys_of(Item("T1", "Cart"), [], []), {"name": "Cart"})
