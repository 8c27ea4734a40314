"""The graph of a plan as a picture of its own."""

from __future__ import annotations

import unittest
from xml.etree import ElementTree

from core.views.plan_graph import Node, NodeStatus
from core.views.plan_svg import MARKS, plan_svg
from tests.support.html_pages import page_of

NODES = [
    Node("auth", "Sign-in", NodeStatus.UP_TO_DATE),
    Node("api", "", NodeStatus.WILL_RUN, ("auth", "elsewhere"), "will run: new"),
    Node("<b>&", 'Names "quoted"', NodeStatus.NOT_SELECTED, ("auth",)),
]


class Picture(unittest.TestCase):
    def test_it_is_xml_with_each_feature_in_words(self) -> None:
        drawn = plan_svg(NODES)
        root = ElementTree.fromstring(drawn)
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
        expected = ["auth: Sign-in (up to date)", "api (will run: new)"]
        self.assertEqual(titles, [*expected, '<b>&: Names "quoted" (not selected)'])

    def test_an_edge_leads_to_each_dependent_and_the_legend_names_each_status(self) -> None:
        page = page_of(plan_svg(NODES))
        self.assertEqual(len([each for each in page.all("path") if "C" in each["d"]]), 2)
        for words in ("up to date", "will run", "not selected"):
            self.assertIn(words, page.text)

    def test_each_status_has_a_mark(self) -> None:
        self.assertEqual(set(MARKS), set(NodeStatus))

    def test_a_plan_without_features_is_an_empty_picture(self) -> None:
        self.assertEqual(len(page_of(plan_svg([])).all("g")), 1)


if __name__ == "__main__":
    unittest.main()
