"""What will be done by a deadline."""

from __future__ import annotations

import unittest
from itertools import islice

from core.dag import deadline
from core.dag.deadline import Reachable, reachable
from core.dag.prediction import Prediction, Source
from core.dag.resolver import DAGResolver
from core.model.feature import Feature

CHAIN = DAGResolver(
    [
        Feature("a", "a"),
        Feature("b", "b", depends_on=("a",)),
        Feature("c", "c", depends_on=("b",)),
        Feature("long", "long"),
    ]
)


def known(seconds: float, usd: float, p90: float = 1.1) -> Prediction:
    return Prediction(seconds, seconds * p90, usd, usd * p90, Source.FEATURE, 5)


class ByADeadline(unittest.TestCase):
    def found(self, seconds: float, usd: float | None = None, *, slots: int = 2) -> Reachable:
        predictions = {id: known(100.0, 1.0) for id in "abc"}
        return reachable(CHAIN, {**predictions, "long": known(5000.0, 9.0)}, slots, seconds, usd)

    def test_the_set_grows_with_the_time_and_holds_its_dependencies(self) -> None:
        self.assertEqual(self.found(250.0).features, ("a", "b"))
        self.assertEqual(self.found(350.0).features, ("a", "b", "c"))
        whole = self.found(9000.0)
        self.assertEqual(whole.features, ("a", "b", "c", "long"))
        self.assertEqual((whole.confidence, whole.guessed), (1.0, 0))
        self.assertGreater(whole.seconds_p90, 5000.0)

    def test_money_bounds_it_as_well(self) -> None:
        self.assertEqual(self.found(9000.0, 2.5).features, ("a", "b"))
        self.assertGreater(self.found(9000.0, 2.5).cost_p90_usd, 2.0)

    def test_one_that_hardly_fits_is_named_with_its_confidence(self) -> None:
        found = self.found(100.0)
        self.assertEqual(found.features, ("a",))
        self.assertTrue(0.3 < found.confidence < 0.7, found.confidence)
        self.assertEqual(self.found(10.0).confidence, 0.0)

    def test_without_measurements_the_spread_is_a_guess(self) -> None:
        guess = Prediction(100.0, 100.0, 1.0, 1.0)
        dag = DAGResolver([Feature("a", "a")])
        found = reachable(dag, {"a": guess}, 1, 1000.0)
        self.assertEqual((found.features, found.guessed), (("a",), 1))
        self.assertTrue(130.0 < found.seconds_p90 < 170.0, found.seconds_p90)

    def test_the_numbers_are_those_of_a_normal_distribution(self) -> None:
        numbers = list(islice(deadline._draws(), 2000))
        mean = sum(numbers) / len(numbers)
        variance = sum((number - mean) ** 2 for number in numbers) / len(numbers)
        self.assertTrue(abs(mean) < 0.05, mean)
        self.assertTrue(abs(variance - 1) < 0.1, variance)


if __name__ == "__main__":
    unittest.main()
