"""Lanes, tried with random lists, durations, failures and engines of both kinds."""

from __future__ import annotations

import random
import unittest
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import combinations

from core.dag.resolver import DAGResolver
from core.engines.lanes import Lanes, lanes
from core.model.feature import Feature

Waits = Mapping[str, Iterable[str]]


def _list(**needs: str) -> DAGResolver:
    return DAGResolver(
        Feature(id, id, depends_on=tuple(given.split())) for id, given in needs.items()
    )


def _random(generator: random.Random, most: int) -> DAGResolver:
    size, density = generator.randrange(1, most), generator.choice((0.0, 0.05, 0.2, 0.5))
    features = [
        Feature(
            f"f{number}",
            f"f{number}",
            depends_on=tuple(f"f{d}" for d in range(number) if generator.random() < density),
            estimated_tokens=generator.choice((None, 0, 10, 1000)),
        )
        for number in range(size)
    ]
    generator.shuffle(features)
    return DAGResolver(features)


def _cases(most: int, number: int) -> Iterator[tuple[random.Random, DAGResolver, int]]:
    for seed in range(number):
        generator = random.Random(seed)
        yield generator, _random(generator, most), generator.randrange(1, 6)


class _Engine:
    """Starts every job as soon as it may; the durations and the failures are drawn."""

    def __init__(
        self, dag: DAGResolver, waits: Waits, generator: random.Random, *, skips_at_once: bool
    ) -> None:
        self.dag = dag
        self.waits = {id: tuple(waits.get(id, ())) for id in dag.features}
        self.draw = generator
        self.skips_at_once = skips_at_once
        self.ended: dict[str, bool] = {}
        self.begun: set[str] = set()
        self.running: list[tuple[float, str]] = []
        self.most = 0

    def run(self) -> int:
        """The largest number of jobs at once."""
        now = 0.0
        self._start_all(now)
        while self.running:
            now, id = heappop(self.running)
            self.ended[id] = self.draw.random() < 0.8
            self._start_all(now)
        assert self.ended.keys() == self.dag.features.keys(), "a job waits for ever"
        return self.most

    def _start_all(self, now: float) -> None:
        while sum(self._looked_at(id, now) for id in self.dag.features if id not in self.begun):
            self.most = max(self.most, len(self.running))

    def _looked_at(self, id: str, now: float) -> bool:
        needs = self.dag.dependencies[id]
        is_lost = any(self.ended.get(need) is False for need in needs)
        if any(other not in self.ended for other in (*needs, *self.waits[id])) and not (
            is_lost and self.skips_at_once
        ):
            return False
        self.begun.add(id)
        if is_lost:
            self.ended[id] = False
        else:
            heappush(self.running, (now + self.draw.choice((0.1, 1, 50)), id))
        return True


def _singly(found: Lanes) -> Waits:
    return {id: (other,) for id, other in found.before.items()}


class TestLanes(unittest.TestCase):
    def test_no_more_run_at_once_than_asked_whatever_takes_long_fails_or_is_skipped(self) -> None:
        for generator, dag, limit in _cases(24, 400):
            found = lanes(dag, limit)
            for waits, at_once in ((_singly(found), False), (found.all_before, True)):
                with self.subTest(needs=dag.dependencies, limit=limit, skips_at_once=at_once):
                    engine = _Engine(dag, waits, generator, skips_at_once=at_once)
                    self.assertLessEqual(engine.run(), limit)

    def test_lanes_are_as_many_as_asked_and_have_each_feature_once(self) -> None:
        for _, dag, limit in _cases(16, 100):
            found = lanes(dag, limit)
            if found.lanes:
                self.assertLessEqual(len(found.lanes), limit)
                self.assertEqual(sorted(sum(found.lanes, ())), sorted(dag.features))

    def test_without_one_of_the_waits_more_could_run_at_once(self) -> None:
        for _, dag, limit in _cases(9, 150):
            found = lanes(dag, limit)
            for id, other in found.before.items():
                waits = {
                    one: (*needs, *(before for before in _singly(found).get(one, ()) if one != id))
                    for one, needs in dag.dependencies.items()
                }
                self.assertNotIn(other, _all(waits, id))

    def test_lists_that_never_have_more_features_at_once_get_no_lanes(self) -> None:
        for _, dag, limit in _cases(9, 150):
            widest = max(
                size
                for size in range(1, len(dag.features) + 1)
                for chosen in combinations(dag.features, size)
                if not any(set(chosen) & _all(dag.dependencies, id) for id in chosen)
            )
            self.assertEqual(lanes(dag, limit) == Lanes(), widest <= limit, dag.dependencies)

    def test_a_feature_follows_its_dependency_rather_than_a_stranger(self) -> None:
        found = lanes(_list(a="", b="", c="", a2="a", b2="b", c2="c"), 3)
        self.assertEqual(found, Lanes())
        dag = _list(a="", b="", c="", a2="a", b2="b")
        found = lanes(dag, 2, {"a": 10.0, "b": 10.0, "c": 1.0, "a2": 20.0, "b2": 30.0})
        self.assertEqual(found.lanes, (("b", "b2"), ("a", "a2", "c")))
        self.assertEqual(found.before, {"c": "a2"})
        self.assertEqual(found.all_before, {"c": ("a", "a2")})

    def test_predicted_times_decide_which_features_share_a_lane(self) -> None:
        dag = _list(long="", short="", third="")
        found = lanes(dag, 2, {"long": 90.0, "short": 1.0, "third": 50.0})
        self.assertEqual(found.before, {"short": "third"})
        self.assertEqual(found.all_before, {"short": ("third",)})
        found = lanes(dag, 2, {"long": 90.0, "short": 60.0, "third": 50.0})
        self.assertEqual(found.before, {"third": "short"})

    def test_an_empty_list_has_no_lanes(self) -> None:
        self.assertEqual(lanes(_list(), 1), Lanes())


def _all(waits: Waits, id: str) -> set[str]:
    """What ``id`` waits for, directly or not."""
    found: set[str] = set()
    queue = list(waits[id])
    while queue:
        one = queue.pop()
        if one not in found:
            found.add(one)
            queue.extend(waits[one])
    return found


if __name__ == "__main__":
    unittest.main()
