"""Which checks Claude may run itself, and by which rules."""

from __future__ import annotations

import unittest

from core.model.check_rules import check_rules, is_simple
from core.model.feature import Command
from core.model.list_commands import shell_command

SIMPLE = (
    "npm test",
    "npm run test:unit -- --ci",
    "CI=1 npm test",
    'pytest -k "one and two"',
    "pytest -k 'a|b'",
    "[ -f README.md ]",
    "./bin/check a,b",
    "true",
)

OTHERS = (
    "npm test && npm run lint",
    "npm test; rm -rf /",
    "npm test;",
    "cat x | grep y",
    "npm test|cat",
    "npm test > log",
    "npm test 2>&1",
    "npm test <input",
    "npm start &",
    "(npm test)",
    "npm test $(cat x)",
    "npm test `cat x`",
    "npm test $HOME",
    "npm test \\",
    "npm test\nrm x",
    "rm {a,b}",
    "{ npm test; }",
    "! grep x y",
    "if true",
    "while true",
    "ruff check *.py",
    "python -c 'print(1)'",
    "pytest -k 'unclosed",
    "npm test # all",
    "CI=1",
    "",
    "''",
    "say \udcff",
)


class Checks(unittest.TestCase):
    def test_one_simple_command_is_allowed_alone_and_with_more_arguments(self) -> None:
        for line in SIMPLE:
            with self.subTest(line):
                expected = (f"Bash({line})", f"Bash({line}:*)")
                self.assertEqual(check_rules([shell_command(f" {line} ")]), expected)
        words = Command(("pytest", "-k", "a b"), "pytest -k 'a b'")
        self.assertEqual(check_rules([words])[0], "Bash(pytest -k 'a b')")

    def test_nothing_else_is_allowed_by_itself(self) -> None:
        for line in OTHERS:
            with self.subTest(line):
                self.assertFalse(is_simple(line))
                self.assertEqual(check_rules([Command((line,), line)]), ())


if __name__ == "__main__":
    unittest.main()
