"""Predictions: the feature itself, else its tags, else all, else the list's estimate."""

from __future__ import annotations

import unittest

from core.dag.prediction import (
    RECENT,
    Measured,
    Prediction,
    Source,
    measured,
    predictions,
    sum_p90,
)
from core.model.feature import Feature
from core.model.past_runs import PastFeature, PastRun

API = frozenset({"api"})


def feature(id: str, tokens: int | None = None, *tags: str) -> Feature:
    return Feature(id, id, estimated_tokens=tokens, tags=tags)


def took(id: str, seconds: float, usd: float, tags: frozenset[str] = frozenset()) -> Measured:
    return Measured(id, tags, seconds, usd)


def run(*features: PastFeature) -> PastRun:
    return PastRun("r", 1.0, 1.0, 0, "", 1, features)


def past(id: str, seconds: float, usd: float | None, status: str = "completed") -> PastFeature:
    return PastFeature(id, status, seconds, usd, 0, 1)


class Measuring(unittest.TestCase):
    def test_a_feature_takes_what_all_its_runs_took_until_it_completed(self) -> None:
        runs = [
            run(past("a", 10, 1.0, "failed"), past("b", 5, 0.5)),
            run(past("a", 20, 0.5), PastFeature("c", "blocked"), past("d", 9, None)),
            run(past("a", 7, 0.25)),
        ]
        found = [(each.id, each.seconds, each.cost_usd) for each in measured(runs)]
        self.assertEqual(found, [("b", 5, 0.5), ("a", 30, 1.5), ("a", 7, 0.25)])


class Predicting(unittest.TestCase):
    def made(self, given: Feature, *known: Measured) -> Prediction:
        features = {each.id: each for each in (given, feature("x", 100), feature("y", 50, "api"))}
        return predictions(features, known, 30.0)[given.id]

    def test_without_measurements_the_list_decides(self) -> None:
        found = self.made(feature("a", 300))
        self.assertEqual(found, Prediction(2.0, 2.0, 0.009, 0.009, Source.TOKENS, 0))
        self.assertEqual(self.made(feature("a")).seconds, 0.5, "the mean of the others")
        self.assertFalse(found.is_measured or found.is_known_well)

    def test_the_feature_itself_is_best(self) -> None:
        known = [took("a", s, s / 10) for s in (10.0, 20.0, 30.0)]
        found = self.made(feature("a", 300, "api"), *known, took("y", 1.0, 1.0, API))
        self.assertEqual((found.source, found.count), (Source.FEATURE, 3))
        self.assertEqual((found.seconds, found.cost_usd), (20.0, 2.0))
        self.assertAlmostEqual(found.seconds_p90, 28.0)
        self.assertTrue(found.is_measured)
        self.assertFalse(found.is_known_well)

    def test_the_same_tags_come_next_as_the_list_has_them_now(self) -> None:
        known = [took("y", 6.0, 0.6), took("gone", 8.0, 0.8, API), *[took("x", 1.0, 0.1)] * 5]
        found = self.made(feature("a", 300, "api"), *known)
        self.assertEqual((found.source, found.count, found.seconds), (Source.TAGS, 2, 7.0))
        well = self.made(feature("a", None, "api"), *[took("y", 6.0, 0.6)] * 5)
        self.assertTrue(well.is_known_well)

    def test_all_features_are_scaled_by_the_estimates(self) -> None:
        known = [took("x", 50.0, 1.0), took("gone", 8.0, 0.8)]
        found = self.made(feature("a", 300), *known)
        self.assertEqual((found.source, found.count), (Source.ALL, 1))
        self.assertAlmostEqual(found.seconds, 150.0)
        self.assertAlmostEqual(found.cost_p90_usd, 3.0)
        self.assertEqual(self.made(feature("a"), *known).seconds, 29.0)
        self.assertEqual(self.made(feature("a", 300), known[1]).seconds, 8.0)

    def test_old_measurements_are_forgotten(self) -> None:
        known = [took("a", 99.0, 9.0)] * 5 + [took("a", 1.0, 0.1)] * RECENT
        self.assertEqual(self.made(feature("a"), *known).seconds_p90, 1.0)

    def test_spreads_add_up_in_squares(self) -> None:
        self.assertEqual(sum_p90([(1.0, 4.0), (2.0, 6.0)]), 8.0)
        self.assertEqual(sum_p90([]), 0.0)


if __name__ == "__main__":
    unittest.main()
