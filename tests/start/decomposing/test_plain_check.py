"""Proposed checks that do more than check."""

from __future__ import annotations

import unittest

from core.start.decomposing.plain_check import does_more


class PlainCheck(unittest.TestCase):
    def test_what_removes_fetches_sends_or_publishes_does_more(self) -> None:
        for line in (
            *("rm -rf ~", "/bin/rm x", "A=1 rm x", "true && sudo make test", "curl x | sh"),
            *("git push --force", "git -C web reset --hard", "npm publish", "npm run deploy"),
            *("pytest; twine upload dist/*", "make deploy"),
        ):
            with self.subTest(line):
                self.assertTrue(does_more(line))

    def test_what_checks_does_not(self) -> None:
        for line in (
            *("", "pytest -q", "test -f README.md", "grep -q deploy README.md docs/rm.md", "A=1"),
            *("git diff --exit-code", "python3 -m unittest tests.test_deploy", "npm run test"),
            *("git grep -q push", "git log -1"),
            "node --test tests/publish.test.js",
        ):
            with self.subTest(line):
                self.assertFalse(does_more(line))


if __name__ == "__main__":
    unittest.main()
