"""Other numbers of slots."""

from __future__ import annotations

import unittest

from core.dag.resolver import DAGResolver
from core.dag.what_if import Choice, choices, enough
from core.model.feature import Feature


class WhatIf(unittest.TestCase):
    def made(self, *seconds: float, needs: str = "") -> list[Choice]:
        features = [Feature(str(n), str(n), depends_on=tuple(needs)) for n in range(len(seconds))]
        features = [f if f.id != "0" else Feature("0", "0") for f in features]
        given = {str(n): each for n, each in enumerate(seconds)}
        return choices(DAGResolver(features), given)

    def test_each_number_is_tried_until_more_changes_nothing(self) -> None:
        found = self.made(10.0, 10.0, 10.0, 10.0)
        expected = [Choice(1, 40.0, 1.0), Choice(2, 20.0, 2.0), Choice(3, 20.0, 2.0)]
        self.assertEqual(found, [*expected, Choice(4, 10.0, 4.0)])
        self.assertEqual(self.made(30.0, 10.0, 10.0)[-1], Choice(2, 30.0, 50 / 30))

    def test_a_chain_needs_one_slot(self) -> None:
        found = self.made(10.0, 10.0, needs="0")
        self.assertEqual(found, [Choice(1, 20.0, 1.0)])
        self.assertEqual(self.made(), [Choice(1, 0.0, 1.0)])

    def test_the_fewest_slots_that_are_nearly_as_fast_are_enough(self) -> None:
        given = [Choice(1, 40.0, 1.0), Choice(2, 20.5, 1.95), Choice(3, 20.0, 2.0)]
        self.assertEqual(enough(given).slots, 2)
        self.assertEqual(enough([Choice(1, 0.0, 1.0)]).slots, 1)

    def test_long_lists_are_tried_with_fewer_numbers(self) -> None:
        found = self.made(*[1.0] * 100)
        self.assertEqual([each.slots for each in found[14:]], [15, 16, 24, 32, 48, 64])


if __name__ == "__main__":
    unittest.main()
