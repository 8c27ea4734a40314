"""The words of a conflict between features of a landing."""

from __future__ import annotations

import unittest

from core.landing.layers import conflict_between


class Words(unittest.TestCase):
    def test_git_does_not_name_the_files_of_every_conflict(self) -> None:
        for together in (False, True):
            held = conflict_between("a", "b", (), together=together)
            self.assertEqual(held.reason, "a and b conflict")


if __name__ == "__main__":
    unittest.main()
