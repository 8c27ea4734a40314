"""Names of branches, by the rules of git-check-ref-format(1)."""

from __future__ import annotations

import unittest

from core.model.branch_name import is_branch_name


class Names(unittest.TestCase):
    def test_git_decides_the_same(self) -> None:
        for name in ("a", "feature/a-b", "a.b", "1/2", "a-", "ä", "a/-b"):
            self.assertTrue(is_branch_name(name), name)
        for name in ("HEAD", "a..b", "a b", "/a", "a.lock", "a~1", "-a", "a//b", "@{", "a\x7f"):
            self.assertFalse(is_branch_name(name), name)


if __name__ == "__main__":
    unittest.main()
