"""A companion: it starts, says something, and ends with us."""

from __future__ import annotations

import os
import signal
import unittest
from unittest import mock

from core.model.errors import UserError
from core.process import companion
from core.process.companion import Companion
from tests.support.commands import wait_until

ENVIRON = {"PATH": os.environ["PATH"]}


class CompanionTest(unittest.TestCase):
    def started(self, script: str, **environ: str) -> Companion:
        started = Companion(["/bin/sh", "-c", script], {**ENVIRON, **environ})
        self.addCleanup(lambda: started.code is None and started.end())
        return started

    def test_its_first_line_is_read_and_it_ends_when_its_input_closes(self) -> None:
        started = self.started("echo ready; echo more; read -r line; exit 3")
        self.assertEqual(started.first_line(), "ready")
        self.assertFalse(started.has_ended())
        started.end()
        self.assertEqual(started.code, 3)

    def test_one_that_does_not_end_is_killed(self) -> None:
        with mock.patch.object(companion, "END_SECONDS", 0.05):
            started = self.started("trap '' TERM; exec sleep 100")
            started.end()
        self.assertEqual(started.code, -signal.SIGKILL)

    def test_one_that_ends_at_once_has_said_what_it_said(self) -> None:
        started = self.started("echo 'no line end' >&2 | tr -d x; printf why >&2; exit 2")
        self.assertEqual(started.first_line(), "no line end")
        wait_until(started.has_ended, "it ended")
        self.assertEqual(started.code, 2)
        started.end()
        quiet = self.started("exit 0")
        self.assertEqual(quiet.first_line(), "")
        quiet.end()

    def test_one_that_says_nothing_is_not_awaited_for_ever(self) -> None:
        with mock.patch.object(companion, "START_SECONDS", 0.05):
            started = self.started("read -r line")
            self.assertEqual(started.first_line(), "")
        started.end()

    def test_one_that_somebody_else_reaped_has_ended(self) -> None:
        started = self.started("exit 0")
        os.waitpid(started.pid, 0)
        self.assertTrue(started.has_ended())
        started.end()

    def test_a_program_that_is_not_there_is_an_error_and_leaves_nothing_open(self) -> None:
        before = set(os.listdir("/dev/fd"))
        with self.assertRaises(UserError):
            Companion(["/nowhere/program"], ENVIRON)
        self.assertEqual(len(os.listdir("/dev/fd")), len(before))


if __name__ == "__main__":
    unittest.main()
