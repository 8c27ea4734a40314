"""Order, waves, closures and the critical path, on small graphs and on generated ones."""

from __future__ import annotations

import random
import unittest
from collections.abc import Iterator, Mapping, Sequence

from core.dag.resolver import DAGResolver, cycle
from core.model.errors import UserError
from core.model.feature import Feature

DIAMOND = {"top": (), "left": ("top",), "right": ("top",), "end": ("left", "right")}


def _dag(
    graph: Mapping[str, Sequence[str]], tokens: Mapping[str, int] | None = None
) -> DAGResolver:
    estimates = tokens or {}
    return DAGResolver(
        Feature(id, id, depends_on=tuple(needed), estimated_tokens=estimates.get(id))
        for id, needed in graph.items()
    )


def _tokens(feature: Feature) -> float:
    return float(feature.estimated_tokens or 0)


def _one(feature: Feature) -> float:
    return 1.0


def _generated() -> Iterator[tuple[dict[str, tuple[str, ...]], dict[str, int]]]:
    """Graphs of many shapes, their ids in an order that tells nothing; the same each time."""
    generator = random.Random(2024)
    for size in [*range(0, 12), *(generator.randrange(12, 40) for _ in range(60))]:
        names = [f"f{number}" for number in range(size)]
        density = generator.random()
        graph = {
            name: tuple(other for other in names[:index] if generator.random() < density * 0.5)
            for index, name in enumerate(names)
        }
        shuffled = generator.sample(names, size)
        tokens = {name: generator.randrange(0, 100) for name in names}
        yield {name: graph[name] for name in shuffled}, tokens


class Circles(unittest.TestCase):
    def test_a_cycle_is_shown_from_dependent_to_dependency(self) -> None:
        cases: list[tuple[dict[str, list[str]], set[str]]] = [
            ({}, set()),
            ({"a": ["b"], "b": []}, set()),
            ({"a": ["a"]}, {"a"}),
            ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, {"a", "b", "c"}),
        ]
        for graph, members in cases:
            with self.subTest(graph=graph):
                found = cycle(graph)
                self.assertEqual(set(found), members)
                for one, next_one in zip(found, found[1:]):
                    self.assertIn(next_one, graph[one])
                if found:
                    self.assertEqual(found[0], found[-1])
                    self.assertEqual(len(found), len(members) + 1)

    def test_a_resolver_refuses_a_circle_and_names_it(self) -> None:
        with self.assertRaises(UserError) as caught:
            _dag({"a": ("b",), "b": ("a",)})
        self.assertIn(
            caught.exception.message,
            (
                "dependency cycle: a → b → a",
                "dependency cycle: b → a → b",
            ),
        )
        self.assertEqual(caught.exception.hint, "remove one of these depends_on entries")

    def test_a_long_chain_is_no_matter_of_recursion(self) -> None:
        chain = {str(n): (str(n - 1),) if n else () for n in range(5000)}
        self.assertEqual(len(_dag(chain).waves()), 5000)


