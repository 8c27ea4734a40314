"""The list's own commands: run to their end, with all that they started."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import stat
import sys
import tempfile
import time
import unittest
from unittest import mock

from core.model.errors import StateError
from core.model.feature import Command
from core.model.list_commands import shell_command
from core.model.moments import moment
from core.model.outcome import Stage
from core.process.cancellation import Cancellation
from core.process.supervisor import Supervisor
from core.runner import steps
from core.runner.context import RunContext
from core.runner.steps import TAIL_LINES, Step, StepRunner
from tests.support.commands import HAS_PROC

TRUE = shell_command("true")


class StepTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.root = os.path.realpath(folder.name)
        self.log = os.path.join(self.root, "logs", "a.setup.log")
        self.outlived_it = False
        self.run_id = f"steps-{os.getpid()}-{self.id()}"

    def run_step(
        self,
        command: Command | str,
        *,
        limit: float = 30.0,
        stop_at: str = "",
        stopped: bool = False,
        stops: str = "",
        deadline: float = float("inf"),
        **env: str,
    ) -> Step:
        """One command of ``a``; the wish to stop, all or ``stops``, is there when a file is."""
        if isinstance(command, str):
            command = shell_command(command)

        async def turn() -> Step:
            stop = Cancellation()
            if stopped:
                stop.set()
            logs = os.path.dirname(self.log)
            context = RunContext(self.run_id, logs, lambda: 0.0, print, stop, deadline)
            async with Supervisor(self.run_id) as supervisor:
                task = asyncio.create_task(
                    StepRunner(supervisor, context).run(
                        command,
                        Stage.SETUP,
                        name="a",
                        folder=self.root,
                        env={"PATH": os.environ["PATH"], **env},
                        limit_seconds=limit,
                    )
                )
                while stop_at and not os.path.exists(os.path.join(self.root, stop_at)):
                    await asyncio.sleep(0.01)
                if stop_at:
                    (stop.of(stops) if stops else stop).set()
                step = await task
                # Before the supervisor ends what is left of the whole run.
                self.outlived_it = self._lives()
                return step

        return asyncio.run(asyncio.wait_for(turn(), 60))

    def _lives(self) -> bool:
        """Whether what a command wrote the pid of is still there."""
        try:
            with open(self.path("pid"), encoding="utf-8") as file:
                os.kill(int(file.read()), 0)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return True

    def logged(self) -> str:
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def path(self, name: str) -> str:
        return os.path.join(self.root, name)


class HowOneEnds(StepTest):
    def test_a_command_that_exits_with_0_in_its_folder_passes(self) -> None:
        step = self.run_step("pwd; echo $OWN", OWN="mine")
        self.assertTrue(step.passed)
        self.assertEqual(step.tail, f"{self.root}\nmine")
        self.assertEqual(str(step), "`pwd; echo $OWN` ended with exit 0")

    def test_an_unexpected_exit_code_is_reported(self) -> None:
        step = self.run_step(Command(("sh", "-c", "echo no >&2; exit 3"), "sh -c …"))
        self.assertEqual((step.passed, step.code, step.tail), (False, 3, "no"))
        self.assertEqual(step.ending, "ended with exit 3")

    def test_a_signal_is_reported(self) -> None:
        step = self.run_step("kill -SEGV $$")
        self.assertEqual((step.passed, step.ending), (False, "ended with signal 11"))

    def test_a_program_that_does_not_exist_ends_with_127_and_one_that_may_not_with_126(
        self,
    ) -> None:
        with open(self.path("file"), "w", encoding="utf-8"):
            pass
        for argv, code in ((("no-such-program", "x"), 127), (("./file",), 126)):
            with self.subTest(code):
                step = self.run_step(Command(argv, " ".join(argv)))
                self.assertEqual((step.passed, step.code), (False, code))
                self.assertIn(argv[0], step.tail)

    def test_a_program_of_the_worktree_is_found_from_there(self) -> None:
        with open(self.path("run"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho here\n")
        os.chmod(self.path("run"), 0o755)
        self.assertEqual(self.run_step(Command(("./run",), "./run")).tail, "here")

    def test_a_command_that_takes_too_long_is_ended_with_its_children(self) -> None:
        step = self.run_step("sleep 300 & echo $! > pid; wait", limit=0.3)
        self.assertTrue(step.timed_out)
        self.assertFalse(step.passed)
        self.assertEqual(step.ending, f"did not end within {step.seconds:.0f} s")
        self.assert_gone()

    def test_a_command_that_ignores_signals_is_killed_and_its_exit_0_does_not_count(self) -> None:
        step = self.run_step(
            'trap "exit 0" TERM; touch on; while :; do sleep 0.05; done', limit=0.3
        )
        self.assertFalse(step.passed, step)

    def test_stopping_one_feature_interrupts_only_its_commands(self) -> None:
        step = self.run_step("touch on; sleep 300", stop_at="on", stops="a")
        self.assertTrue(step.interrupted)
        step = self.run_step("touch on", stop_at="on", stops="b")
        self.assertTrue(step.passed)

    def test_a_stop_interrupts_the_command(self) -> None:
        step = self.run_step("touch on; sleep 300 & echo $! > pid; wait", stop_at="on")
        self.assertEqual((step.interrupted, step.passed), (True, False))
        self.assertEqual(step.ending, "was interrupted")
        self.assert_gone()

    def test_a_command_that_prints_endlessly_is_ended_before_the_disk_is_full(self) -> None:
        with mock.patch.object(steps, "LOG_BYTES", 100_000):
            step = self.run_step("exec yes", limit=30.0)
        self.assertEqual((step.flooded, step.passed, step.timed_out), (True, False, False))
        self.assertEqual(step.ending, "printed more than the log limit")

    def test_the_end_of_the_run_s_time_interrupts_it_as_well(self) -> None:
        step = self.run_step("sleep 300", deadline=time.monotonic() + 0.1)
        self.assertTrue(step.interrupted)
        self.assertTrue(self.run_step("touch on", deadline=time.monotonic()).interrupted)
        self.assertFalse(os.path.exists(self.path("on")))

    def test_a_command_killed_by_a_second_signal_was_interrupted(self) -> None:
        with mock.patch.object(steps, "POLL_SECONDS", 30.0):
            step = self.run_step("touch on; sleep 1; kill -KILL $$", stop_at="on")
        self.assertEqual((step.interrupted, step.passed, step.code), (True, False, -9))

    def test_no_command_starts_after_a_stop(self) -> None:
        step = self.run_step("touch on", stopped=True)
        self.assertTrue(step.interrupted)
        self.assertFalse(os.path.exists(self.path("on")))
        self.assertFalse(os.path.exists(self.log))

    @unittest.skipUnless(HAS_PROC, "needs /proc")
    def test_a_daemon_that_it_leaves_behind_is_ended(self) -> None:
        daemon = (
            f"import os, time; os.setsid(); open({self.path('pid')!r}, 'w').write(str(os.getpid()))"
        )
        daemon += "; time.sleep(300)"
        python = shlex.quote(sys.executable)
        step = self.run_step(
            f"{python} -c {shlex.quote(daemon)} >/dev/null 2>&1 & "
            "while [ ! -s pid ]; do sleep 0.01; done"
        )
        self.assertTrue(step.passed)
        self.assert_gone()

    def assert_gone(self) -> None:
        self.assertTrue(os.path.exists(self.path("pid")))
        self.assertFalse(self.outlived_it)

    def test_a_command_gets_no_input(self) -> None:
        step = self.run_step("read answer; echo $?; tty")
        self.assertIn("1\nnot a tty", step.tail)


class WhatItPrinted(StepTest):
    def test_the_log_has_all_of_it_behind_the_command(self) -> None:
        self.run_step("echo one")
        self.run_step("echo two; echo three >&2")
        where = f"[in {self.root}, {moment(0.0)}]"
        end = "[ended with exit 0 after 0.0s]"
        self.run_step("printf four; exit 3")
        expected = [
            *("$ echo one", where, "one", end),
            *("$ echo two; echo three >&2", where, "two", "three", end),
            *("$ printf four; exit 3", where, "four", "[ended with exit 3 after 0.0s]"),
        ]
        logged = re.sub(r"after \d\.\ds", "after 0.0s", self.logged())
        self.assertEqual(logged.splitlines(), expected)
        self.assertEqual(stat.S_IMODE(os.stat(self.log).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.log)).st_mode), 0o700)

    def test_the_tail_is_of_this_command_and_its_last_lines(self) -> None:
        self.run_step("echo before")
        step = self.run_step("seq 1000")
        lines = step.tail.splitlines()
        self.assertEqual((len(lines), lines[0], lines[-1]), (TAIL_LINES, "801", "1000"))

    def test_a_line_without_an_end_does_not_fill_the_memory(self) -> None:
        step = self.run_step("head -c 3000000 /dev/zero | tr '\\0' x")
        self.assertTrue(0 < len(step.tail) <= steps.TAIL_BYTES, len(step.tail))

    def test_half_a_secret_is_masked_too(self) -> None:
        secret = "tok-" + "abcdefgh" * 8
        filling = "yes 'a line of the log' | head -c 65500"
        step = self.run_step(f"echo $API_TOKEN; {filling}", API_TOKEN=secret)
        self.assertNotIn("efgh", step.tail)

    def test_bytes_that_are_no_text_are_survived(self) -> None:
        self.assertEqual(self.run_step("printf 'a\\377b'").tail, "a\ufffdb")

    def test_the_value_of_a_secret_goes_no_further_than_the_log(self) -> None:
        step = self.run_step("env", API_TOKEN="tok-123456", MY_KEY="short", PLAIN="visible-value")
        self.assertIn("API_TOKEN=[masked API_TOKEN]", step.tail)
        self.assertIn("MY_KEY=short", step.tail)
        self.assertIn("PLAIN=visible-value", step.tail)
        self.assertIn("tok-123456", self.logged())

    def test_a_log_that_cannot_be_written_ends_the_run(self) -> None:
        with open(self.path("logs"), "w", encoding="utf-8"):
            pass
        with self.assertRaisesRegex(StateError, "can't be written"):
            self.run_step(TRUE)

    def test_a_log_that_cannot_be_opened_again_ends_the_run(self) -> None:
        def start(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        with mock.patch.object(Supervisor, "start", start), self.assertRaises(StateError):
            self.run_step(TRUE)
