"""Errors, their hints and exit codes."""

from __future__ import annotations

import unittest

from core.model.errors import ExitCode, StateError, UserError


class Errors(unittest.TestCase):
    def test_an_error_of_the_users_ends_with_2_unless_it_says_otherwise(self) -> None:
        error = UserError("no claude")
        self.assertEqual((error.message, error.hint, error.details), ("no claude", "", ()))
        self.assertEqual(str(error), "no claude")
        self.assertIs(error.exit_code, ExitCode.CANNOT_START)
        other = UserError("m", "h", details=("d",), exit_code=ExitCode.INCOMPLETE)
        self.assertEqual((other.hint, other.details, int(other.exit_code)), ("h", ("d",), 1))

    def test_a_failure_to_record_is_a_user_error_too(self) -> None:
        self.assertIsInstance(StateError("disk full"), UserError)

    def test_exit_codes_are_those_of_the_documentation(self) -> None:
        self.assertEqual([int(code) for code in ExitCode], [0, 1, 2, 3, 129, 130, 143])
