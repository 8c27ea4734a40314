"""The predicted timeline, compared with a slow simulation and with bounds."""

from __future__ import annotations

import random
import unittest
from collections.abc import Iterator, Mapping

from core.dag.prediction import DEFAULT_ESTIMATE, TOKENS_PER_SECOND, Source, estimator
from core.dag.prediction import Prediction as Predicted
from core.dag.resolver import DAGResolver
from core.dag.schedule import (
    Plan,
    Timeline,
    longest_path_first,
    predict,
    rest_seconds,
    wave_order,
)
from core.model.feature import Feature
from core.model.frozen import replace


def _feature(id: str, needs: str = "", tokens: int | None = None, priority: int = 0) -> Feature:
    return Feature(
        id, id, depends_on=tuple(needs.split()), estimated_tokens=tokens, priority=priority
    )


def _generated(*, distinct: bool) -> Iterator[tuple[DAGResolver, int]]:
    """Lists and numbers of slots; ``distinct`` keeps any two features from ending at once."""
    generator = random.Random(1964)
    for _ in range(150):
        size = generator.randrange(1, 16)
        density = generator.random() * 0.6
        features = []
        for index in range(size):
            needs = " ".join(f"f{other}" for other in range(index) if generator.random() < density)
            tokens = generator.randrange(0, 5) * 1000
            if distinct:
                tokens = generator.randrange(1, 10**9)
            features.append(_feature(f"f{index}", needs, tokens, generator.randrange(-1, 2)))
        generator.shuffle(features)
        yield DAGResolver(features), generator.randrange(1, 6)


def _simulated(dag: DAGResolver, slots: int) -> dict[str, float]:
    """When each feature starts; worked out from one end of a feature to the next."""
    seconds = {id: (f.estimated_tokens or 0) / TOKENS_PER_SECOND for id, f in dag.features.items()}
    listed = list(dag.features)

    def tail(id: str) -> int:
        own = dag.features[id].estimated_tokens or 0
        return own + max((tail(other) for other in dag.dependents[id]), default=0)

    def rank(id: str) -> tuple[int, int, int]:
        return (-tail(id), dag.features[id].priority, listed.index(id))

    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    now = 0.0
    while len(starts) < len(listed):
        over = {id for id, end in ends.items() if end <= now}
        ready = [
            id for id in listed if id not in starts and over.issuperset(dag.features[id].depends_on)
        ]
        free = slots - (len(starts) - len(over))
        for id in sorted(ready, key=rank)[:free]:
            starts[id], ends[id] = now, now + seconds[id]
        now = min((end for end in ends.values() if end > now), default=now)
    return starts


class Prediction(unittest.TestCase):
    def test_the_prediction_equals_a_step_by_step_simulation(self) -> None:
        for dag, slots in _generated(distinct=True):
            with self.subTest(features=dag.features, slots=slots):
                timeline = predict(dag, slots)
                self.assertEqual(timeline.starts, _simulated(dag, slots))

    def test_the_prediction_is_never_better_than_possible_and_has_no_idle_slot(self) -> None:
        for distinct in (False, True):
            for dag, slots in _generated(distinct=distinct):
                with self.subTest(features=dag.features, slots=slots):
                    self._check_bounds(dag, slots, predict(dag, slots))

    def _check_bounds(self, dag: DAGResolver, slots: int, timeline: Timeline) -> None:
        work = estimator(dag.features)
        seconds = {id: work(f) / TOKENS_PER_SECOND for id, f in dag.features.items()}
        critical = sum(seconds[id] for id in dag.critical_path(work))
        total = sum(seconds.values())
        span = timeline.makespan_seconds
        self.assertAlmostEqual(timeline.sequential_seconds, total)
        self.assertGreaterEqual(span * (1 + 1e-9), max(critical, total / slots))
        # Graham's bound: holds for every schedule that leaves no slot free while work is ready.
        self.assertLessEqual(span, (total / slots + critical * (1 - 1 / slots)) * (1 + 1e-9))
        ends = {id: start + seconds[id] for id, start in timeline.starts.items()}
        self.assertAlmostEqual(span, max(ends.values()))
        for id, needed in dag.dependencies.items():
            self.assertTrue(all(ends[d] <= timeline.starts[id] for d in needed))
        for at in timeline.starts.values():
            busy = [id for id in ends if timeline.starts[id] <= at < ends[id]]
            self.assertLessEqual(len(busy), slots)

    def test_one_slot_takes_the_sum_and_enough_slots_the_critical_path(self) -> None:
        for dag, _ in _generated(distinct=True):
            work = estimator(dag.features)
            critical = sum(work(dag.features[id]) for id in dag.critical_path(work))
            with self.subTest(features=dag.features):
                one = predict(dag, 1)
                self.assertAlmostEqual(one.makespan_seconds, one.sequential_seconds)
                self.assertAlmostEqual(one.speedup, 1.0)
                many = predict(dag, len(dag.features))
                self.assertAlmostEqual(many.makespan_seconds, critical / TOKENS_PER_SECOND)

    def test_the_example_of_the_readme_is_worth_its_parallel_wave(self) -> None:
        diamond = [
            _feature("auth-gtin", "", 45_000),
            _feature("api-lookup", "auth-gtin", 45_000),
            _feature("batch-import", "auth-gtin", 45_000),
            _feature("dashboard", "api-lookup batch-import", 45_000),
        ]
        timeline = predict(DAGResolver(diamond), 3)
        self.assertAlmostEqual(timeline.speedup, 4 / 3)
        self.assertEqual(timeline.starts["api-lookup"], timeline.starts["batch-import"])

    def test_nothing_to_run_takes_no_time(self) -> None:
        self.assertEqual(predict(DAGResolver([]), 3), Timeline(0.0, 0.0, {}))
        self.assertEqual(predict(DAGResolver([]), 3).speedup, 1.0)
        self.assertEqual(predict(DAGResolver([_feature("a", tokens=0)]), 3).speedup, 1.0)


