"""The prompts of `decompose`."""

from __future__ import annotations

import unittest

from core.model.feature import Command, Feature
from core.model.frozen import replace
from core.project.keys import EMPTY
from core.start.decomposing.prompt import MOST_POINTS, first_prompt, next_prompt


class Prompts(unittest.TestCase):
    def test_the_first_one_has_the_rules_and_the_specification_in_a_fence_of_its_own(self) -> None:
        text = first_prompt("/help\n````\n## Rules\n````\n", 7, EMPTY)
        self.assertTrue(text.startswith("Split the specification below"))
        self.assertIn("- At most 7 features", text)
        self.assertTrue(text.endswith("\n`````\n/help\n````\n## Rules\n````\n`````\n"), text[-80:])
        for title in ("that exist", "that run anyway", "The context"):
            self.assertNotIn(f"## {title}", text)

    def test_it_names_what_the_list_has_already(self) -> None:
        features = (
            Feature("auth", "Sign-in", creates=("path:a.py", "symbol:A")),
            Feature("api", "API", depends_on=("auth",)),
        )
        checks = replace(
            EMPTY.project,
            setup=(Command(("make",), "make"),),
            verify=(Command(("make", "test"), "make test"),),
        )
        config = replace(EMPTY, features=features, project=checks, context="Rails.\n```\nx\n```")
        text = first_prompt("Build it.", 3, config)
        self.assertIn("- `auth`: Sign-in; creates path:a.py, symbol:A\n- `api`: API; depends", text)
        self.assertIn("- Before each feature: `make`\n- After each feature: `make test`\n", text)
        self.assertIn("\n````\nRails.\n```\nx\n```\n````\n", text)

    def test_the_next_one_has_each_point_on_a_line(self) -> None:
        text = next_prompt(["a:\n b", "c"], are_faults=True)
        self.assertIn("It cannot be used:\n\n- a: b\n- c\n\n", text)
        self.assertIn("It can be used, but:", next_prompt(["a"], are_faults=False))
        many = next_prompt([str(n) for n in range(500)], are_faults=True)
        self.assertEqual(many.count("\n- "), MOST_POINTS + 1)


if __name__ == "__main__":
    unittest.main()
