"""Past runs, their sums, medians and the accuracy of what was expected of them."""

from __future__ import annotations

import json
import unittest

from core.model import past_runs
from core.model.fold import fold
from core.model.past_runs import PastFeature, PastRun, accuracies, quantile, total, totals
from core.model.provenance import Estimate, Provenance
from tests.support.run_views import begun
from tests.support.story import STORY

EXPECTED = Estimate(20.0, 0.25)


def past(id: str, seconds: float = 10.0, usd: float | None = 0.5, **more: object) -> PastFeature:
    given = {"status": "completed", "attempts": 1, "estimate": EXPECTED, **more}
    return PastFeature(id, seconds=seconds, cost_usd=usd, **given)  # type: ignore[arg-type]


def run(*features: PastFeature, seconds: float = 10.0, estimated: float | None = 20.0) -> PastRun:
    return PastRun("r1", 1.0, seconds, 0, "list.json", 2, features, estimated)


class OfEvents(unittest.TestCase):
    def test_a_run_is_told_in_short(self) -> None:
        found = past_runs.past_run(fold(STORY), 0.0)
        self.assertEqual((found.seconds, found.exit_code, found.slots), (5.0, 1, 2))
        auth, api, app = found.features
        expected = PastFeature("auth", "completed", 2.0, 0.5, 10, 1)
        self.assertEqual(auth, expected)
        self.assertEqual((api.status, api.attempts, api.cost_usd), ("failed", 2, None))
        self.assertEqual(app, PastFeature("app", "blocked"))
        self.assertEqual((found.completed, found.cost_usd, found.speedup), (1, None, 1.2))
        self.assertIsNone(found.estimated_usd)

    def test_a_run_that_only_began_lasts_until_its_last_event(self) -> None:
        given = Provenance(
            estimates={"auth": EXPECTED}, estimated_seconds=30.0, tags={"auth": ("core",)}
        )
        event = begun(["auth"], given)
        found = past_runs.past_run(fold([event]), event.at + 7)
        self.assertEqual((found.seconds, found.exit_code), (7.0, None))
        pending = PastFeature("auth", "pending", tags=("core",), estimate=EXPECTED)
        self.assertEqual(found.features, (pending,))
        self.assertEqual((found.estimated_seconds, found.estimated_usd), (30.0, 0.25))

    def test_it_comes_back_from_its_file(self) -> None:
        for given in (past_runs.past_run(fold(STORY), 0.0), run(past("a", tags=("x", "y")))):
            text = json.dumps(past_runs.to_json(given))
            self.assertEqual(past_runs.from_json(json.loads(text)), given)

    def test_a_run_without_time_has_no_speedup(self) -> None:
        self.assertEqual(run(seconds=0.0).speedup, 1.0)


class Sums(unittest.TestCase):
    def test_medians_are_those_of_what_completed(self) -> None:
        found = total(
            "auth",
            [
                past("auth", 10.0, 1.0),
                past("auth", 30.0, 2.0),
                past("auth", 99.0, None),
                past("auth", 1.0, 4.0, status="failed"),
                past("auth", 0.0, 0.0, status="blocked", attempts=0),
            ],
        )
        expected = past_runs.Total("auth", 4, 3, 30.0, 1.5, 7.0, 1)
        self.assertEqual(found, expected)
        self.assertEqual(found.to_json()["median_usd"], 1.5)

    def test_sums_are_by_any_name(self) -> None:
        runs = [run(past("a", tags=("x", "y")), past("b", attempts=0)), run(past("a", tags=("x",)))]
        by_id = totals(runs, lambda run, feature: [feature.id])
        self.assertEqual([(each.name, each.runs, each.cost_usd) for each in by_id], [("a", 2, 1.0)])
        by_tag = totals(runs, lambda run, feature: feature.tags)
        self.assertEqual([(each.name, each.runs) for each in by_tag], [("x", 2), ("y", 1)])

    def test_quantiles_are_interpolated(self) -> None:
        self.assertEqual(quantile([4.0], 0.9), 4.0)
        self.assertEqual(quantile([1.0, 2.0, 4.0], 0.5), 2.0)
        self.assertAlmostEqual(quantile([1.0, 2.0, 4.0], 0.9), 3.6)
        self.assertEqual(quantile([2.0, 1.0], 1.0), 2.0)


class Accurate(unittest.TestCase):
    def test_the_error_is_relative_to_what_came(self) -> None:
        runs = [
            run(past("a"), past("b", 40.0, 0.25)),
            run(past("a"), past("b", status="failed")),
            run(past("a", usd=None), estimated=None),
        ]
        found = {each.of: (each.error, each.count) for each in accuracies(runs)}
        self.assertEqual(
            found,
            {
                "time of a run": (1.0, 1),
                "cost of a run": (1 / 3, 1),
                "time of a feature": (1.0, 4),
                "cost of a feature": (0.5, 3),
            },
        )
        self.assertEqual(accuracies([])[0].to_json()["error"], None)


class AsJson(unittest.TestCase):
    def test_programs_get_every_fact(self) -> None:
        [found] = past_runs.document([run(past("a", tags=("x",)), past("b", estimate=None))])
        self.assertEqual((found["total"], found["cost_usd"], found["speedup"]), (2, 1.0, 2.0))
        features = found["features"]
        assert isinstance(features, list)
        self.assertEqual(features[0]["tags"], ["x"])
        self.assertEqual(features[0]["estimate"], {"seconds": 20.0, "cost_usd": 0.25})
        self.assertIsNone(features[1]["estimate"])

    def test_sums_of_money_have_six_decimals(self) -> None:
        thirds = [past(id, usd=0.1, estimate=Estimate(1.0, 0.1)) for id in "abc"]
        [found] = past_runs.document([run(*thirds)])
        self.assertEqual((found["cost_usd"], found["estimated_usd"]), (0.3, 0.3))
        self.assertEqual(total("all", thirds).cost_usd, 0.3)


if __name__ == "__main__":
    unittest.main()
