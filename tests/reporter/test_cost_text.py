"""A cost as a word."""

from __future__ import annotations

import unittest

from core.reporter.cost_text import spent
from core.reporter.style import Style


class Costs(unittest.TestCase):
    def test_a_cost_that_can_be_estimated_is_about_that(self) -> None:
        for complete, expected in ((False, "about $2.00"), (True, "$1.00")):
            self.assertEqual(spent(1.0, 2.0, Style(), complete=complete), expected)

    def test_a_cost_that_is_known_in_part_is_at_least_that(self) -> None:
        for style, expected in ((Style(), "≥ $1.00"), (Style(unicode=False), ">= $1.00")):
            self.assertEqual(spent(1.0, None, style, complete=False), expected)


if __name__ == "__main__":
    unittest.main()
