"""Which commands the rules of the tools allow."""

from __future__ import annotations

import unittest

from core.model.feature import ClaudeOptions, Command, Config, Feature, Project
from core.start.tool_rules import ToolRules, parts_of, rule_for, rules_of

ALLOWED = ("Read", "Edit(./**)", "Bash(npm test:*)", "Bash(make check)", "Bash(git * main)")


class Rules(unittest.TestCase):
    def test_each_part_of_a_command_needs_a_rule(self) -> None:
        rules = ToolRules(ALLOWED)
        for command, expected in {
            "npm test": [],
            "npm test -- --watch": [],
            "CI=1 npm test 2>&1": [],
            "make check": [],
            "make check fast": ["make check fast"],
            "git diff main": [],
            "git push": ["git push"],
            "ls src | wc -l": [],
            "npm test && npm run build": ["npm run build"],
            'npm test "a && b"': [],
            "make all; npm test; git stash": ["make all", "git stash"],
            " ; ": [],
        }.items():
            with self.subTest(command):
                self.assertEqual(rules.refused(command), expected)

    def test_a_rule_allows_a_command_or_all_that_begin_so(self) -> None:
        for rule, command, is_allowed in (
            ("Bash(npm test)", "npm test", True),
            ("Bash(npm test)", "npm test -- --watch", False),
            ("Bash(npm test:*)", "npm tests", False),
            ("Bash(npm *)", "npm test", True),
            ("Bash(npm:*)", "npm", True),
            ("Bash(a[1]*)", "a[1] b", True),
            ("Read", "npm test", False),
            ("bash(npm test)", "npm test", False),
            ("Bash(npm test", "npm test", False),
            ("Read", "echo done", True),
            (rule_for("sort -u"), "sort -u x", True),
        ):
            with self.subTest(rule, command=command):
                self.assertEqual(ToolRules([rule]).refused(command), [command][is_allowed:])

    def test_a_rule_for_all_allows_all_but_what_is_disallowed(self) -> None:
        for rules in (
            *(ToolRules([rule], ["Bash(git stash:*)"]) for rule in ("Bash", "Bash(*)")),
            ToolRules((), ["Bash(git stash:*)"], is_free=True),
        ):
            self.assertEqual(rules.refused("rm -r x; git stash"), ["git stash"])

    def test_the_rules_of_a_feature_are_those_that_claude_gets(self) -> None:
        claude = ClaudeOptions(
            allowed_tools=("Bash(a)",),
            allowed_tools_add=("Bash(b)",),
            disallowed_tools=("Bash(d)",),
        )
        project = Project("Shop", "", verify=(Command(("sh", "-c", "c"), "c"),))
        rules = rules_of(Config("", "", project, (), claude), Feature("x", ""))
        self.assertEqual(rules.refused("a; b; c; d; git stash"), ["d", "git stash"])

    def test_operators_part_a_command_and_redirections_do_not(self) -> None:
        self.assertEqual(parts_of("a 2>&1 || b & c\nd;"), ["a 2>&1", "b", "c", "d"])


if __name__ == "__main__":
    unittest.main()
