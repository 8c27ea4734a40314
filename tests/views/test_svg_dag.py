"""The graph of a run as a picture."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.outcome import FeatureOutcome, Status
from core.model.provenance import Provenance
from core.views.svg_dag import HEIGHT, WIDTH, dag_svg
from tests.support.html_pages import page_of
from tests.support.run_views import STORY, begun, view_of
from tests.support.story import AT, RUN


class Graph(unittest.TestCase):
    def test_each_feature_is_a_link_with_its_status_as_colour_shape_and_word(self) -> None:
        page = page_of(dag_svg(view_of(STORY)))
        nodes = page.all("a", "node")
        self.assertEqual([node["href"] for node in nodes], ["#auth", "#api", "#app", "#docs"])
        tones = [node["class"].split()[1] for node in nodes]
        self.assertEqual(tones, ["good", "bad", "warn", "good"])
        self.assertIn("app: app (blocked)", page.text)
        marks = {use["href"] for use in page.all("use")}
        self.assertEqual(marks, {"#-mark-completed", "#-mark-failed", "#-mark-blocked"})

    def test_the_critical_path_is_drawn_over_the_other_edges(self) -> None:
        page = page_of(dag_svg(view_of(STORY)))
        edges = page.all("path")
        # app needs auth as well, but by way of api.
        self.assertEqual([edge.get("class", "") for edge in edges], ["", "critical"])
        self.assertEqual(len(page.all("a", "critical")), 2)

    def test_an_edge_over_a_layer_passes_between_its_nodes(self) -> None:
        told = Provenance(depends_on={"b": ("a",), "c": ("b", "x")})
        page = page_of(dag_svg(view_of([begun(["a", "b", "c", "x"], told)])))
        long = [edge["d"] for edge in page.all("path") if "H" in edge["d"]]
        self.assertEqual(len(long), 1)

    def test_a_long_or_hostile_id_stays_in_its_node(self) -> None:
        id = "<script>" + "long-" * 40
        blocked = FeatureOutcome(Status.BLOCKED, "why")
        page = page_of(dag_svg(view_of([begun([id]), events.ended(AT, RUN, id, blocked)])))
        self.assertEqual(page.tags & {"script"}, set())
        [_, inner] = page.all("svg")
        self.assertLess(int(inner["width"]), WIDTH)
        self.assertEqual(int(inner["height"]), HEIGHT)
        self.assertIn("…", page.text)

    def test_a_graph_of_nothing_is_an_empty_picture(self) -> None:
        [picture] = page_of(dag_svg(view_of([begun([])]))).all("svg")
        self.assertEqual(picture["viewbox"], "0 0 1 1")
