"""`core.process`: real children, their trees, and what is left of them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import itertools
import linecache
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
from collections.abc import Awaitable, Mapping
from pathlib import Path
from types import FrameType
from typing import Callable

from core.model.errors import UserError
from core.process import guard, spawner, table
from core.process import supervisor as supervisor_module
from core.process.environment import without_git
from core.process.spawner import Finished, Spawner, drive, spawn, which
from core.process.supervisor import (
    AT_ONCE,
    BRISK,
    MARK,
    PATIENT,
    Child,
    Killed,
    Supervisor,
    become_subreaper,
    check_descriptors,
    heed,
    raise_descriptor_limit,
)

ROOT = Path(__file__).resolve().parent.parent.parent
LINUX = sys.platform == "linux"
DEADLINE_SECONDS = 20.0
LADDER = ((signal.SIGINT, 0.2), (signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0))

# Each process of these trees writes its id into the folder's file `pids`.
STUBBORN = "trap '' INT TERM; echo $$ >>pids; exec sleep 1000"
GRANDCHILD = "sh -c 'echo $$ >>pids; exec sleep 1000' & "
SETSID = "setsid sh -c 'echo $$ >>pids; exec sleep 1000' & "
DOUBLE_FORK = "(setsid sh -c 'echo $$ >>pids; exec sleep 1000' &) ; "
UNMARKED = "(env -i setsid sh -c 'echo $$ >>pids; exec sleep 1000' &) ; "
DEAF = "(setsid sh -c 'trap \"\" TERM; echo $$ >>pids; exec sleep 1000' &) ; "
LONG = "echo $$ >>pids; exec sleep 1000"

DRIVER = """
import asyncio, os, sys
from core.process.supervisor import Supervisor

async def main(run, folder, number, script):
    async with Supervisor(run) as supervisor:
        print("entered", flush=True)
        for each in range(int(number)):
            supervisor.start(
                ["/bin/sh", "-c", script], env=os.environ, folder=folder, stdin=os.devnull,
                stdout=f"{folder}/out", stderr=f"{folder}/err", mark=f"f.{each}",
            )
            await asyncio.sleep(0)
        await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""

_numbers = itertools.count(1)


def tearDownModule() -> None:
    # A sub-reaper inherits every orphan of the tests that follow.
    if LINUX:
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


