"""``run --detach``: the run goes on in the background."""

from __future__ import annotations

import glob
import os
import signal
import unittest
from unittest import mock

from core.journal.lock import RunLock
from core.model.errors import UserError
from core.orchestrator.one_run import OneRun
from tests.support.commands import MEASURED, CommandResult, read_text, terminal, wait_until
from tests.support.runs import read_until
from tests.support.workspace import WorkspaceTest, feature

INHIBITS = """#!/bin/sh
while case $1 in -*) ;; *) false ;; esac; do shift; done
"$@"
echo released >>"$0.log"
"""


class DetachTest(WorkspaceTest):
    def setUp(self) -> None:
        super().setUp()
        self.steps = ({"wait": self.workspace.beside("go")}, {"write": "auth.txt"})
        self.workspace.features(feature("auth", *self.steps))

    def lines_of(self, done: CommandResult) -> str:
        """The path of the file with the lines."""
        return done.out.split("Its lines go to\n")[1].splitlines()[0].strip()

    def let_it_end(self) -> None:
        self.workspace.touch("go")
        self.wait_for_its_end()

    def wait_for_its_end(self) -> None:
        lock = RunLock(self.workspace.state_folder)
        wait_until(lambda: lock.holder() is None, "the run ends")
        wait_until(lambda: not self.workspace.processes(), "its processes end")

    def test_the_foreground_ends_once_the_run_has_started(self) -> None:
        space = self.workspace
        done = space.command("run", "--yes", "--detach")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("PLAN Shop", done.err)
        self.assertEqual(len(space.events("run_started")), 1)
        pid = space.events("run_started")[0]["pid"]
        self.assertIn(f"The run goes on in the background (pid {pid}).", done.out)
        path = self.lines_of(done)
        self.assertTrue(path.startswith(space.state_folder))
        self.assertIn("To watch it: rorchestrator watch\n", done.out)
        self.assertIn("To stop it: rorchestrator stop\n", done.out)
        again = space.command("run", "--yes", "--detach")
        self.assertEqual(again.code, 2)
        self.assertIn(f"rorchestrator run is running in this repository (pid {pid}, ", again.err)
        self.let_it_end()
        self.assert_statuses(auth="completed")
        lines = read_text(path)
        self.assertIn("1/1 features completed", lines)
        self.assertNotIn("PLAN Shop", lines)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(space.command("run", "--yes", "--detach").code, 0, "nothing to do")

    def test_it_asks_first_and_survives_its_terminal(self) -> None:
        space = self.workspace
        space.features(feature("auth", *self.steps), keep_awake=True)
        os.mkdir(space.beside("bin"))
        for name in ("systemd-inhibit", "caffeinate"):
            space.script(f"bin/{name}", INHIBITS)
        path = f"{space.beside('bin')}:{space.environ['PATH']}"
        env = {"PATH": path, "TERM": "xterm", **MEASURED}
        with terminal() as (ours, theirs):
            running = space.start("run", "--detach", under=("env",), terminal=theirs, env=env)
            os.close(theirs)
            shown = read_until(ours, "[y/N]")
            running.wait_for_its_question()
            os.write(ours, b"y\n")
            shown += read_until(ours, "rorchestrator stop")
            self.assertEqual(running.end().code, 0, shown)
        self.assertIn("\x1b[1mPLAN", shown)
        os.kill(space.events("run_started")[0]["pid"], signal.SIGHUP)
        self.let_it_end()
        self.assert_statuses(auth="completed")
        run = space.events("run_started")[0]["run"]
        lines = read_text(os.path.join(space.state_folder, "logs", run, "run.log"))
        self.assertNotIn("\x1b", lines)
        self.assertNotIn("PLAN", lines)
        self.assertIn("The machine stays awake during the run", lines)
        self.assertEqual(len(glob.glob(space.beside("bin", "*.log"))), 1, "it was released")

    def test_stop_ends_it_and_its_page_whose_address_is_printed(self) -> None:
        done = self.workspace.command("run", "--yes", "--detach", "--web")
        self.assertRegex(done.out, r"(?m)^Web page: http://127\.0\.0\.1:\d+/\S+$")
        self.assertEqual(self.workspace.command("stop").code, 0)
        self.wait_for_its_end()
        self.assertIn("auth", read_text(self.lines_of(done)))
        self.assert_statuses(auth="cancelled")

    def test_an_early_end_is_reported_with_its_lines_and_its_code(self) -> None:
        error = UserError("the disk is full", exit_code=3)
        with mock.patch.object(OneRun, "run", side_effect=error):
            done = self.workspace.command("run", "--yes", "--detach")
        self.assertEqual((done.code, done.out), (3, ""))
        self.assertIn("rorchestrator: the disk is full", done.err)
        self.assertEqual(self.workspace.processes(), [])
        self.assertIsNone(self.workspace.command("status", "--json").json["running"])

    def test_a_file_that_cannot_be_written_starts_nothing(self) -> None:
        logs = os.path.join(self.workspace.state_folder, "logs")
        os.makedirs(self.workspace.state_folder)
        self.workspace.write({logs: ""})
        done = self.workspace.command("run", "--yes", "--detach")
        self.assertEqual(done.code, 2, done.err)
        self.assertEqual(self.workspace.events("run_started"), [])

    def test_options_that_need_somebody_who_looks_are_refused(self) -> None:
        for words, expected in (
            (["--json"], "--json prints to standard output"),
            (["--events", "-"], "--events - prints to standard output"),
            (["--rehearse"], "a rehearsal is none"),
        ):
            with self.subTest(words):
                done = self.workspace.main("run", "--yes", "--detach", *words)
                self.assertEqual(done.code, 2)
                self.assertIn(expected, done.err)


if __name__ == "__main__":
    unittest.main()
