"""The strategies of `merge`."""

from __future__ import annotations

import unittest

from core.model.strategy import Strategy


class Strategies(unittest.TestCase):
    def test_the_option_lists_them_with_the_default_first(self) -> None:
        self.assertEqual([each.value for each in Strategy], ["merge", "squash", "rebase"])


if __name__ == "__main__":
    unittest.main()
