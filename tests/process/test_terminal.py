"""A program with our streams and terminal."""

from __future__ import annotations

import os
import signal
import tempfile
import unittest

from core.model.errors import UserError
from core.process.terminal import run_in_terminal
from tests.support.signals import raising


class InTheTerminal(unittest.TestCase):
    def run_shell(self, script: str) -> int:
        return run_in_terminal(["sh", "-c", script], {"PATH": os.environ["PATH"]})

    def test_it_stays_in_our_process_group_and_says_how_it_ended(self) -> None:
        self.assertEqual(self.run_shell(f'test "$(ps -o pgid= -p $$)" -eq {os.getpgrp()}'), 0)
        self.assertEqual(self.run_shell("exit 3"), 3)
        self.assertEqual(self.run_shell("kill -PIPE $$"), -signal.SIGPIPE)

    def test_the_keys_of_the_terminal_are_meant_for_it(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        self.assertEqual(self.run_shell(f"kill -INT {os.getpid()}; kill -INT $$"), -signal.SIGINT)
        self.assertIs(signal.getsignal(signal.SIGINT), before)

    def test_an_exception_ends_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            mark = os.path.join(folder, "ended")
            wait = "while :; do sleep 0.02; done"
            script = f"trap 'touch {mark}; exit' TERM; kill -TERM {os.getpid()}; {wait}"
            with raising(TimeoutError), self.assertRaises(TimeoutError):
                self.run_shell(script)
            self.assertTrue(os.path.exists(mark))

    def test_a_missing_program_is_an_error(self) -> None:
        with self.assertRaisesRegex(UserError, "no-such-program was not found"):
            run_in_terminal(["no-such-program"], {"PATH": ""})


if __name__ == "__main__":
    unittest.main()
