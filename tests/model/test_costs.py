"""Costs: what is known, what can be estimated, and rates per model."""

from __future__ import annotations

import unittest

from core.model.costs import Cost, Paid, dollars, estimate


class Costs(unittest.TestCase):
    def test_they_add_up(self) -> None:
        both = Cost(0.5, known=1) + Cost(unknown=1, estimated=1, estimated_usd=0.25)
        self.assertEqual((both.usd, both.about_usd, both.is_complete), (0.5, 0.75, False))

    def test_an_unknown_cost_is_not_nothing(self) -> None:
        self.assertIsNone(Cost(unknown=1).usd)
        self.assertEqual(Cost().usd, 0.0)

    def test_dollars_have_as_many_digits_as_they_need(self) -> None:
        self.assertEqual((dollars(1.5), dollars(0.0042)), ("$1.50", "$0.0042"))

    def test_an_estimate_needs_the_rate_of_every_model(self) -> None:
        rates = {"a": Paid(2.0, 1_000_000)}
        self.assertEqual(estimate({"a": 500_000}, rates), 1.0)
        self.assertIsNone(estimate({"a": 1, "b": 1}, rates))


if __name__ == "__main__":
    unittest.main()
