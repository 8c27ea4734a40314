"""The origin of an imported feature."""

from __future__ import annotations

import unittest

from core.start.importing.origin import KEY, Origin, digest, origin_of

ORIGIN = Origin("tasks.md", "spec-kit", "T001", {"name": "abc"})


class OriginTest(unittest.TestCase):
    def test_it_is_read_as_it_was_written(self) -> None:
        self.assertEqual(origin_of({"id": "a", KEY: ORIGIN.document()}), ORIGIN)
        without = {**ORIGIN.document(), "hash": 5}
        self.assertEqual(
            origin_of({"id": "a", KEY: without}), Origin("tasks.md", "spec-kit", "T001", {})
        )

    def test_a_value_that_is_not_an_origin_is_ignored(self) -> None:
        for feature in (
            5,
            {},
            {"id": "a", KEY: "x"},
            {"id": "a", KEY: {}},
            {"id": 5, KEY: ORIGIN.document()},
            {"id": "a", KEY: {**ORIGIN.document(), "key": 1}},
        ):
            self.assertIsNone(origin_of(feature))

    def test_line_ends_do_not_change_a_hash(self) -> None:
        self.assertEqual(digest("a\r\nb"), digest("a\nb"))
        self.assertNotEqual(digest(["a"]), digest("a"))
        self.assertEqual(len(digest("\ud800")), 12)