def until(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


async def soon(condition: Callable[[], object]) -> None:
    """Let the loop run until the condition is true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.005)


def living(pids: list[int]) -> list[int]:
    """Those of the processes that run."""
    rows = table.snapshot()
    return [pid for pid in pids if pid in rows and not rows[pid].zombie]


class ProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror process ")
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.realpath(temporary.name)
        self.run_id = f"test{os.getpid()}.{next(_numbers)}"
        self.environ = {"PATH": os.environ["PATH"]}
        self.addCleanup(self.kill_leftovers)

    def kill_leftovers(self) -> None:
        folders = [entry.path for entry in os.scandir(self.folder) if entry.is_dir()]
        for folder in (self.folder, *folders):
            for pid in living(self.pids(folder)):
                os.kill(pid, signal.SIGKILL)

    def pids(self, folder: str = "") -> list[int]:
        path = os.path.join(folder or self.folder, "pids")
        if not os.path.exists(path):
            return []
        return [int(line) for line in Path(path).read_text().split()]

    def has(self, number: int, folder: str = "") -> bool:
        """Whether so many processes said that they run."""
        return len(self.pids(folder)) >= number

    def read(self, name: str) -> str:
        return Path(self.folder, name).read_text()

    def supervise(self, body: Callable[[Supervisor], Awaitable[None]]) -> None:
        async def main() -> None:
            async with Supervisor(self.run_id) as supervisor:
                await body(supervisor)

        asyncio.run(main())

    def start(
        self, supervisor: Supervisor, script: str, folder: str = "", mark: str = "f.1"
    ) -> Child:
        folder = folder or self.folder
        return supervisor.start(
            ["/bin/sh", "-c", script],
            env=self.environ,
            folder=folder,
            stdin=os.devnull,
            stdout=os.path.join(folder, "out"),
            stderr=os.path.join(folder, "err"),
            mark=mark,
        )

    def driver(self, number: int, script: str, **more: str) -> subprocess.Popen[str]:
        folder = more.pop("folder", self.folder)
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, self.run_id, folder, str(number), script],
            cwd=ROOT,
            env={**self.environ, **more},
            stdout=subprocess.PIPE,
            text=True,
        )


class SpawnerTest(ProcessTest):
    """Commands one at a time."""

    def finish(
        self, *argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> Finished:
        return drive(Spawner().run(argv, env=env or self.environ, stdin=stdin))

    def test_a_command_hands_over_its_code_and_both_its_outputs(self) -> None:
        done = self.finish("sh", "-c", "echo to stdout; echo to stderr >&2; exit 3")
        self.assertEqual((done.code, done.text, done.complaint), (3, "to stdout", "to stderr"))

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

    def test_one_that_does_not_end_then_is_killed(self) -> None:
        pid = spawn(["sh", "-c", f"cd '{self.folder}'; {STUBBORN}"], self.environ, [])
        self.assertTrue(until(self.pids))
        soon = unittest.mock.patch.object(spawner, "END_SECONDS", 0.1)
        with soon, self.assertRaises(KeyError), spawner._ended_by_exceptions(pid):
            raise KeyError
        self.assertEqual(os.waitpid(pid, 0)[1], signal.SIGKILL)

    def test_a_question_is_answered_or_killed_when_it_takes_too_long(self) -> None:
        for script, code in (("echo yes; exit 2", 2), ("echo yes; exec sleep 1000", -9)):
            done = Spawner().ask(
                ["sh", "-c", script], env=self.environ, timeout_seconds=20 if code > 0 else 0.2
            )
            self.assertEqual((done.code, done.text), (code, "yes"))

    def test_nothing_holds_off_a_lone_spawner(self) -> None:
        async def body() -> str:
            async with Spawner().exclusive():
                await Spawner().pause(0)
            return "done"

        self.assertEqual(drive(body()), "done")

    def test_a_coroutine_that_waits_for_a_loop_cannot_be_driven(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "event loop"):
            drive(asyncio.sleep(0))

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


class TableTest(unittest.TestCase):
    """The table of processes."""

    def test_the_table_knows_this_process_and_its_parent(self) -> None:
        row = table.snapshot()[os.getpid()]
        self.assertEqual((row.parent, row.group), (os.getppid(), os.getpgrp()))
        self.assertFalse(row.zombie)

    def test_a_name_with_spaces_and_brackets_hides_no_field(self) -> None:
        line = b"12 (a) (b c) Z 7 9 " + b" ".join(str(n).encode() for n in range(4, 40))
        expected = table.Process(12, 7, 9, "20", zombie=True)
        self.assertEqual(table.parse_stat(line), expected)

    def test_a_start_is_compared_by_number_and_a_folder_by_its_parts(self) -> None:
        for started, than, later in (("20", "9", True), ("9", "20", False), ("Mon", "9", False)):
            with self.subTest(started=started, than=than):
                self.assertEqual(table.is_later(started, than), later)
        for folder, inside in (("/w/a", True), ("/w/a/b", True), ("/w/ab", False), ("", False)):
            with self.subTest(folder=folder):
                self.assertEqual(table.is_inside(folder, ["/w/a"]), inside)

    def test_rows_of_ps_are_read_and_odd_lines_left_out(self) -> None:
        text = "  1  0  1 Ss   Mon Nov  2 10:00:00 2026\n 7 1 7 Z+ Tue Nov  3 10:00:00 2026\nodd\n"
        self.assertEqual(
            table.parse_ps(text),
            {
                1: table.Process(1, 0, 1, "Mon Nov  2 10:00:00 2026"),
                7: table.Process(7, 1, 7, "Tue Nov  3 10:00:00 2026", zombie=True),
            },
        )

    def test_descendants_are_all_below_and_nothing_else(self) -> None:
        parents = {2: 1, 3: 2, 4: 2, 5: 4, 6: 1}
        rows = {pid: table.Process(pid, parent, pid, "") for pid, parent in parents.items()}
        self.assertEqual({p.pid for p in table.descendants(rows, 2)}, {3, 4, 5})
        self.assertEqual(table.descendants(rows, 6), [])

    def test_a_process_that_is_gone_has_no_row_no_folder_and_no_mark(self) -> None:
        gone = table.Process(2**22 + 1, 1, 1, "0")
        self.assertEqual(table.working_folder(gone.pid), "")
        self.assertEqual(table.marked({gone.pid: gone}, "A="), [])
        self.assertIsNone(table._read_stat(gone.pid))

    def test_a_mark_is_the_beginning_of_a_variable_and_nothing_else(self) -> None:
        run = f"test{os.getpid()}"
        environments = {
            "run": {MARK: f"{run}/f.1;"},
            "path": {"PWD": f"/logs/{run}/f.1;"},
            "x": {f"X{MARK}": f"{run}/"},
        }
        pids = {}
        for name, environ in environments.items():
            pids[name] = spawn(["/bin/sleep", "1000"], environ, [])
            self.addCleanup(os.waitpid, pids[name], 0)
            self.addCleanup(os.kill, pids[name], signal.SIGKILL)
        found = {process.pid for process in table.marked(table.snapshot(), f"{MARK}={run}/")}
        self.assertEqual(found, {pids["run"]})

    @unittest.skipUnless(LINUX, "Linux tells the children of a process")
    def test_where_the_system_does_not_tell_the_children_are_unknown(self) -> None:
        self.assertIsNotNone(table.children_of_self())
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            self.assertIsNone(table.children_of_self())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class SupervisorTest(ProcessTest):
    """Many children at once, and the ends of them."""

    def test_short_commands_run_to_their_end(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            for guarded in (False, True):
                done = await supervisor.run(
                    ["sh", "-c", "cat; echo oops >&2; exit 4"],
                    env=self.environ,
                    stdin=b"hello",
                    guarded=guarded,
                )
                self.assertEqual((done.code, done.stdout), (4, b"hello"))
                self.assertEqual(done.stderr, b"oops\n")

        self.supervise(body)

    def test_a_program_that_does_not_exist_is_named(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            for guarded in (False, True):
                with self.assertRaisesRegex(UserError, "no-such was not found"):
                    await supervisor.run(["no-such"], env=self.environ, guarded=guarded)

        self.supervise(body)

    def test_64_children_run_at_once(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            children = [
                self.start(supervisor, f"echo {n} >>out.{n}; exit {n}", mark=f"f.{n}")
                for n in range(64)
            ]
            commands = [supervisor.run(["echo", str(n)], env=self.environ) for n in range(64)]
            for number, done in enumerate(await asyncio.gather(*commands)):
                self.assertEqual(done.text, str(number))
            for number, child in enumerate(children):
                self.assertTrue(await supervisor.wait(child))
                self.assertEqual(child.code, number)
                await supervisor.end(child)

        self.supervise(body)

    def test_large_inputs_and_outputs_arrive_whole(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            sent = os.urandom(1 << 20) * 10
            argv = ["sh", "-c", "cat; head -c 40000000 /dev/zero"]
            done = await supervisor.run(argv, env=self.environ, stdin=sent, guarded=True)
            self.assertEqual(len(done.stdout), len(sent) + 40_000_000)
            self.assertTrue(done.stdout.startswith(sent))

        self.supervise(body)

    def test_a_child_works_in_its_folder_with_its_files_and_its_mark(self) -> None:
        Path(self.folder, "in").write_text("the prompt")

        async def body(supervisor: Supervisor) -> None:
            child = supervisor.start(
                ["sh", "-c", f"pwd; cat; echo ${MARK} >&2; ls /proc/self/fd >&2"],
                env=self.environ,
                folder=self.folder,
                stdin=os.path.join(self.folder, "in"),
                stdout=os.path.join(self.folder, "out"),
                stderr=os.path.join(self.folder, "err"),
                mark="auth.1",
            )
            self.assertTrue(await supervisor.wait(child))
            await supervisor.end(child)

        self.supervise(body)
        self.assertEqual(self.read("out"), f"{self.folder}\nthe prompt")
        mark, *descriptors = self.read("err").split()
        self.assertEqual(mark, f"{self.run_id}/auth.1;")
        if LINUX:
            self.assertEqual(descriptors, sorted(descriptors))
        self.assertEqual(os.stat(os.path.join(self.folder, "out")).st_mode & 0o777, 0o600)

    def test_a_second_attempt_adds_to_the_files_of_the_first(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            for mark in ("f.1", "f.2"):
                child = self.start(supervisor, f"echo {mark}", mark=mark)
                self.assertTrue(await supervisor.wait(child))

        self.supervise(body)
        self.assertEqual(self.read("out"), "f.1\nf.2\n")

    def test_a_file_that_cannot_be_opened_is_named_and_nothing_starts(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            missing = os.path.join(self.folder, "missing", "out")
            with self.assertRaises(FileNotFoundError) as caught:
                supervisor.start(
                    ["true"],
                    env=self.environ,
                    folder=self.folder,
                    stdin=os.devnull,
                    stdout=missing,
                    stderr=missing,
                    mark="f.1",
                )
            self.assertEqual(caught.exception.filename, missing)

        self.supervise(body)

    def test_a_folder_that_is_gone_ends_the_child_with_a_complaint(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            child = supervisor.start(
                ["true"],
                env=self.environ,
                folder=os.path.join(self.folder, "gone"),
                stdin=os.devnull,
                stdout=os.path.join(self.folder, "out"),
                stderr=os.path.join(self.folder, "err"),
                mark="f.1",
            )
            self.assertTrue(await supervisor.wait(child))
            self.assertNotEqual(child.code, 0)

        self.supervise(body)
        self.assertIn("gone", self.read("err"))

    def test_waiting_ends_when_the_time_is_over(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            child = self.start(supervisor, LONG)
            self.assertFalse(await supervisor.wait(child, 0.01))
            await supervisor.end(child, AT_ONCE)
            self.assertTrue(await supervisor.wait(child, 0.01))
            self.assertEqual(child.code, -signal.SIGKILL)

        self.supervise(body)

    def test_an_interrupted_child_may_still_say_its_last_words(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            script = "trap 'echo cost; exit 7' INT; echo $$ >>pids; while :; do sleep 0.1; done"
            child = self.start(supervisor, script)
            await soon(self.pids)
            await supervisor.end(child, PATIENT)
            self.assertEqual(child.code, 7)

        self.supervise(body)
        self.assertIn("cost", self.read("out"))

    def test_a_child_that_ignores_every_polite_signal_is_killed(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            child = self.start(supervisor, STUBBORN)
            await soon(self.pids)
            await supervisor.end(child, LADDER)
            self.assertEqual(child.code, -signal.SIGKILL)
            self.assertEqual(living(self.pids()), [])

        self.supervise(body)

    def test_a_ladder_without_a_kill_leaves_a_stubborn_child_to_the_next(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            child = self.start(supervisor, STUBBORN)
            await soon(self.pids)
            await supervisor.end(child, ((signal.SIGINT, 0.05),))
            self.assertIsNone(child.code)
            await supervisor.end(child, AT_ONCE)
            self.assertEqual(child.code, -signal.SIGKILL)

        self.supervise(body)

    def test_the_whole_tree_is_gone_after_the_end(self) -> None:
        trees = {
            "in the group": GRANDCHILD,
            "in a session": SETSID,
            "an orphan": DOUBLE_FORK,
            "deaf to SIGTERM": DEAF,
        }
        if LINUX:
            trees["without the mark"] = UNMARKED

        async def body(supervisor: Supervisor, tree: str, last: str, lives: int) -> None:
            child = self.start(supervisor, tree + last)
            await soon(lambda: len(self.pids()) == lives)
            if last == "exit 0":
                self.assertTrue(await supervisor.wait(child))
            await supervisor.end(child, BRISK)
            self.assertEqual(living(self.pids()), [])

        for (name, tree), (last, lives) in itertools.product(
            trees.items(), ((LONG, 2), ("exit 0", 1))
        ):
            with self.subTest(name, last=last):
                Path(self.folder, "pids").unlink(missing_ok=True)
                self.supervise(functools.partial(body, tree=tree, last=last, lives=lives))

    @unittest.skipUnless(LINUX, "needs a sub-reaper")
    def test_what_an_orphan_started_goes_with_it(self) -> None:
        inner = 'env -i sh -c \'cd /; echo $$ >>"$0"; exec sleep 1000\' "$PWD/pids" & wait'
        script = f"(setsid sh -c '{inner.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}' &) ;"

        async def body(supervisor: Supervisor) -> None:
            child = self.start(supervisor, script)
            self.assertTrue(await supervisor.wait(child))
            await soon(self.pids)
            await supervisor.end(child)
            self.assertEqual(living(self.pids()), [])

        self.supervise(body)

    @unittest.skipUnless(LINUX, "needs a sub-reaper")
    def test_an_unmarked_orphan_elsewhere_is_the_only_childs_or_waits_for_the_end(self) -> None:
        inner = 'echo $$ >>"$P/pids"; cd /; exec sleep 1000'
        elsewhere = f"(env -i P=\"$PWD\" setsid sh -c '{inner}' &) ; "

        async def alone(supervisor: Supervisor) -> None:
            child = self.start(supervisor, elsewhere)
            self.assertTrue(await supervisor.wait(child))
            await soon(self.pids)
            await supervisor.end(child)
            self.assertEqual(living(self.pids()), [])

        self.supervise(alone)

    @unittest.skipUnless(LINUX, "needs a sub-reaper")
    def test_an_unmarked_orphan_is_found_in_a_folder_that_was_deleted(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            below = os.path.join(self.folder, "below")
            os.mkdir(below)
            child = self.start(supervisor, f"cd below; {UNMARKED.replace('pids', '../pids')}")
            self.assertTrue(await supervisor.wait(child))
            await soon(self.pids)
            os.rmdir(below)
            await supervisor.end(child)
            self.assertEqual(living(self.pids()), [])

        self.supervise(body)

    def test_a_grandchild_that_holds_the_output_open_blocks_nobody(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            child = self.start(supervisor, f"{SETSID} echo done")
            self.assertTrue(await supervisor.wait(child, DEADLINE_SECONDS))
            await soon(self.pids)
            await supervisor.end(child)
            self.assertEqual(living(self.pids()), [])
            script = f"cd '{self.folder}'; {SETSID} echo done"
            done = await supervisor.run(["sh", "-c", script], env=self.environ, guarded=True)
            self.assertEqual(done.text, "done")
            await soon(lambda: len(self.pids()) == 2)

        self.supervise(body)
        self.assertEqual(living(self.pids()), [])

    def test_the_end_of_one_attempt_leaves_the_trees_of_the_others_alone(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            folders = [os.path.join(self.folder, name) for name in ("a", "ab")]
            tree = GRANDCHILD + SETSID + DOUBLE_FORK + (UNMARKED if LINUX else "") + LONG
            children = []
            for number, folder in enumerate(folders):
                os.mkdir(folder)
                children.append(
                    self.start(supervisor, tree, folder=folder, mark=f"f.{number * 10 + 1}")
                )
            wanted = 5 if LINUX else 4
            await soon(lambda: all(len(self.pids(folder)) == wanted for folder in folders))
            await supervisor.end(children[0])
            self.assertEqual(living(self.pids(folders[0])), [])
            others = self.pids(folders[1])
            self.assertEqual(living(others), others)
            await supervisor.end(children[1])
            self.assertEqual(living(others), [])

        self.supervise(body)

    def test_a_command_that_is_cancelled_is_ended_first(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            for guarded in (False, True):
                script = f"cd '{self.folder}'; {GRANDCHILD} {LONG}"
                command = supervisor.run(["sh", "-c", script], env=self.environ, guarded=guarded)
                task = asyncio.create_task(command)
                wanted = len(self.pids()) + 2
                await soon(functools.partial(self.has, wanted))
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                self.assertEqual(living(self.pids()), [])

        self.supervise(body)

    def test_kill_all_ends_every_child_at_once_and_spares_the_guard(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            children = [self.start(supervisor, STUBBORN, mark=f"f.{n}") for n in range(3)]
            await soon(lambda: len(self.pids()) == 3)
            supervisor.kill_all()
            for child in children:
                self.assertTrue(await supervisor.wait(child))
                self.assertEqual(child.code, -signal.SIGKILL)
            done = await supervisor.run(["true"], env=self.environ, guarded=True)
            self.assertEqual(done.code, 0)

        self.supervise(body)

    def test_a_command_that_was_killed_with_all_has_no_answer(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            sleeping = ["sleep", "1000"]
            for guarded in (False, True):
                command = supervisor.run(sleeping, env=self.environ, guarded=guarded)
                task = asyncio.create_task(command)
                await asyncio.sleep(0)
                supervisor.kill_all()
                with self.assertRaisesRegex(Killed, "sleep was ended"):
                    await task
            failed = await supervisor.run(["false"], env=self.environ)
            self.assertEqual(failed.code, 1)

        self.supervise(body)

    def test_a_command_ends_soon_after_the_wish_that_its_task_heeds(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            async def command(wish: asyncio.Event, *argv: str) -> Finished:
                heed(wish)
                return await supervisor.run(argv, env=self.environ)

            wishes = [asyncio.Event() for _ in range(4)]
            slow = ("sh", "-c", "trap 'exit 3' TERM; sleep 1000 & wait")
            commands = [("sleep", "1000"), slow, ("sleep", "0.2"), ("sleep", "1000")]
            tasks = [asyncio.create_task(command(w, *c)) for w, c in zip(wishes, commands)]
            await asyncio.sleep(0)
            for wish in wishes[:3]:
                wish.set()
            for task in tasks[:2]:
                with self.assertRaisesRegex(Killed, "was ended"):
                    await task
            self.assertEqual((await tasks[2]).code, 0)
            self.assertFalse(tasks[3].done())
            supervisor.hurry()
            with self.assertRaises(Killed):
                await tasks[3]

        with unittest.mock.patch.multiple(
            supervisor_module, HEED_SECONDS=0.4, HEED_POLL_SECONDS=0.02
        ):
            self.supervise(body)

    def test_leaving_ends_every_child_that_still_runs(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            for number in range(3):
                self.start(supervisor, SETSID + STUBBORN, mark=f"f.{number}")
            await soon(lambda: len(self.pids()) == 6)
            raise KeyError("a bug")

        with self.assertRaisesRegex(KeyError, "a bug"):
            self.supervise(body)
        self.assertEqual(living(self.pids()), [])

    def test_the_guard_ends_what_an_interrupted_leaving_left(self) -> None:
        async def main() -> None:
            async def work() -> None:
                async with Supervisor(self.run_id) as supervisor:
                    self.start(supervisor, DOUBLE_FORK + LONG)
                    await asyncio.sleep(3600)

            task = asyncio.create_task(work())
            await soon(lambda: len(self.pids()) == 2)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(living(self.pids()), [])

        asyncio.run(main())

    def test_a_child_that_somebody_else_reaped_counts_as_ended(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            child = self.start(supervisor, "exit 3")
            os.waitpid(child.pid, 0)
            await supervisor.end(child)
            self.assertEqual(child.code, 0)

        self.supervise(body)

    def test_what_an_earlier_run_left_is_ended_by_its_mark(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            pids = [
                spawn(["sleep", "1000"], {**self.environ, MARK: mark}, [])
                for mark in (f"{self.run_id}a/f.1;", f"{self.run_id}ab/f.1;")
            ]
            other = supervisor._adopt(pids[1], "", "/")
            await supervisor.end_run(f"{self.run_id}a")
            self.assertEqual(living(pids), [other.pid])

        self.supervise(body)

    def test_a_run_inside_a_run_carries_both_marks(self) -> None:
        os.environ[MARK] = "outer/f.1;"
        self.addCleanup(os.environ.pop, MARK)
        self.assertEqual(Supervisor("inner").mark, "outer/f.1;inner/")

    def test_long_work_holds_up_nobody(self) -> None:
        gate = threading.Event()

        async def body(supervisor: Supervisor) -> None:
            work = asyncio.create_task(supervisor.apart(functools.partial(gate.wait, 20)))
            await asyncio.sleep(0)
            gate.set()  # not before the work waits for it, where that held the loop up
            self.assertTrue(await work)

        self.supervise(body)
        self.assertEqual(drive(Spawner().apart(lambda: 7)), 7)

    def test_what_asks_for_the_same_waits_and_the_others_go_on(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            inside = 0

            async def work() -> None:
                nonlocal inside
                async with supervisor.exclusive():
                    inside += 1
                    self.assertEqual(inside, 1)
                    await supervisor.pause(0.001)
                    inside -= 1

            await asyncio.gather(*(work() for _ in range(10)))

        self.supervise(body)

    def test_the_limit_of_open_files_is_raised_where_it_is_low(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        raise_descriptor_limit()
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.assertGreater(raised, 256)
        self.assertEqual(raise_descriptor_limit(), raised)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE)[0], raised)

    def test_more_slots_than_there_can_be_open_files_for_are_refused(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        limit = raise_descriptor_limit()
        fits = (int(limit) - 32) // 6
        check_descriptors(fits)
        with self.assertRaises(UserError) as caught:
            check_descriptors(fits + 1)
        needed = (fits + 1) * 6 + 32
        self.assertEqual(
            caught.exception.message,
            f"{fits + 1} slots can need {needed} open files, and the limit is {limit}",
        )
        self.assertEqual(
            caught.exception.hint,
            f"ulimit -n {needed}, or: rorchestrator run --max-parallel {fits}",
        )

    @unittest.skipUnless(LINUX, "only Linux has sub-reapers")
    def test_on_linux_orphans_come_to_us(self) -> None:
        self.assertTrue(become_subreaper())


class BeforeUsTest(ProcessTest):
    @unittest.skipUnless(LINUX, "needs /proc")
    def test_what_a_shell_began_before_it_became_us_is_not_ours(self) -> None:
        ends = DRIVER.replace("asyncio.sleep(3600)", "asyncio.sleep(0)")
        # So that it is older by the clock of the kernel.
        script = 'sleep 1000 & echo $! >pids; sleep 0.05; exec "$0" "$@"'
        words = [sys.executable, "-c", ends, self.run_id, self.folder, "1", DOUBLE_FORK + LONG]
        subprocess.run(
            ["/bin/sh", "-c", script, *words],
            cwd=self.folder,
            env={**self.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        job, *others = self.pids()
        self.assertEqual(living([job, *others]), [job])


class RemainsTest(unittest.TestCase):
    """What a guard takes for its own, on a machine made up for it: it began at 100."""

    def setUp(self) -> None:
        self.guard = table.Process(os.getpid(), 1, os.getpid(), "100")
        self.rows = [self.guard]
        self.environments: dict[int, bytes] = {}
        self.now = 50.0
        self.watched = guard.Watched()
        self.watched.seen[2] = "120"
        self.remains = guard.Remains(self.watched, "RUN=one/")
        for owner, name, value in (
            (table, "snapshot", lambda: {p.pid: p for p in self.rows}),
            (table, "_environment", lambda pid: b"\0" + self.environments.get(pid, b"A=b\0")),
            (table, "is_changing", lambda pid: self.environments.get(pid) == b""),
            (guard, "time", self),
        ):
            patch = unittest.mock.patch.object(owner, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def monotonic(self) -> float:
        return self.now

    def add(self, started: str = "120", pid: int = 2, parent: int = 1) -> None:
        self.rows.append(table.Process(pid, parent, pid, started))

    def look(self) -> list[int]:
        return [process.pid for process in self.remains.look()]

    def test_what_was_seen_below_the_run_is_ours_and_nothing_that_only_works_there(self) -> None:
        self.add()
        self.add(pid=3)
        self.assertEqual(self.look(), [2])

    def test_but_not_a_later_process_of_the_same_pid(self) -> None:
        self.add(started="121")
        self.assertEqual(self.look(), [])

    def test_what_it_starts_while_it_is_ended_is_ours_as_well(self) -> None:
        self.add()
        self.add(pid=3, parent=2, started="130")
        self.assertEqual(self.look(), [2, 3])
        self.rows = [self.guard]
        self.add(pid=3, started="130")
        self.assertEqual(self.look(), [3])

    def test_what_is_to_come_to_its_end_is_spared_with_all_below_it(self) -> None:
        self.add()
        self.add(pid=3, parent=2)
        self.watched.note(b"!2")
        self.assertEqual(self.look(), [])
        self.watched.note(b"-2")
        self.assertEqual(self.look(), [2, 3])

    def test_nor_is_the_mark_of_a_next_run_ours(self) -> None:
        self.add(pid=3)
        self.environments[3] = b"RUN=two/auth\0"
        self.assertEqual(self.look(), [])
        self.environments[3] = b"RUN=one/auth\0"
        self.assertEqual(self.look(), [3])

    def test_what_shows_no_environment_yet_is_waited_for(self) -> None:
        self.add(pid=3)
        self.environments[3] = b""
        self.assertEqual(self.look(), [])
        self.assertTrue(self.remains.unknown)
        self.environments[3] = b"RUN=one/auth\0"
        self.assertEqual(self.look(), [3])
        self.assertFalse(self.remains.unknown)

    def test_what_never_shows_one_is_a_stranger(self) -> None:
        self.add(pid=3)
        self.environments[3] = b""
        self.assertEqual(self.look(), [])
        self.now += guard.CHANGE_SECONDS / 2
        self.assertEqual(self.look(), [])
        self.assertTrue(self.remains.unknown)
        self.now += guard.CHANGE_SECONDS
        self.assertEqual(self.look(), [])
        self.assertFalse(self.remains.unknown)

    def test_a_guard_goes_only_when_all_processes_are_known(self) -> None:
        looks = []

        def look(remains: guard.Remains) -> list[table.Process]:
            looks.append(remains)
            remains.unknown = {(2, "120")} if len(looks) < 5 else set()
            return []

        with unittest.mock.patch.object(guard.Remains, "look", look):
            guard.end_all(guard.Watched(), "RUN=one/")
        self.assertEqual(len(looks), 4 + guard.QUIET_LOOKS)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def test_strangers_that_begin_one_after_the_other_hold_nobody_up(self) -> None:
        looks = 0
        quiet = 0
        while quiet < guard.QUIET_LOOKS:
            looks += 1
            self.add(pid=1000 + looks, started=str(120 + looks))
            self.environments[1000 + looks] = b""
            self.assertEqual(self.look(), [])
            quiet = 0 if self.remains.unknown else quiet + 1
            self.now += 0.1
            self.assertLess(looks, 20)


class GuardTest(ProcessTest):
    """What ends the children of an orchestrator that was killed."""

    def gone(self, folder: str = "") -> bool:
        marked = table.marked(table.snapshot(), f"{MARK}={self.run_id}/")
        return not marked and not living(self.pids(folder))

    def kill_driver(self, driver: subprocess.Popen[str]) -> None:
        driver.kill()
        driver.communicate()

    def test_twenty_kills_leave_nothing_running(self) -> None:
        trees = (LONG, DOUBLE_FORK + LONG, DEAF + LONG, SETSID + STUBBORN)
        for batch in (0, 10):
            with contextlib.ExitStack() as stack:
                folders = []
                for moment in range(batch, batch + 10):
                    folders.append(os.path.join(self.folder, str(moment)))
                    os.mkdir(folders[-1])
                    driver = self.driver(10, trees[moment % 4], folder=folders[-1])
                    stack.callback(self.kill_driver, driver)
                    assert driver.stdout is not None
                    driver.stdout.readline()
                for moment, folder in enumerate(folders, batch):
                    self.assertTrue(until(functools.partial(self.has, moment // 2, folder)))
            for folder in folders:
                self.assertTrue(until(functools.partial(self.gone, folder), 3.0), "left after 3 s")

    @unittest.skipUnless(LINUX, "needs /proc")
    def test_what_cleared_its_environment_is_ended_and_a_program_of_the_users_is_not(self) -> None:
        driver = self.driver(1, UNMARKED + LONG)
        editor = subprocess.Popen(
            ["sleep", "1000"], cwd=self.folder, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self.assertTrue(until(functools.partial(self.has, 2, self.folder)))
            time.sleep(3 * guard.LOOK_SECONDS)  # nothing shows that the guard has looked
        finally:
            self.kill_driver(driver)
        self.assertTrue(until(functools.partial(self.gone, self.folder), 3.0), "left after 3 s")
        until(lambda: False, 2 * guard.LOOK_SECONDS)
        self.assertIsNone(editor.poll())
        editor.kill()
        editor.wait()

    @unittest.skipUnless(LINUX, "needs /proc")
    def test_the_family_of_a_run_is_what_began_below_it_after_the_guard(self) -> None:
        rows = [
            table.Process(10, 1, 10, "50"),
            table.Process(os.getpid(), 10, 1, "100"),
            table.Process(11, 10, 1, "99"),
            table.Process(12, 11, 1, "120"),
            table.Process(13, 10, 1, "120"),
            table.Process(14, 13, 1, "130"),
        ]
        started = {row.pid: row.started for row in rows}
        with unittest.mock.patch.object(table, "started", started.get):
            family = guard.Family(10)
        with unittest.mock.patch.object(table, "snapshot", lambda: {p.pid: p for p in rows}):
            self.assertEqual(family.look(), {13: "120", 14: "130"})
            rows[0] = table.Process(10, 1, 10, "200")
            self.assertEqual(family.look(), {})
            del rows[0]
            self.assertEqual(family.look(), {})

    def test_a_run_inside_a_killed_run_goes_with_it(self) -> None:
        inner = f'exec "{sys.executable}" -c "$DRIVER" inner "$PWD" 3 "$SCRIPT"'
        outer = self.driver(
            1, inner, DRIVER=DRIVER, SCRIPT=DOUBLE_FORK + LONG, PYTHONPATH=str(ROOT)
        )
        try:
            self.assertTrue(until(lambda: len(self.pids()) == 6))
        finally:
            self.kill_driver(outer)
        self.assertTrue(until(self.gone, 4.0))

    def test_children_start_and_end_as_ever_when_somebody_killed_the_guard(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            watching = supervisor._guard
            assert watching is not None
            os.kill(watching.pid, signal.SIGKILL)
            await supervisor.wait(watching)
            done = await supervisor.run(["echo", "hello"], env=self.environ, guarded=True)
            self.assertEqual((done.code, done.stdout, done.stderr), (0, b"hello\n", b""))
            child = self.start(supervisor, f"yes | head -n 1; {DOUBLE_FORK} {LONG}")
            await soon(lambda: len(self.pids()) == 2)
            await supervisor.end(child)
            self.assertEqual(living(self.pids()), [])

        self.supervise(body)
        self.assertEqual(self.read("err"), "")

    def test_after_a_normal_end_the_guard_is_gone_as_well(self) -> None:
        guards: list[int] = []

        async def body(supervisor: Supervisor) -> None:
            assert supervisor._guard is not None
            guards.append(supervisor._guard.pid)
            self.assertEqual(living(guards), guards)

        self.supervise(body)
        self.assertEqual(living(guards), [])

    def watch(self, *lines: str, script: str = LONG) -> tuple[int, int]:
        """A child's pid and code after a guard in this process read ``lines``."""
        script = f"cd '{self.folder}'; {script}"
        pid = spawn(["sh", "-c", script], {**self.environ, MARK: f"{self.run_id}/x;"}, [])
        self.assertTrue(until(self.pids))
        ignored = {number: signal.getsignal(number) for number in guard.IGNORED}
        held = os.dup(0)
        reading, writing = os.pipe()
        os.dup2(reading, 0)
        os.close(reading)
        try:
            os.write(writing, "".join(lines).format(pid=pid).encode())
            os.close(writing)
            guard.main(f"{MARK}={self.run_id}/", os.getpid())
        finally:
            os.dup2(held, 0)
            os.close(held)
            for number, handler in ignored.items():
                signal.signal(number, handler)
        with contextlib.suppress(ProcessLookupError):
            if not living([pid]):
                return pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return pid, 0

    def test_a_guard_ends_the_groups_that_registered(self) -> None:
        _, code = self.watch("+{pid}\n")
        self.assertEqual(code, -signal.SIGTERM)

    def test_a_guard_looks_at_the_family_until_the_pipe_closes(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        looks: list[dict[int, str]] = [{7: "9"}, {}]

        def look() -> dict[int, str]:
            if len(looks) == 1:
                os.close(writing)
            return looks.pop(0)

        family = unittest.mock.Mock(look=look)
        with unittest.mock.patch.multiple(guard, LOOK_SECONDS=0, LOOK_SHARE=0):
            self.assertEqual(guard.watch(reading, family).seen, {7: "9"})

    def test_a_guard_ends_marked_processes_whose_group_is_done(self) -> None:
        _, code = self.watch("+{pid}\n", "-{pid}\n", script=STUBBORN)
        self.assertEqual(code, -signal.SIGKILL)

    def test_a_dismissed_guard_ends_nothing(self) -> None:
        _, code = self.watch("+{pid}\n", "q\n")
        self.assertEqual(code, 0)

    @unittest.skipUnless(LINUX, "needs /proc")
    def test_a_process_is_changing_while_it_shows_no_environment(self) -> None:
        pid = spawn(["sleep", "1000"], {"PATH": self.environ["PATH"]}, [])
        self.assertTrue(until(lambda: bool(table._environment(pid)[1:])))
        self.assertFalse(table.is_changing(pid))
        with unittest.mock.patch.object(table, "_environment", {pid: b"\0"}.get):
            self.assertTrue(table.is_changing(pid))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.assertFalse(table.is_changing(pid))

    def test_the_guards_command_line_finds_its_module_from_anywhere(self) -> None:
        done = subprocess.run(
            guard.command(f"{MARK}=nothing/", os.getpid()),
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
