"""Values out of untrusted JSON."""

from __future__ import annotations

import unittest

from core.model.json_values import LARGEST, dollars_of, integer, strings


class Values(unittest.TestCase):
    def test_an_integer_is_none_of_the_other_things(self) -> None:
        for value, expected in ((3, 3), (True, 0), ("3", 0), (None, 0), (LARGEST + 1, 0)):
            self.assertEqual(integer({"n": value}, "n"), expected, value)

    def test_strings_are_strings(self) -> None:
        self.assertEqual(strings({"s": ["a", "b"]}, "s"), ("a", "b"))
        self.assertEqual(strings({}, "s"), ())

    def test_dollars_are_finite_and_not_negative(self) -> None:
        self.assertEqual(dollars_of(1), 1.0)
        for odd in ("1", True, -1, float("inf"), float("nan"), None):
            self.assertIsNone(dollars_of(odd), odd)


if __name__ == "__main__":
    unittest.main()
