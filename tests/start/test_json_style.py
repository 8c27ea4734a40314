"""The style of a list, and new values in it."""

from __future__ import annotations

import json
import unittest

from core.start.json_spans import items, root
from core.start.json_style import Style, indent_at, style_of


def style(text: str) -> Style:
    top = items(text, root(text))
    features = next(each for each in top if each.key == "features")
    return style_of(text, top, items(text, features.start))


class StyleTest(unittest.TestCase):
    def test_it_is_read_from_the_last_features(self) -> None:
        data = {"features": [{"id": "a", "tags": ["x"]}, {}, 1, {"id": "b", "tags": []}]}
        self.assertEqual(style(json.dumps(data)), Style())
        self.assertEqual(style(json.dumps(data, indent=2)), Style(is_spread=True))
        tabs = json.dumps(data, indent="\t").replace("\n", "\r\n")
        self.assertEqual(style(tabs), Style("\r\n", "\t", is_spread=True))
        compact = json.dumps(data, separators=(",", ":"))
        self.assertEqual(style(compact), Style(comma=",", colon=":"))

    def test_a_list_without_features_has_the_style_of_its_first_key(self) -> None:
        self.assertEqual(style('{"features" :[]}'), Style(comma=",", colon=" :"))
        self.assertEqual(style('{"features": [\n]}'), Style())
        self.assertEqual(style('{"features": [{"id":\n"a"}]}'), Style(comma=",", colon=": "))

    def test_text_is_escaped_if_the_list_does_it_or_if_nothing_else_can_express_it(self) -> None:
        self.assertEqual(style('{"features": []}').value("é", "", spread=False), '"é"')
        escaped = style('{"a": "\\u00e9", "features": []}')
        self.assertEqual(escaped.value("é", "", spread=False), '"\\u00e9"')
        self.assertEqual(Style().value("é\ud800", "", spread=False), '"\\u00e9\\ud800"')

    def test_a_spread_value_is_indented_like_its_line(self) -> None:
        value = {"a": ["x", "y\n"], "b": []}
        spread = Style("\r\n", "\t").value(value, "  ", spread=True)
        lines = ["{", '  \t"a": [', '  \t\t"x",', '  \t\t"y\\n"', "  \t],", '  \t"b": []', "  }"]
        self.assertEqual(spread.split("\r\n"), lines)

    def test_the_indentation_of_a_line_ends_at_its_text(self) -> None:
        self.assertEqual(indent_at("a\n \t b", 5), " \t ")
        self.assertEqual(indent_at("a\r  b", 3), " ")
        self.assertEqual(indent_at("ab", 1), "")
