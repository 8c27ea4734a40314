"""The graph that the assistant changes: reachability, implied dependencies, no cycles."""

from __future__ import annotations

import random
import unittest

from core.start.assisting.graph import Graph

LIST = {"a": (), "b": ("a",), "c": ("b", "a", "elsewhere"), "d": ("b",), "e": ()}


class GraphTest(unittest.TestCase):
    def setUp(self) -> None:
        self.graph = Graph(LIST)

    def test_dependencies_are_followed_to_their_end(self) -> None:
        self.assertTrue(self.graph.depends("d", "a"))
        self.assertFalse(self.graph.depends("a", "d"))
        self.assertEqual(self.graph.dependencies("c"), ["a", "b"])
        self.assertEqual(self.graph.order(), ["a", "e", "b", "c", "d"])
        for one, other, expected in (("c", "a", True), ("a", "c", True), ("c", "d", False)):
            self.assertEqual(self.graph.are_ordered(one, other), expected, (one, other))
        self.assertFalse(self.graph.may_depend("a", "a"))
        self.assertTrue(self.graph.may_depend("e", "d"))

    def test_an_added_dependency_counts_for_all_that_come_after(self) -> None:
        self.graph.add("a", "e")
        self.assertEqual([id for id in LIST if self.graph.depends(id, "e")], ["a", "b", "c", "d"])
        self.assertEqual(LIST["a"], ())

    def test_a_dependency_is_implied_if_another_one_leads_to_it(self) -> None:
        self.assertEqual(
            {id: self.graph.implied(id) for id in "bcd"}, {"b": {}, "c": {"a": "b"}, "d": {}}
        )

    def test_a_changed_graph_leaves_the_other_as_it_was(self) -> None:
        other = self.graph.changed("d", adds=["e"], removes=["b"])
        self.assertEqual((other.direct["d"], self.graph.direct["d"]), (["e"], ["b"]))
        self.assertTrue(other.depends("d", "e"))

    def test_added_dependencies_are_as_if_they_had_always_been_there(self) -> None:
        chance = random.Random(1)
        ids = [f"f{number}" for number in range(30)]
        graph = Graph(dict.fromkeys(ids, ()))
        for _ in range(80):
            one, other = chance.sample(ids, 2)
            if graph.may_depend(one, other):
                graph.add(one, other)
        anew = Graph(graph.direct)
        for id in ids:
            self.assertEqual(graph.dependencies(id), anew.dependencies(id))
