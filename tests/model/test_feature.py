"""What statuses, faults, tokens and errors say of themselves."""

from __future__ import annotations

import unittest

from core.model.errors import ExitCode, StateError, UserError
from core.model.feature import ALWAYS_DISALLOWED_TOOLS, DEFAULT_ALLOWED_TOOLS
from core.model.outcome import Fault, Status, Usage

ACTIVE = {"preparing", "running", "verifying", "committing"}
UNSUCCESSFUL = {"failed", "timed_out", "empty", "conflict", "blocked", "cancelled", "skipped"}


class Statuses(unittest.TestCase):
    def test_each_is_waiting_active_completed_or_unsuccessful(self) -> None:
        for status in Status:
            with self.subTest(status=status):
                self.assertEqual(status.active, status.value in ACTIVE)
                self.assertEqual(status.unsuccessful, status.value in UNSUCCESSFUL)
        both = ACTIVE | UNSUCCESSFUL
        self.assertEqual({s.value for s in Status} - both, {"pending", "completed"})


class Faults(unittest.TestCase):
    def test_each_says_whether_its_session_is_worth_resuming_and_whether_it_ends_the_run(
        self,
    ) -> None:
        cases = {
            Fault.NONE: (False, False),
            Fault.INTERRUPTED: (True, False),
            Fault.TIMEOUT: (True, False),
            Fault.TRANSIENT: (True, False),
            Fault.LIMIT: (True, False),
            Fault.RATE: (True, False),
            Fault.STALL: (True, False),
            Fault.BUDGET: (True, False),
            Fault.SETUP: (False, False),
            Fault.CHECK: (False, False),
            Fault.ACCOUNT: (True, True),
            Fault.USAGE: (True, True),
            Fault.SESSION: (True, False),
            Fault.TURNS: (True, False),
            Fault.ALLOWANCE: (True, False),
            Fault.COMMIT: (True, False),
            Fault.REQUEST: (True, False),
            Fault.PROGRAM: (True, True),
            Fault.GIT: (True, False),
            Fault.TAMPERED: (True, True),
            Fault.OUTPUT: (False, False),
            Fault.SPACE: (True, True),
        }
        self.assertEqual(set(cases), set(Fault))
        for fault, (resumable, fatal) in cases.items():
            with self.subTest(fault=fault):
                self.assertEqual((fault.resumable, fault.fatal), (resumable, fatal))


class Tokens(unittest.TestCase):
    def test_they_add_up_kind_by_kind(self) -> None:
        self.assertEqual(Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40), Usage(11, 22, 33, 44))
        self.assertEqual(sum([], Usage()), Usage(0, 0, 0, 0))


class Tools(unittest.TestCase):
    def test_what_is_allowed_unasked_reaches_no_network_and_no_shared_stash(self) -> None:
        commands = [
            rule[len("Bash(") :] for rule in DEFAULT_ALLOWED_TOOLS if rule.startswith("Bash(")
        ]
        forbidden = ("curl", "wget", "git push", "git fetch", "git pull", "git stash", "npm i")
        for command in commands:
            with self.subTest(command=command):
                self.assertFalse(command.startswith(forbidden))
        for tool in ("Bash", "Write", "Edit", "NotebookEdit", "WebFetch", "WebSearch"):
            self.assertNotIn(tool, DEFAULT_ALLOWED_TOOLS)
        for needed in ("git add:*)", "git commit:*)", "git status:*)", "git diff:*)", "git log:*)"):
            self.assertIn(needed, commands)
        self.assertIn("Bash(git stash:*)", ALWAYS_DISALLOWED_TOOLS)
        self.assertIn("EnterWorktree", ALWAYS_DISALLOWED_TOOLS)


class Errors(unittest.TestCase):
    def test_an_error_of_the_users_ends_with_2_unless_it_says_otherwise(self) -> None:
        error = UserError("no claude")
        self.assertEqual((error.message, error.hint, error.details), ("no claude", "", ()))
        self.assertEqual(str(error), "no claude")
        self.assertIs(error.exit_code, ExitCode.CANNOT_START)
        other = UserError("m", "h", details=("d",), exit_code=ExitCode.INCOMPLETE)
        self.assertEqual((other.hint, other.details, int(other.exit_code)), ("h", ("d",), 1))

    def test_what_cannot_be_recorded_is_an_error_of_the_users_too(self) -> None:
        self.assertIsInstance(StateError("disk full"), UserError)

    def test_exit_codes_are_those_of_the_documentation(self) -> None:
        self.assertEqual([int(code) for code in ExitCode], [0, 1, 2, 3, 129, 130, 143])


if __name__ == "__main__":
    unittest.main()
