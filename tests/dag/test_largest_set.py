"""The largest set that can land, compared with a search through all sets."""

from __future__ import annotations

import random
import unittest
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from core.dag.largest_set import largest_set
from tests.support.conflict_graphs import random_graph

Needs = Mapping[str, Sequence[str]]
Pairs = Sequence[tuple[str, str]]


def is_possible(needs: Needs, pairs: Pairs, kept: Collection[str]) -> bool:
    """Whether nothing kept is in conflict or lacks a dependency."""
    closed = all(need in kept or need not in needs for id in kept for need in needs[id])
    return closed and not any(one in kept and other in kept for one, other in pairs)


def by_size(needs: Needs) -> Iterator[tuple[str, ...]]:
    """All sets, the largest first; of one size, those with the earlier features first."""
    for size in range(len(needs), -1, -1):
        yield from combinations(needs, size)


def optimum(needs: Needs, pairs: Pairs) -> list[str]:
    return list(next(kept for kept in by_size(needs) if is_possible(needs, pairs, kept)))


class TheLargestSet(unittest.TestCase):
    def test_a_feature_gives_way_to_one_with_dependents_wherever_it_stands(self) -> None:
        needs = {"alone": [], "root": [], **{f"on{n}": ["root"] for n in range(4)}, "other": []}
        self.assertEqual(
            largest_set(needs, [("alone", "root")]),
            ["root", "on0", "on1", "on2", "on3", "other"],
        )

    def test_of_two_sets_of_one_size_the_one_with_the_earlier_feature_is_chosen(self) -> None:
        needs: Needs = {"a": [], "b": [], "c": [], "d": []}
        self.assertEqual(largest_set(needs, [("c", "b"), ("d", "a")]), ["a", "b"])

    def test_what_needs_two_features_in_conflict_never_lands(self) -> None:
        needs: Needs = {"a": [], "b": [], "both": ["a", "b"], "on-both": ["both"]}
        self.assertEqual(largest_set(needs, [("a", "b")]), ["a"])

    def test_a_conflict_with_a_dependency_keeps_only_the_dependent_out(self) -> None:
        self.assertEqual(largest_set({"a": [], "b": ["a"]}, [("b", "a")]), ["a"])

    def test_a_dependency_that_landed_before_is_no_matter(self) -> None:
        self.assertEqual(largest_set({"a": ["landed"]}, []), ["a"])

    def test_it_is_the_optimum_of_every_small_graph(self) -> None:
        chance = random.Random(1)
        for _ in range(400):
            needs, pairs = random_graph(
                chance, chance.randint(0, 8), chance.uniform(0, 0.4), chance.uniform(0, 0.5)
            )
            with self.subTest(needs=needs, pairs=pairs):
                self.assertEqual(largest_set(needs, pairs), optimum(needs, pairs))

    def test_beyond_the_limit_the_rule_still_keeps_what_it_can(self) -> None:
        chance = random.Random(2)
        for _ in range(150):
            needs, pairs = random_graph(chance, 8, chance.uniform(0, 0.4), chance.uniform(0, 0.5))
            with self.subTest(needs=needs, pairs=pairs):
                kept = largest_set(needs, pairs, exact=0)
                self.assertTrue(is_possible(needs, pairs, kept))
                more = [[*kept, id] for id in needs if id not in kept]
                self.assertFalse([each for each in more if is_possible(needs, pairs, each)])


if __name__ == "__main__":
    unittest.main()
