"""The nearest known word."""

from __future__ import annotations

import unittest

from core.model.did_you_mean import HINT_LIMIT, did_you_mean


class Nearest(unittest.TestCase):
    def test_a_near_word_is_named(self) -> None:
        self.assertEqual(did_you_mean("auht", ["auth", "api"]), " (did you mean 'auth'?)")

    def test_a_far_or_long_word_has_no_neighbour(self) -> None:
        self.assertEqual(did_you_mean("zzz", ["auth"]), "")
        self.assertEqual(did_you_mean("a" * (HINT_LIMIT + 1), ["a" * HINT_LIMIT]), "")


if __name__ == "__main__":
    unittest.main()