class SmallGraphs(unittest.TestCase):
    def test_the_diamond_has_three_waves(self) -> None:
        dag = _dag(DIAMOND)
        self.assertEqual(dag.waves(), [["top"], ["left", "right"], ["end"]])
        self.assertEqual(dag.order()[0], "top")
        self.assertEqual(dag.order()[-1], "end")

    def test_descendants_and_ancestors_come_in_list_order(self) -> None:
        dag = _dag(DIAMOND)
        self.assertEqual(dag.descendants("top"), ["left", "right", "end"])
        self.assertEqual(dag.descendants("left"), ["end"])
        self.assertEqual(dag.descendants("end"), [])
        self.assertEqual(dag.ancestors(["right"]), ["top", "right"])
        self.assertEqual(dag.ancestors(["end", "top"]), ["top", "left", "right", "end"])
        self.assertEqual(dag.ancestors([]), [])

    def test_the_critical_path_follows_the_heavier_side(self) -> None:
        dag = _dag(DIAMOND, {"top": 1, "left": 2, "right": 3, "end": 1})
        self.assertEqual(dag.critical_path(_tokens), ["top", "right", "end"])
        self.assertEqual(
            dag.remaining(_tokens), {"top": 5.0, "left": 3.0, "right": 4.0, "end": 1.0}
        )

    def test_no_features_make_no_waves(self) -> None:
        dag = _dag({})
        self.assertEqual(dag.waves(), [])
        self.assertEqual(dag.order(), [])
        self.assertEqual(dag.critical_path(_one), [])
        self.assertFalse(dag.sorter().is_active())

    def test_a_part_of_a_list_is_resolved_without_the_rest(self) -> None:
        dag = _dag({"left": ("top",), "end": ("left", "right")})
        self.assertEqual(dag.dependencies, {"left": (), "end": ("left",)})
        self.assertEqual(dag.waves(), [["left"], ["end"]])

    def test_an_incomplete_feature_makes_none_ready(self) -> None:
        sorter = _dag(DIAMOND).sorter()
        self.assertEqual(sorter.get_ready(), ("top",))
        sorter.done("top")
        self.assertEqual(set(sorter.get_ready()), {"left", "right"})
        sorter.done("left")
        self.assertEqual(sorter.get_ready(), ())


class GeneratedGraphs(unittest.TestCase):
    def test_each_feature_comes_after_all_that_it_needs(self) -> None:
        for graph, _ in _generated():
            order = _dag(graph).order()
            with self.subTest(graph=graph):
                self.assertEqual(sorted(order), sorted(graph))
                for id, needed in graph.items():
                    self.assertTrue(all(order.index(d) < order.index(id) for d in needed))

    def test_a_wave_is_as_early_as_can_be_and_in_list_order(self) -> None:
        for graph, _ in _generated():
            waves = _dag(graph).waves()
            number = {id: index for index, wave in enumerate(waves) for id in wave}
            with self.subTest(graph=graph):
                self.assertEqual(len(number), len(graph))
                for id, needed in graph.items():
                    self.assertEqual(number[id], max((number[d] + 1 for d in needed), default=0))
                listed = list(graph)
                for wave in waves:
                    self.assertEqual(wave, sorted(wave, key=listed.index))

    def test_descendants_are_those_that_have_it_as_ancestor(self) -> None:
        for graph, _ in _generated():
            dag = _dag(graph)
            with self.subTest(graph=graph):
                reach: dict[str, set[str]] = {}
                for id in dag.order():
                    reach[id] = {id}.union(*(reach[d] for d in graph[id]))
                for id in graph:
                    self.assertEqual(dag.ancestors([id]), [o for o in graph if o in reach[id]])
                    needing = [o for o in graph if o != id and id in reach[o]]
                    self.assertEqual(dag.descendants(id), needing)

    def test_no_chain_is_heavier_than_the_critical_path(self) -> None:
        for graph, tokens in _generated():
            dag = _dag(graph, tokens)
            path = dag.critical_path(_tokens)
            finish: dict[str, int] = {}
            for id in dag.order():
                finish[id] = tokens[id] + max((finish[d] for d in graph[id]), default=0)
            with self.subTest(graph=graph):
                self.assertEqual(sum(tokens[id] for id in path), max(finish.values(), default=0))
                for one, next_one in zip(path, path[1:]):
                    self.assertIn(one, graph[next_one])


class Begun(unittest.TestCase):
    def test_who_has_begun_waits_for_nothing_and_holds_nobody_up(self) -> None:
        needs = {"auth": (), "api": ("auth",), "app": ("api",), "docs": ("auth",)}
        dag = DAGResolver(Feature(id, "", depends_on=needed) for id, needed in needs.items())
        sorter = dag.sorter({"api"})
        self.assertEqual(set(sorter.get_ready()), {"auth", "api"})
        sorter.done("api")
        self.assertEqual(sorter.get_ready(), ("app",))
        self.assertEqual(dag.held_up_by("auth", ()), ["api", "app", "docs"])
        self.assertEqual(dag.held_up_by("auth", {"api"}), ["docs"])


if __name__ == "__main__":
    unittest.main()
