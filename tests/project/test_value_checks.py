"""Checks of single values."""

from __future__ import annotations

import unittest

from core.model.did_you_mean import did_you_mean
from core.model.feature import (
    DEFAULT_ALLOWED_TOOLS,
)
from core.project import value_checks
from core.project.list_reader import Reader
from tests.support.feature_lists import (
    malformed,
    unknown,
)


class Shares(unittest.TestCase):
    def test_a_share_is_a_fraction_or_per_cent(self) -> None:
        cases = {0.9: 0.9, 1: 1.0, 90: 0.9, 100: 1.0, 101: None, 0: None, "x": None}
        for given, expected in cases.items():
            reader = Reader("/")
            self.assertEqual(value_checks.Share().check(reader, "p", given), expected)
            self.assertEqual(len(reader.faults), int(expected is None))


class ToolRules(unittest.TestCase):
    def test_an_option_that_the_cli_would_silently_ignore_is_a_fault(self) -> None:
        cases = {
            "Read": "",
            " Read ": "",
            "*": "",
            "Bash(npm test)": "",
            "Bash(npm run test:*)": "",
            "Bash(echo (a) && echo (b))": "",
            "Bash(a\nb)": "",
            "mcp__github__create_issue": "",
            "TomorrowsTool": "",
            "WebFetch(domain:example.org)": "",
            "bash": unknown("bash", "Bash"),
            "webfetch(domain:x)": unknown("webfetch", "WebFetch"),
            "Raed": unknown("Raed", "Read"),
            "zzz": "unknown tool 'zzz'",
            "": malformed(""),
            "Bash(": malformed("Bash("),
            "Bash()": malformed("Bash()"),
            "Bash(npm test": malformed("Bash(npm test"),
            "Bash(npm test))": malformed("Bash(npm test))"),
            "Bash npm": malformed("Bash npm"),
            "Read,Write": malformed("Read,Write"),
            "(x)": malformed("(x)"),
            "--x": malformed("--x"),
        }
        for rule, fault in cases.items():
            with self.subTest(rule=rule):
                self.assertEqual(value_checks.tool_rule_fault(rule, did_you_mean), fault)

    def test_the_tools_that_are_allowed_by_default_are_good_rules(self) -> None:
        for rule in DEFAULT_ALLOWED_TOOLS:
            with self.subTest(rule=rule):
                self.assertEqual(value_checks.tool_rule_fault(rule, did_you_mean), "")
