"""The live view in a real terminal: drawn, resized, suspended, interrupted, killed."""

from __future__ import annotations

import os
import re
import shlex
import signal
import unittest

from tests.support.runs import RunTest
from tests.support.tmux import Tmux, needs_tmux
from tests.support.workspace import MARK


@needs_tmux
class TheTerminal(RunTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.features(self.held("auth"), self.held("api", depends_on=["auth"]))
        # The shell is no process of a run, so it does not carry the mark.
        env = {name: value for name, value in self.workspace.environ.items() if name != MARK}
        self.terminal = Tmux(self.workspace.folder, self.workspace.beside("tmux"), env)
        self.addCleanup(self.terminal.close)
        self.title = self.terminal.title

    def line(self, end: str = "") -> str:
        """The command line of a run."""
        mark = f"{MARK}={self.workspace.environ[MARK]}"
        return f"{mark} {shlex.join(self.workspace.argv('run', '--yes'))}{end}"

    def start(self) -> None:
        self.terminal.enter(self.line())
        self.terminal.shows("auth  Write ")

    def pid(self) -> int:
        run = self.workspace.state().run
        assert run is not None
        return run.pid

    def settings(self) -> None:
        """The terminal is as a shell needs it: keys are printed, and Enter ends a line."""
        self.terminal.enter("clear; stty -a | grep -owE -e '-?(icanon|echo)'; echo o''k")
        screen = self.terminal.until(lambda: "ok" in self.terminal.screen, "the settings")
        self.assertEqual(screen[:3], ["icanon", "echo", "ok"])
        self.assertEqual(self.terminal.title, self.title)

    def test_drawn_resized_suspended_and_interrupted(self) -> None:
        self.start()
        head, row = self.terminal.screen[-2:]
        self.assertRegex(head, r"^0/2 done · \d\.\ds · ends \? · ~\$0\.00 · 1/3 slots$")
        self.assertRegex(row, r"^auth  Write .*auth\.began +1 turn +\d\.\ds$")
        self.assertEqual(len(row), 99)
        self.assertEqual(self.terminal.title, "0/2 Shop")

        self.terminal.resize(50, 20)
        self.terminal.until(lambda: len(self.terminal.screen[-1]) == 49, "it fits 50 columns")
        self.assertEqual(sum("0/2 done" in line for line in self.terminal.screen), 1)

        self.terminal.type("C-z")
        screen = self.terminal.shows("Stopped")
        self.assertIn("Suspended. Running Claudes go on", "".join(screen))
        self.assertNotIn("0/2 done", "".join(screen))
        self.assertEqual(self.terminal.title, self.title)
        self.terminal.enter("clear")
        self.terminal.until(lambda: self.terminal.screen == ["$"], "an empty screen")
        self.terminal.enter("fg")
        self.terminal.shows("0/2 done")
        self.assertEqual(sum("auth  " in line for line in self.terminal.screen), 1)

        self.terminal.type("C-c")
        screen = self.terminal.shows("Total cost")
        self.terminal.until(lambda: self.terminal.screen[-1].strip() == "$", "a prompt")
        self.assertNotIn("done ·", "".join(screen))
        self.settings()
        self.assert_statuses(auth="cancelled", api="cancelled")

    def test_a_kill_leaves_the_terminal_as_it_was(self) -> None:
        self.start()
        self.terminal.type("s")
        self.terminal.shows("auth (claude")
        os.kill(self.pid(), signal.SIGKILL)
        self.terminal.shows("Killed")
        self.nothing_runs()
        self.settings()

    def test_in_the_background_it_leaves_the_terminal_to_the_shell(self) -> None:
        self.terminal.enter(self.line(" &"))
        self.wait_for("auth.began")
        self.workspace.touch("auth.go")
        self.terminal.shows("auth: completed")
        self.wait_for("api.began")
        self.assertFalse([line for line in self.terminal.screen if re.match(r"\d/\d done", line)])
        self.terminal.enter("fg")
        self.terminal.shows("1/2 done")
        self.workspace.touch("api.go")
        self.terminal.shows("Total cost")
        self.nothing_runs()
        self.assertEqual(self.terminal.title, self.title)


if __name__ == "__main__":
    unittest.main()
