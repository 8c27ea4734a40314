"""Which commands the rules of the tools allow."""

from __future__ import annotations

import unittest

from core.start.tool_rules import is_simple, parts_of, refused

ALLOWED = ("Read", "Edit(./**)", "Bash(npm test:*)", "Bash(make check)", "Bash(git * main)")


class Rules(unittest.TestCase):
    def test_each_part_of_a_command_needs_a_rule(self) -> None:
        for command, expected in {
            "npm test": "",
            "npm test -- --watch": "",
            "CI=1 npm test": "",
            "make check": "",
            "make check fast": "make check fast",
            "git diff main": "",
            "git push": "git push",
            "ls src | wc -l": "",
            "npm test && npm run build": "npm run build",
            'npm test "a && b"': "",
            "npm test; git stash": "git stash",
        }.items():
            with self.subTest(command):
                self.assertEqual(refused(command, ALLOWED), expected)

    def test_a_rule_for_all_allows_all_but_what_is_disallowed(self) -> None:
        for rule in ("Bash", "Bash(*)", "*"):
            self.assertEqual(refused("rm -r x", [rule]), "")
            self.assertEqual(refused("git stash", [rule], ["Bash(git stash:*)"]), "git stash")

    def test_a_simple_command_is_told_from_a_compound_one(self) -> None:
        for command in ("npm test", "test -f 'a;b'", r"echo a\;b", "echo '$(x)'"):
            self.assertTrue(is_simple(command), command)
        for command in (
            "a && b",
            "a > b",
            "a $(b)",
            "a `b`",
            'a "$(b)"',
            "a | b",
            "a & b",
        ):
            self.assertFalse(is_simple(command), command)

    def test_operators_part_a_command_and_redirections_do_not(self) -> None:
        self.assertEqual(parts_of("a 2>&1 || b & c\nd;"), ["a 2>&1", "b", "c", "d"])


if __name__ == "__main__":
    unittest.main()
