"""The places of members and elements in a JSON text."""

from __future__ import annotations

import unittest

from core.start.json_spans import items, root

TEXT = ' \r\n{ "a" : [1,\n\t"}]"] ,\n  "b\\"":{"c": null}, "a": -1.5e3}'


class Spans(unittest.TestCase):
    def test_each_member_of_an_object_is_found_with_its_places(self) -> None:
        found = items(TEXT, root(TEXT))
        self.assertEqual([each.key for each in found], ["a", 'b"', "a"])
        self.assertEqual([each.lead for each in found], [" ", "\n  ", " "])
        self.assertEqual([each.value for each in found], [[1, "}]"], {"c": None}, -1500.0])
        keys = [TEXT[each.begin : each.key_end] for each in found]
        self.assertEqual(keys, ['"a"', '"b\\""', '"a"'])
        values = [TEXT[each.start : each.end] for each in found]
        self.assertEqual(values, ['[1,\n\t"}]"]', '{"c": null}', "-1.5e3"])

    def test_an_element_of_an_array_has_no_key(self) -> None:
        array = items(TEXT, root(TEXT))[0]
        found = items(TEXT, array.start)
        self.assertEqual([each.value for each in found], [1, "}]"])
        self.assertEqual([each.lead for each in found], ["", "\n\t"])
        self.assertTrue(all(each.begin == each.key_end == each.start for each in found))

    def test_what_is_empty_has_no_items(self) -> None:
        for text in ("{}", "[]", "{ \n}", "[\t]"):
            self.assertEqual(items(text, 0), [])