class Order(unittest.TestCase):
    def test_the_longest_path_goes_first_then_priority_then_the_list(self) -> None:
        dag = DAGResolver(
            [
                _feature("last", tokens=10),
                _feature("later", tokens=10, priority=-1),
                _feature("short", tokens=10),
                _feature("first", tokens=5),
                _feature("tail", "first", tokens=50, priority=9),
            ]
        )
        order = sorted(dag.features, key=longest_path_first(dag))
        self.assertEqual(order, ["first", "tail", "later", "last", "short"])

    def test_predicted_times_decide_where_they_are_known(self) -> None:
        dag = DAGResolver([_feature("a", tokens=10), _feature("b", tokens=20)])
        seconds = {"a": 60.0, "b": 5.0}
        self.assertEqual(sorted(dag.features, key=longest_path_first(dag, seconds)), ["a", "b"])
        timeline = predict(dag, 1, seconds)
        self.assertEqual(timeline, Timeline(65.0, 65.0, {"a": 0.0, "b": 60.0}))

    def test_one_at_a_time_goes_wave_by_wave_in_list_order(self) -> None:
        dag = DAGResolver([_feature("d", "b c"), _feature("c", "a"), _feature("a"), _feature("b")])
        self.assertEqual(sorted(dag.features, key=wave_order(dag)), ["a", "b", "c", "d"])

    def test_a_feature_without_estimate_counts_as_the_mean_of_the_others(self) -> None:
        cases: list[tuple[list[int | None], list[float]]] = [
            ([None, None], [DEFAULT_ESTIMATE, DEFAULT_ESTIMATE]),
            ([10, None, 30], [10.0, 20.0, 30.0]),
            ([0, None], [0.0, 0.0]),
        ]
        for estimates, expected in cases:
            features = {str(n): _feature(str(n), tokens=t) for n, t in enumerate(estimates)}
            with self.subTest(estimates=estimates):
                self.assertEqual(list(map(estimator(features), features.values())), expected)


class Figures(unittest.TestCase):
    def _plan(self, features: Mapping[str, Feature]) -> Plan:
        return Plan(
            project="shop",
            description="",
            features=features,
            waves=(),
            branches={},
            decisions={},
            selected=frozenset(),
            critical_path=(),
            max_parallel=3,
            timeline=Timeline(0.0, 0.0, {}),
            usd_per_million_tokens=30.0,
        )

    def test_a_plan_adds_up_what_the_list_gives(self) -> None:
        plan = self._plan({"a": _feature("a", tokens=150_000), "b": _feature("b")})
        self.assertEqual(plan.estimated_tokens, 150_000)
        self.assertEqual(plan.unestimated, 1)
        self.assertAlmostEqual(plan.cost_usd(180_000), 5.40)

    def test_the_predictions_of_what_is_selected_add_up(self) -> None:
        predictions = {
            "a": Predicted(10.0, 13.0, 1.0, 1.3, Source.FEATURE, 5),
            "b": Predicted(10.0, 14.0, 1.0, 1.4, Source.TAGS, 5),
            "c": Predicted(99.0, 99.0, 9.0, 9.0),
        }
        plan = replace(
            self._plan({}),
            selected=frozenset("ab"),
            critical_path=("a", "c"),
            timeline=Timeline(20.0, 20.0, {}),
            predictions=predictions,
        )
        self.assertTrue(plan.is_measured)
        self.assertEqual(plan.predicted_cost_usd, 2.0)
        self.assertAlmostEqual(plan.predicted_cost_p90_usd, 2.5)
        self.assertEqual(plan.predicted_p90_seconds, 23.0)
        self.assertFalse(replace(plan, selected=frozenset("c")).is_measured)

    def test_an_empty_plan_is_free(self) -> None:
        plan = self._plan({})
        self.assertEqual((plan.estimated_tokens, plan.unestimated, plan.cost_usd(0)), (0, 0, 0.0))


class TheRest(unittest.TestCase):
    def test_of_a_run_that_has_not_begun_it_is_the_whole_run(self) -> None:
        for dag, slots in _generated(distinct=True):
            work = estimator(dag.features)
            seconds = {id: work(each) / TOKENS_PER_SECOND for id, each in dag.features.items()}
            found = rest_seconds(dag.dependencies, seconds, slots, {})
            self.assertAlmostEqual(found, predict(dag, slots).makespan_seconds)

    def test_what_is_at_work_takes_its_slot_for_its_rest(self) -> None:
        needs = {"a": (), "b": (), "c": ("a",), "d": ("a", "b")}
        seconds = {"a": 9.0, "b": 5.0, "c": 4.0, "d": 1.0}
        self.assertEqual(rest_seconds(needs, seconds, 1, {"a": 2.0}), 12)
        self.assertEqual(rest_seconds(needs, seconds, 2, {"a": 2.0}), 6)
        self.assertEqual(rest_seconds(needs, seconds, 2, {"a": 2.0, "b": 7.0}), 8)
        self.assertEqual(rest_seconds({}, seconds, 2, {}), 0)


if __name__ == "__main__":
    unittest.main()
