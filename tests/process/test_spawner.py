"""Short commands: started, given input, awaited, ended."""

from __future__ import annotations

import asyncio
import linecache
import os
import signal
import subprocess
import sys
import time
import types
import unittest
import unittest.mock
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from core.model.errors import UserError
from core.process import spawner
from core.process.environment import without_git
from core.process.spawner import Finished, Spawner, run_sync, spawn, which
from tests.support.processes import (
    LONG,
    STUBBORN,
    ProcessTest,
    living,
    tearDownModule,  # noqa: F401
    until,
)


class SpawnerTest(ProcessTest):
    """Commands one at a time."""

    def finish(
        self, *argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> Finished:
        return run_sync(Spawner().run(argv, env=env or self.environ, stdin=stdin))

    def test_a_command_hands_over_its_code_and_both_its_outputs(self) -> None:
        done = self.finish("sh", "-c", "echo to stdout; echo to stderr >&2; exit 3")
        self.assertEqual((done.code, done.text, done.complaint), (3, "to stdout", "to stderr"))

    def test_commands_that_run_at_once_keep_their_outputs_apart(self) -> None:
        commands = [["sh", "-c", "echo one; exit 1"], ["echo", "two"]]
        one, two = run_sync(Spawner().run_each(commands, env=self.environ))
        self.assertEqual([(one.code, one.text), (two.code, two.text)], [(1, "one"), (0, "two")])

    def test_a_command_that_a_signal_ends_has_a_negative_code(self) -> None:
        self.assertEqual(self.finish("sh", "-c", "kill -TERM $$").code, -signal.SIGTERM)

    def test_the_complaint_is_standard_output_where_standard_error_is_empty(self) -> None:
        self.assertEqual(self.finish("echo", "refused").complaint, "refused")

    def test_without_an_input_a_command_reads_the_end_of_file(self) -> None:
        self.assertEqual(self.finish("cat").stdout, b"")

    def test_an_input_of_10_MB_arrives_whole(self) -> None:
        sent = os.urandom(1 << 20) * 10
        self.assertEqual(self.finish("cat", stdin=sent).stdout, sent)

    def test_an_output_of_50_MB_arrives_whole(self) -> None:
        self.assertEqual(len(self.finish("head", "-c", "50000000", "/dev/zero").stdout), 50_000_000)

    def test_a_child_has_a_session_of_its_own_and_the_default_signals(self) -> None:
        question = (
            "import os, signal;"
            "print(os.getsid(0) == os.getpid(), signal.getsignal(signal.SIGHUP).name,"
            "signal.pthread_sigmask(signal.SIG_BLOCK, []))"
        )
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, masked)
        self.assertEqual(self.finish(sys.executable, "-c", question).text, "True SIG_DFL set()")

    def test_a_program_that_does_not_exist_is_named(self) -> None:
        for program in ("no-such-program", os.path.join(self.folder, "missing"), self.folder):
            with self.subTest(program), self.assertRaisesRegex(UserError, "was not found"):
                self.finish(program)

    def test_a_program_is_looked_for_by_the_path_that_the_child_gets(self) -> None:
        tool = Path(self.folder, "tool")
        tool.write_text("#!/bin/sh\necho found\n")
        tool.chmod(0o755)
        self.assertEqual(self.finish("tool", env={"PATH": self.folder}).text, "found")
        with self.assertRaisesRegex(UserError, "git was not found"):
            self.finish("git", env={"PATH": self.folder})

    def test_a_file_that_the_system_cannot_execute_is_named(self) -> None:
        broken = Path(self.folder, "broken")
        broken.write_bytes(b"\x7fELF\0\0")
        broken.chmod(0o755)
        with self.assertRaisesRegex(UserError, "broken could not be started: Exec format"):
            self.finish(str(broken))

    def test_a_command_that_was_started_early_is_not_started_again(self) -> None:
        argv = ["sh", "-c", f"echo $$ | tee -a '{self.folder}/pids'; exit 3"]
        self.addCleanup(spawner.end_started)
        spawner.start_early(argv, self.environ)
        early = self.finish(*argv)
        self.assertEqual((early.code, self.pids()), (3, [int(early.text)]))
        self.assertNotEqual(self.finish(*argv).text, early.text)
        spawner.start_early(argv, self.environ)
        other = {**self.environ, "OTHER": "1"}
        (done,) = run_sync(Spawner().run_each([argv], env=other))
        self.assertIn(int(done.text), self.pids())
        self.finish(*argv, stdin=b"1")
        self.assertEqual(len(spawner._early), 1, "an input or another environment is another thing")

    def test_what_was_started_early_and_nobody_asked_for_is_ended(self) -> None:
        for script in (LONG, "exit 0"):
            spawner.start_early(["sh", "-c", f"cd '{self.folder}'; {script}"], self.environ)
        spawner.start_early(["no-such-program"], self.environ)
        self.assertTrue(until(self.pids))
        spawner.end_started()
        self.assertEqual((living(self.pids()), spawner._early), ([], []))

    def test_an_exception_while_waiting_ends_the_command(self) -> None:
        class Interrupted(Exception):
            pass

        def interrupt(_: int, frame: FrameType | None) -> None:
            assert frame is not None
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
            if self.pids() and "waitpid" in line:
                raise Interrupted
            signal.setitimer(signal.ITIMER_REAL, 0.01)

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, interrupt))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with self.assertRaises(Interrupted):
            self.finish("sh", "-c", f"cd '{self.folder}'; {LONG}")
        self.assertEqual(living(self.pids()), [])

    def test_a_child_that_does_not_end_is_killed(self) -> None:
        pid = spawn(["sh", "-c", f"cd '{self.folder}'; {STUBBORN}"], self.environ, [])
        self.assertTrue(until(self.pids))
        soon = unittest.mock.patch.object(spawner, "END_SECONDS", 0.1)
        with soon, self.assertRaises(KeyError), spawner._ended_by_exceptions(pid):
            raise KeyError
        self.assertEqual(os.waitpid(pid, 0)[1], signal.SIGKILL)

    def test_a_question_is_answered_or_killed_when_it_takes_too_long(self) -> None:
        said = os.path.join(self.folder, "said")

        def clock() -> float:
            """Ten minutes later once it has said its word."""
            return time.monotonic() + 600 * os.path.exists(said)

        stopped = types.SimpleNamespace(monotonic=clock, sleep=time.sleep)
        hangs = f"echo yes; : >'{said}'; exec sleep 1000"
        for script, code in (("echo yes; exit 2", 2), (hangs, -9)):
            with unittest.mock.patch.object(spawner, "time", stopped):
                done = Spawner().run_limited(
                    ["sh", "-c", script], env=self.environ, timeout_seconds=20
                )
            self.assertEqual((done.code, done.text), (code, "yes"))

    def test_a_lone_spawner_waits_for_no_other(self) -> None:
        async def body() -> str:
            async with Spawner().exclusive():
                await Spawner().pause(0)
            return "done"

        self.assertEqual(run_sync(body()), "done")

    def test_a_coroutine_that_waits_for_a_loop_cannot_be_driven(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "event loop"):
            run_sync(asyncio.sleep(0))

    def test_which_finds_programs_by_path_and_by_name(self) -> None:
        tool = Path(self.folder, "tool")
        tool.write_text("")
        Path(self.folder, "plain").write_text("")
        tool.chmod(0o755)
        path = {"PATH": f"/nowhere:{self.folder}"}
        self.assertEqual(which("tool", path), str(tool))
        self.assertEqual(which(str(tool), {}), str(tool))
        self.assertEqual(which("plain", path), "")
        self.assertEqual(which(str(tool) + "x", {}), "")

    def test_only_variables_that_name_a_repository_are_taken_away(self) -> None:
        listed = subprocess.run(
            ["git", "rev-parse", "--local-env-vars"], capture_output=True, check=True, text=True
        ).stdout.split()
        settings = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Bot",
            "GIT_CONFIG_PARAMETERS": "'user.email=bot@localhost'",
        }
        kept = {
            **settings,
            "HOME": "/h",
            "GIT_AUTHOR_NAME": "me",
            "GIT_AUTHOR_DATE": "@1 +0000",
            "GIT_ASKPASS": "/bin/ask",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_SSH_VARIANT": "ssh",
            "GIT_CEILING_DIRECTORIES": "/h",
            "GIT_TRACE": "1",
        }
        others = dict.fromkeys((*listed, "GIT_QUARANTINE_PATH", "GIT_NAMESPACE"), "x")
        self.assertIn("GIT_DIR", others)
        self.assertEqual(without_git({**others, **kept}), kept)
