"""The layout of a graph: layers, rows that keep their distance, edges that follow from no other."""

from __future__ import annotations

import random
import unittest
from itertools import groupby

from core.dag.resolver import DAGResolver
from core.model.feature import Feature
from core.views.layers import Layout, layout


def laid_out(**needs: str) -> Layout:
    """The layout of features with what they need, by letters."""
    return layout(DAGResolver(Feature(id, id, depends_on=tuple(of)) for id, of in needs.items()))


class Layers(unittest.TestCase):
    def test_a_diamond_is_symmetric(self) -> None:
        found = laid_out(a="", b="a", c="a", d="bc")
        layers = {id: layer for id, (layer, _) in found.places.items()}
        self.assertEqual(layers, {"a": 0, "b": 1, "c": 1, "d": 2})
        rows = {id: row for id, (_, row) in found.places.items()}
        self.assertEqual((rows["b"], rows["c"]), (0.0, 1.0))
        self.assertAlmostEqual(rows["a"], 0.5)
        self.assertAlmostEqual(rows["d"], 0.5)
        self.assertEqual((found.layers, found.rows), (3, 2.0))

    def test_an_edge_that_follows_from_others_is_left_out(self) -> None:
        found = laid_out(a="", b="a", c="ab")
        self.assertEqual({(edge.start, edge.end) for edge in found.edges}, {("a", "b"), ("b", "c")})

    def test_an_edge_over_several_layers_bends_beside_their_nodes(self) -> None:
        found = laid_out(a="", b="a", c="b", x="", d="cx")
        [edge] = [edge for edge in found.edges if edge.start == "x"]
        self.assertEqual(len(edge.bends), 2)
        for layer, bend in enumerate(edge.bends, 1):
            [other] = [row for at, row in found.places.values() if at == layer]
            self.assertGreaterEqual(abs(other - bend), 1 - 1e-9)

    def test_two_chains_do_not_cross(self) -> None:
        found = laid_out(a="", x="", b="x", y="a", c="b", z="y")
        order = [[found.places[id][1] for id in ids] for ids in ("ax", "yb", "zc")]
        self.assertEqual(len({one < other for one, other in order}), 1)

    def test_nothing_has_no_layers(self) -> None:
        self.assertEqual(layout(DAGResolver([])), Layout({}, (), 0, 0.0))

    def test_the_nodes_of_a_layer_never_overlap(self) -> None:
        chance = random.Random(1)
        for _ in range(20):
            ids: list[str] = []
            features = []
            for number in range(40):
                needs = chance.sample(ids[-9:], min(len(ids), chance.randrange(4)))
                ids.append(str(number))
                features.append(Feature(ids[-1], "", depends_on=tuple(needs)))
            found = layout(DAGResolver(features))
            for _, places in groupby(sorted(found.places.values()), lambda place: place[0]):
                rows = [row for _, row in places]
                self.assertGreaterEqual(min(rows), 0)
                gaps = [after - before for before, after in zip(rows, rows[1:])]
                self.assertTrue(all(gap >= 1 - 1e-6 for gap in gaps), rows)
