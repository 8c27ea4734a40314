"""Sums of costs, and costs as words."""

from __future__ import annotations

import unittest

from core.model.costs import Cost, dollars, total_usd


class Costs(unittest.TestCase):
    def test_they_add_up(self) -> None:
        both = Cost(0.5, known=1) + Cost(unknown=1, estimated=1, estimated_usd=0.25)
        self.assertEqual((both.usd, both.about_usd, both.is_complete), (0.5, 0.75, False))

    def test_an_unknown_cost_is_not_nothing(self) -> None:
        self.assertIsNone(Cost(unknown=1).usd)
        self.assertEqual(Cost().usd, 0.0)

    def test_dollars_have_as_many_digits_as_they_need(self) -> None:
        self.assertEqual((dollars(1.5), dollars(0.0042)), ("$1.50", "$0.0042"))

    def test_a_sum_with_an_unknown_cost_is_unknown(self) -> None:
        self.assertEqual(total_usd([]), 0.0)
        self.assertEqual(total_usd([0.5, 0.0, 0.25]), 0.75)
        self.assertIsNone(total_usd([0.5, None]))


if __name__ == "__main__":
    unittest.main()
