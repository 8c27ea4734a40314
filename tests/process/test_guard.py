"""The guard ends everything that a killed orchestrator left behind."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time
import unittest
import unittest.mock

from core.process import guard, table
from core.process.spawner import spawn
from core.process.supervisor import (
    MARK,
    Supervisor,
)
from core.views import keyboard
from tests.support.processes import (
    DEAF,
    DOUBLE_FORK,
    DRIVER,
    LINUX,
    LONG,
    ROOT,
    SETSID,
    STUBBORN,
    UNMARKED,
    ProcessTest,
    living,
    soon,
    tearDownModule,  # noqa: F401
    until,
)
from tests.support.terminals import PseudoTerminal


class TheTerminalTest(unittest.TestCase):
    """What the guard restores after a SIGKILL of the orchestrator."""

    def setUp(self) -> None:
        self.terminal = PseudoTerminal()
        self.addCleanup(self.terminal.__exit__)
        self.before = self.settings()
        termios.tcsetattr(self.terminal.theirs, termios.TCSANOW, keyboard.single_keys(self.before))
        self.ours = self.settings()
        known = {"before": guard.as_json(self.before), "ours": guard.as_json(self.ours)}
        self.how = json.dumps({**known, "closing": "\x1b[?7h"}).encode()

    def settings(self) -> keyboard.Settings:
        return termios.tcgetattr(self.terminal.theirs)

    def test_settings_are_restored_and_the_closing_sequences_written(self) -> None:
        guard.restore_terminal(self.terminal.theirs, self.how)
        self.assertEqual(self.settings(), self.before)
        self.assertEqual(self.terminal.read(), "\x1b[?7h")

    def test_settings_that_a_shell_has_changed_since_stay(self) -> None:
        changed = self.settings()
        changed[3] = self.before[3]
        termios.tcsetattr(self.terminal.theirs, termios.TCSANOW, changed)
        changed = self.settings()
        guard.restore_terminal(self.terminal.theirs, self.how)
        self.assertEqual(self.settings(), changed)
        self.assertEqual(self.terminal.read(), "\x1b[?7h")

    def test_a_terminal_that_takes_nothing_does_not_hold_up_the_guard(self) -> None:
        os.set_blocking(self.terminal.theirs, False)
        # Soon after a write, the kernel may make room again: until it takes nothing for a while.
        while select.select([], [self.terminal.theirs], [], 0.05)[1]:
            with contextlib.suppress(BlockingIOError):
                os.write(self.terminal.theirs, b"x" * 4096)
        guard.restore_terminal(self.terminal.theirs, self.how)
        self.assertEqual(self.settings(), self.before)

    def test_without_a_terminal_or_a_change_nothing_happens(self) -> None:
        guard.restore_terminal(self.terminal.theirs, b"")
        self.assertEqual(self.settings(), self.ours)
        with open(os.devnull) as nothing:
            guard.restore_terminal(nothing.fileno(), self.how)
        watched = guard.Watched()
        watched.read(b"T" + self.how)
        self.assertEqual((watched.terminal, watched.finished), (self.how, False))
        watched.read(b"T")
        self.assertEqual(watched.terminal, b"")


class StartTest(unittest.TestCase):
    def test_a_guard_imports_no_slow_modules(self) -> None:
        program = "import sys; from core.process.guard import main; print(*sys.modules)"
        argv = [sys.executable, "-S", "-c", program]
        done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        imported = done.stdout.decode().split()
        self.assertIn("core.process.table", imported)
        self.assertEqual({"asyncio", "contextlib", "json", "subprocess"} & {*imported}, set())


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

    def scan(self) -> list[int]:
        return [process.pid for process in self.remains.scan()]

    def test_processes_seen_below_the_run_are_ours_and_those_only_in_its_folder_are_not(
        self,
    ) -> None:
        self.add()
        self.add(pid=3)
        self.assertEqual(self.scan(), [2])

    def test_but_not_a_later_process_of_the_same_pid(self) -> None:
        self.add(started="121")
        self.assertEqual(self.scan(), [])

    def test_processes_started_during_the_end_are_ended_too(self) -> None:
        self.add()
        self.add(pid=3, parent=2, started="130")
        self.assertEqual(self.scan(), [2, 3])
        self.rows = [self.guard]
        self.add(pid=3, started="130")
        self.assertEqual(self.scan(), [3])

    def test_a_child_that_must_finish_is_spared_with_its_children(self) -> None:
        self.add()
        self.add(pid=3, parent=2)
        self.watched.read(b"!2")
        self.assertEqual(self.scan(), [])
        self.watched.read(b"-2")
        self.assertEqual(self.scan(), [2, 3])

    def test_processes_with_the_mark_of_a_later_run_are_spared(self) -> None:
        self.add(pid=3)
        self.environments[3] = b"RUN=two/auth\0"
        self.assertEqual(self.scan(), [])
        self.environments[3] = b"RUN=one/auth\0"
        self.assertEqual(self.scan(), [3])

    def test_a_process_without_an_environment_yet_is_waited_for(self) -> None:
        self.add(pid=3)
        self.environments[3] = b""
        self.assertEqual(self.scan(), [])
        self.assertTrue(self.remains.unknown)
        self.environments[3] = b"RUN=one/auth\0"
        self.assertEqual(self.scan(), [3])
        self.assertFalse(self.remains.unknown)

    def test_a_process_without_a_readable_environment_is_a_stranger(self) -> None:
        self.add(pid=3)
        self.environments[3] = b""
        self.assertEqual(self.scan(), [])
        self.now += guard.EXEC_SECONDS / 2
        self.assertEqual(self.scan(), [])
        self.assertTrue(self.remains.unknown)
        self.now += guard.EXEC_SECONDS
        self.assertEqual(self.scan(), [])
        self.assertFalse(self.remains.unknown)

    def test_a_guard_ends_only_when_all_processes_are_known(self) -> None:
        looks = []

        def scan(remains: guard.Remains) -> list[table.Process]:
            looks.append(remains)
            remains.unknown = {(2, "120")} if len(looks) < 5 else set()
            return []

        with unittest.mock.patch.object(guard.Remains, "scan", scan):
            guard.end_all(guard.Watched(), "RUN=one/")
        self.assertEqual(len(looks), 4 + guard.EMPTY_SCANS)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def test_strangers_that_begin_one_after_the_other_hold_nobody_up(self) -> None:
        looks = 0
        quiet = 0
        while quiet < guard.EMPTY_SCANS:
            looks += 1
            self.add(pid=1000 + looks, started=str(120 + looks))
            self.environments[1000 + looks] = b""
            self.assertEqual(self.scan(), [])
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
    def test_a_child_that_cleared_its_environment_is_ended_and_the_users_program_is_not(
        self,
    ) -> None:
        driver = self.driver(1, UNMARKED + LONG)
        editor = subprocess.Popen(
            ["sleep", "1000"], cwd=self.folder, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self.assertTrue(until(functools.partial(self.has, 2, self.folder)))
            time.sleep(3 * guard.SCAN_SECONDS)  # nothing shows that the guard has looked
        finally:
            self.kill_driver(driver)
        self.assertTrue(until(functools.partial(self.gone, self.folder), 3.0), "left after 3 s")
        until(lambda: False, 2 * guard.SCAN_SECONDS)
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
            family = guard.Descendants(10)
        with unittest.mock.patch.object(table, "snapshot", lambda: {p.pid: p for p in rows}):
            self.assertEqual(family.scan(), {13: "120", 14: "130"})
            rows[0] = table.Process(10, 1, 10, "200")
            self.assertEqual(family.scan(), {})
            del rows[0]
            self.assertEqual(family.scan(), {})

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

        def scan() -> dict[int, str]:
            if len(looks) == 1:
                os.close(writing)
            return looks.pop(0)

        family = unittest.mock.Mock(scan=scan)
        with unittest.mock.patch.multiple(guard, SCAN_SECONDS=0, SCAN_SHARE=0):
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
