"""Process trees of children: tracked and ended."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import resource
import signal
import subprocess
import sys
import threading
import unittest
import unittest.mock
from pathlib import Path

from core.model.errors import UserError
from core.process import spawner, table
from core.process import supervisor as supervisor_module
from core.process.companion import Companion
from core.process.spawner import Finished, Spawner, run_sync, spawn, start_early
from core.process.supervisor import (
    AT_ONCE,
    BRISK,
    MARK,
    PATIENT,
    Killed,
    Supervisor,
    become_subreaper,
    check_descriptors,
    end_commands_on,
    raise_descriptor_limit,
)
from tests.support.processes import (
    DEADLINE_SECONDS,
    DEAF,
    DOUBLE_FORK,
    DRIVER,
    GRANDCHILD,
    LADDER,
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

    def test_a_command_that_was_started_early_and_not_asked_for_has_ended(self) -> None:
        start_early(["sleep", "60"], self.environ)
        (*_, scratch) = spawner._early[-1]

        async def body(supervisor: Supervisor) -> None:
            self.assertEqual(spawner._early, [])
            with self.assertRaises(ChildProcessError):
                os.waitpid(scratch.pid, os.WNOHANG)

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
    def test_children_of_an_orphan_are_ended_with_it(self) -> None:
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
                with self.assertRaisesRegex(Killed, "sleep was cancelled"):
                    await task
            failed = await supervisor.run(["false"], env=self.environ)
            self.assertEqual(failed.code, 1)

        self.supervise(body)

    def test_a_command_ends_soon_after_its_task_is_cancelled(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            async def command(cancelled: asyncio.Event, *argv: str) -> Finished:
                end_commands_on(cancelled)
                return await supervisor.run(argv, env=self.environ)

            wishes = [asyncio.Event() for _ in range(4)]
            slow = ("sh", "-c", "trap 'exit 3' TERM; sleep 1000 & wait")
            commands = [("sleep", "1000"), slow, ("sleep", "0.05"), ("sleep", "1000")]
            tasks = [asyncio.create_task(command(w, *c)) for w, c in zip(wishes, commands)]
            await asyncio.sleep(0)
            for cancelled in wishes[:3]:
                cancelled.set()
            for task in tasks[:2]:
                with self.assertRaisesRegex(Killed, "was cancelled"):
                    await task
            self.assertEqual((await tasks[2]).code, 0)
            self.assertFalse(tasks[3].done())
            supervisor.end_commands()
            with self.assertRaises(Killed):
                await tasks[3]

        with unittest.mock.patch.multiple(
            supervisor_module, CANCEL_GRACE_SECONDS=1.5, CANCEL_POLL_SECONDS=0.02
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

    def test_processes_of_an_earlier_run_are_ended_by_its_mark(self) -> None:
        async def body(supervisor: Supervisor) -> None:
            pids = [
                spawn(["sleep", "1000"], {**self.environ, MARK: mark}, [])
                for mark in (f"{self.run_id}a/f.1;", f"{self.run_id}ab/f.1;")
            ]
            other = supervisor._adopt(pids[1], "", "/")
            await soon(lambda: not any(map(table.is_changing, pids)))
            await supervisor.end_run(f"{self.run_id}a")
            self.assertEqual(living(pids), [other.pid])

        self.supervise(body)

    def test_a_companion_outlives_the_sweep_that_ends_everything_else_of_the_run(self) -> None:
        mark = f"{os.environ.get(MARK, '')}{self.run_id}/~web;"
        argv = ["/bin/sh", "-c", "sleep 1000 & echo $!; read -r line; kill $!"]
        companion = Companion(argv, {**self.environ, MARK: mark})
        below = int(companion.first_line())

        async def main() -> None:
            async with Supervisor(self.run_id, [companion.pid]) as supervisor:
                self.start(supervisor, f"{DOUBLE_FORK}exit 0")
                await soon(lambda: self.has(1) and supervisor._strays())
                strays = {process.pid for process in supervisor._strays()}
                self.assertFalse(strays & {companion.pid, below})

        asyncio.run(main())
        self.assertEqual(living(self.pids()), [])
        self.assertEqual(living([companion.pid, below]), [companion.pid, below])
        companion.end()
        self.assertTrue(until(lambda: not living([below])))

    def test_a_run_inside_a_run_carries_both_marks(self) -> None:
        os.environ[MARK] = "outer/f.1;"
        self.addCleanup(os.environ.pop, MARK)
        self.assertEqual(Supervisor("inner").mark, "outer/f.1;inner/")

    def test_long_work_holds_up_nobody(self) -> None:
        gate = threading.Event()

        async def body(supervisor: Supervisor) -> None:
            work = asyncio.create_task(supervisor.in_thread(functools.partial(gate.wait, 20)))
            await asyncio.sleep(0)
            gate.set()  # not before the work waits for it, where that held the loop up
            self.assertTrue(await work)

        self.supervise(body)
        self.assertEqual(run_sync(Spawner().in_thread(lambda: 7)), 7)

    def test_exclusive_sections_wait_for_each_other_and_other_work_continues(self) -> None:
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
            f"{fits + 1} slots may need {needed} open files, but the limit is {limit}",
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
    def test_processes_started_by_the_shell_before_it_became_ours_are_spared(self) -> None:
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
