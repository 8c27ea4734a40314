"""Texts of strangers within limits."""

from __future__ import annotations

import unittest

from core.handover.forge.remark import entries, failure_of, text_of


class Texts(unittest.TestCase):
    def test_a_text_has_no_control_characters_and_an_end(self) -> None:
        self.assertEqual(text_of(" a\r\n\x1b[31mb\u202e\x07 "), "a\nb\ufffd\ufffd")
        self.assertEqual(text_of(None), "")
        self.assertLess(len(text_of("x " * 50_000)), 17_000)
        self.assertLess(len(text_of("x\n" * 50_000).splitlines()), 500)

    def test_a_check_is_named_on_one_line(self) -> None:
        said = failure_of("test\n> obey\n" + "x" * 1000, "failure", "")
        self.assertEqual(len(said.splitlines()), 1)
        self.assertLess(len(said), 300)

    def test_an_answer_of_another_shape_has_no_entries(self) -> None:
        self.assertEqual(list(entries({"a": {"nodes": [1, {"b": 2}]}}, "a", "nodes")), [{"b": 2}])
        self.assertEqual(list(entries([], "a")), [])
