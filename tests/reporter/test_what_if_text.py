"""The lines of `plan --what-if`."""

from __future__ import annotations

import unittest

from core.dag.what_if import Choice
from core.model.feature import Feature
from core.reporter.what_if_text import what_if_lines
from tests.support.plans import AUTH, plan_of
from tests.support.story import PLAIN


class Lines(unittest.TestCase):
    def test_each_number_has_a_row_and_one_is_enough(self) -> None:
        choices = [Choice(1, 600.0, 1.0), Choice(2, 590.0, 1.02)]
        self.assertEqual(
            list(what_if_lines(plan_of([AUTH]), choices, PLAIN)),
            [
                "SLOTS  TIME    SPEEDUP  COST",
                "1      10m00s  1.00x    ~$1.50",
                "2      9m50s   1.02x    ~$1.50  (now)",
                "",
                "1 slot is enough: 10m00s is within 5 % of the best",
                "  → rorchestrator run --max-parallel 1",
            ],
        )
        lines = list(what_if_lines(plan_of([Feature("a", "a")]), choices[1:], PLAIN))
        self.assertIn("unknown  (now)", lines[1])
        self.assertIn("2 slots are enough", lines[-2])


if __name__ == "__main__":
    unittest.main()
