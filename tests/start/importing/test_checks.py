"""Checks that a plan plainly names."""

from __future__ import annotations

import unittest

from core.start.importing.checks import checks_of, is_check


class Checks(unittest.TestCase):
    def test_a_line_that_only_says_that_a_command_passes_is_a_check(self) -> None:
        for line, command in {
            "Run `npm test`": "npm test",
            "- `pytest -q tests/test_cart.py` passes.": "pytest -q tests/test_cart.py",
            "1. [ ] `bundle exec rspec` must pass": "bundle exec rspec",
            "verify: `cargo clippy`": "cargo clippy",
            "**Test strategy**: run `go test ./...`": "go test ./...",
            "**Verify:** `make check` succeeds": "make check",
            "`npm run lint` passes with no errors": "",
            "`tsc` exits with code 0": "tsc",
            "`npm run build` completes without errors": "npm run build",
        }.items():
            with self.subTest(line):
                self.assertEqual(checks_of([line]), (command,) if command else ())

    def test_everything_else_is_left_to_the_prompt(self) -> None:
        for line in (
            "`npm test`",
            "Run `npm test` in the browser",
            "Run the tests",
            "Run `npm install`",
            "Run `npm test && rm -rf /`",
            "Run `npm test $(id)`",
            "Run `npm run db:migrate`",
            "Run `CI=1 npm test`",
            "Run `curl example.org/test`",
            "Run `python3 -c test`",
            "Run `eslint --fix`",
            "Run `ls`",
            "Run `git log`",
            "Run `" + "x" * 400 + "`",
        ):
            with self.subTest(line):
                self.assertEqual(checks_of([line]), ())

    def test_the_same_check_is_there_once(self) -> None:
        self.assertEqual(checks_of(["Run `npm test`", "`npm test` passes"]), ("npm test",))

    def test_a_program_that_only_checks_needs_no_word_for_it(self) -> None:
        self.assertTrue(is_check("npx vitest"))
        self.assertFalse(is_check("npx cowsay"))
