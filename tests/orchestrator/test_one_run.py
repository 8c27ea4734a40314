"""Runs that are interrupted or killed, and the runs after them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import time
import unittest
import unittest.mock

from core.journal.journal import Journal
from core.model import events
from core.model.mask import Mask
from core.model.outcome import Fault, FeatureOutcome, Status
from core.orchestrator.one_run import OneRun
from core.orchestrator.run_options import RunOptions
from core.process.supervisor import Killed
from core.process.temporary_folder import PREFIX
from core.project.open import open_project
from core.worktree.names import SPARE
from tests.support.commands import HAS_PROC, standing_in, terminal, wait_until
from tests.support.past_runs import story
from tests.support.runs import ENDS, SIGNALS, RunTest
from tests.support.workspace import Workspace, feature


class InterruptedTest(RunTest):
    def test_a_signal_ends_everything_and_leaves_a_consistent_journal_and_a_report(self) -> None:
        for number, code in SIGNALS.items():
            with self.subTest(signal=number.name):
                self.use(Workspace(apart=True))
                self.workspace.features(
                    self.held("a"), self.held("b"), feature("c", depends_on=["a"])
                )
                running = self.start_held("a", "b")
                running.signal(number)
                done = running.end()
                self.assert_code(done, code)
                self.assertEqual(self.workspace.processes(), [])
                self.assert_statuses(a="cancelled", b="cancelled", c="cancelled")
                self.assertEqual(self.workspace.last("a")["fault"], "interrupted")
                self.assertEqual(
                    self.workspace.last("c")["reason"], "interrupted before it started"
                )
                self.assertEqual(self.workspace.journal()[-1]["exit_code"], code)
                self.assertEqual(self.workspace.report()["failed"], 3)
                self.assertEqual(self.workspace.report()["total_cost_usd"], 0.1)
                self.assertIn("Stopping", done.err)
                self.assertIn("claude --resume", done.out)

    def test_the_next_run_resumes_the_session(self) -> None:
        self.workspace.features(self.held("a", {"write": "a.md"}))
        running = self.start_held("a")
        running.signal(signal.SIGINT)
        running.end()
        self.assertEqual(self.reasons(), {"a": "resume: interrupted"})
        self.workspace.touch("a.go")
        done = self.run_to(0)
        self.assertIn("a: resumed (interrupted)", done.err)
        (_, first, _), (number, second, resumed) = self.workspace.attempts("a")
        self.assertEqual((number, second, resumed), (2, first, True))
        self.assertEqual(self.workspace.added("feature/a"), {"a.md"})

    def test_a_second_signal_kills_at_once(self) -> None:
        deaf = {"ignore": ["SIGINT", "SIGTERM"]}
        path = self.workspace.beside
        self.workspace.features(feature("a", deaf, {"write": path("a.began")}, {"wait": path("x")}))
        running = self.start_held("a")
        running.signal(signal.SIGINT)
        wait_until(lambda: "again to kill it" in running.err, "the first signal is heard")
        began = time.monotonic()
        running.signal(signal.SIGINT)
        self.assert_code(running.end(), 130)
        self.assertLess(time.monotonic() - began, 8, "the patient way takes 10 seconds")
        self.assertEqual(self.workspace.processes(), [])
        self.assert_statuses(a="cancelled")
        self.assertFalse(self.workspace.report()["cost_is_complete"])

    def test_work_that_claude_finished_is_committed_although_the_run_was_stopped(self) -> None:
        self.workspace.hook("pre-commit", self.gate("committing", "commit"))
        self.workspace.features(feature("a"))
        running = self.workspace.start("run", "--yes")
        self.wait_for("committing")
        running.signal(signal.SIGTERM)
        wait_until(lambda: "Stopping" in running.err, "the signal is heard")
        self.workspace.touch("commit")
        self.assert_code(running.end(), 143)
        self.assert_statuses(a="completed")

    def test_a_second_signal_during_a_slow_commit_interrupts_and_nothing_failed(
        self,
    ) -> None:
        self.workspace.hook("pre-commit", self.gate("held", "go"))
        self.interrupt_twice()

    def test_a_second_signal_during_a_slow_checkout_interrupts_and_nothing_failed(self) -> None:
        self.workspace.commit({".gitattributes": "* filter=slow\n"})
        slow = f"{self.gate('held', 'go')}; cat"
        self.workspace.git("config", "filter.slow.smudge", slow)
        self.interrupt_twice()

    def interrupt_twice(self) -> None:
        """Ctrl-C, and again, while git is held; then the next run."""
        self.workspace.features(feature("a"))
        running = self.workspace.start("run", "--yes")
        self.wait_for("held")
        running.signal(signal.SIGINT)
        wait_until(lambda: "again to kill it" in running.err, "the first signal is heard")
        running.signal(signal.SIGINT)
        self.assert_code(running.end(), 130)
        self.assert_statuses(a="cancelled")
        self.assertEqual(self.workspace.last("a")["fault"], "interrupted")
        self.workspace.touch("go")
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)

    def test_a_second_signal_while_nothing_has_begun_yet_has_the_code_of_a_signal(self) -> None:
        self.workspace.features(feature("a"))

        async def killed(run: OneRun, *_: object) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            while run.signals.received is None:
                await asyncio.sleep(0.001)
            raise Killed("git was cancelled")

        with unittest.mock.patch.object(OneRun, "_run_features", killed):
            done = self.workspace.start("run", "--yes").end()
        self.assert_code(done, 143)
        self.assertIn("git was cancelled", done.err)

    def gate(self, here: str, go: str) -> str:
        """Shell that makes one file and waits for the other."""
        path = self.workspace.beside
        return f"touch '{path(here)}'; while [ ! -e '{path(go)}' ]; do sleep 0.02; done"

    def test_nohup_is_respected(self) -> None:
        self.workspace.features(self.held("a"))
        running = self.workspace.start("run", "--yes", under=("nohup",))
        self.wait_for("a.began")
        running.signal(signal.SIGHUP)
        self.workspace.touch("a.go")
        self.assert_code(running.end(), 0)
        self.assertNotIn("Stopping", running.err)

    def test_a_terminal_that_closes_ends_the_run_in_order(self) -> None:
        self.workspace.features(self.held("a"))
        with terminal() as (ours, theirs):
            running = self.workspace.start("run", "--yes", terminal=theirs)
            os.close(theirs)
            self.wait_for("a.began")
            os.close(ours)
            self.assertEqual(running.end().code, 129)
        self.nothing_runs()
        self.assert_statuses(a="cancelled")
        self.assertEqual(self.workspace.journal()[-1]["exit_code"], 129)
        self.assertEqual(self.workspace.report()["failed"], 1)


class KilledTest(RunTest):
    """The orchestrator is gone without a word: as by ``kill -9``, or a crash."""

    def test_nothing_is_left_running_and_the_next_run_resumes_the_session(self) -> None:
        tool = {"bash": "sleep 60 & touch tool; sleep 61"}
        path = self.workspace.beside
        self.workspace.features(
            feature("a", {"write": path("a.began")}, {"wait": path("a.go")}, {"write": "a.md"}),
            feature("b", tool),
        )
        running = self.start_held("a")
        wait_until(lambda: os.path.exists(f"{self.workspace.worktree('b')}/tool"), "b's tool")
        running.kill()
        self.nothing_runs()
        self.assertEqual(self.reasons(), {"a": "resume: interrupted", "b": "resume: interrupted"})
        self.workspace.touch("a.go")
        self.run_to(0, "--only", "a")
        (_, first, _), (_, second, resumed) = self.workspace.attempts("a")
        self.assertEqual((first, True), (second, resumed))
        self.assert_statuses(a="completed", b="cancelled")
        self.assertEqual(self.workspace.last("b")["reason"], "the run was killed")

    @unittest.skipUnless(HAS_PROC, "needs /proc")
    def test_the_next_run_ends_processes_that_survived_a_killed_guard(self) -> None:
        self.workspace.features(self.held("a"), self.held("b"))
        left = self.kill_with_the_guard()
        self.workspace.touch("b.go")
        self.run_to(0, "--only", "b")
        self.assertFalse(left & set(self.workspace.processes()))

    @unittest.skipUnless(HAS_PROC, "needs /proc")
    def test_survivors_are_ended_even_if_the_next_run_was_killed_first(self) -> None:
        self.workspace.features(self.held("a"), self.held("b"))
        left = self.kill_with_the_guard()
        run = self.workspace.journal()[-1]["run"]
        journal = Journal(self.workspace.state_folder)
        journal.open()
        for id in ("a", "b"):  # as far as the recovery came
            lost = FeatureOutcome(Status.CANCELLED, "the run was killed", Fault.INTERRUPTED)
            journal.append(events.ended(time.time(), run, id, lost))
        journal.close()
        self.workspace.touch("b.go")
        self.run_to(0, "--only", "b")
        self.assertFalse(left & set(self.workspace.processes()))

    @unittest.skipUnless(HAS_PROC, "needs /proc")
    def test_what_a_killed_run_left_is_gone_even_if_no_feature_is_left_to_run(self) -> None:
        self.workspace.features(self.held("a"), self.held("b"), feature("c"))
        self.run_to(0, "--only", "c")
        left = self.kill_with_the_guard()
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=self.workspace.temporary)
        with standing_in(self.workspace.folder, self.workspace.environ):
            spare = open_project("", "", Mask({})).worktrees.scratch_path(SPARE)
        self.workspace.git("worktree", "add", "--quiet", "--detach", spare)
        self.assertIn("up to date", self.run_to(0, "--only", "c").err)
        self.assertFalse(left & set(self.workspace.processes()))
        self.assertFalse(os.path.exists(folder))
        self.assertFalse(os.path.exists(spare))
        self.assertNotIn(spare, self.workspace.git("worktree", "list"))

    def test_the_folder_of_a_run_killed_after_its_end_is_gone_even_if_nothing_is_left(self) -> None:
        self.workspace.features(feature("a"))
        self.run_to(0)
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=self.workspace.temporary)
        self.assertIn("up to date", self.run_to(0).err)
        self.assertFalse(os.path.exists(folder))

    def kill_with_the_guard(self) -> set[int]:
        """A run in which ``a`` and ``b`` are held, killed; what survived."""
        running = self.start_held("a", "b")
        for pid in self.workspace.processes():
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if b"process.guard" in file.read():
                    os.kill(pid, signal.SIGKILL)
        running.kill()
        left = set(self.workspace.processes())
        self.assertTrue(left)
        return left

    def test_a_merge_driver_of_the_users_that_hangs_is_ended_as_well(self) -> None:
        repository = self.workspace
        repository.commit({"a.txt": "one\n"})
        repository.write({".git/info/attributes": "a.txt merge=slow\n"})
        slow = f"touch '{self.workspace.beside('held')}'; sleep 60"
        repository.git("config", "merge.slow.driver", slow)
        sides = [feature(id, {"write": "a.txt", "content": id}) for id in ("a", "b")]
        self.workspace.features(*sides, feature("c", depends_on=["a", "b"]))
        running = self.workspace.start("run", "--yes")
        self.wait_for("held")
        running.kill()
        self.nothing_runs()

    def test_an_unknown_session_starts_over_on_the_kept_worktree(self) -> None:
        path = self.workspace.beside
        hold = ({"write": path("a.began")}, {"wait": path("a.go")})
        self.workspace.features(feature("a", {"write": "early"}, *hold, {"write": "late"}))
        self.start_held("a").kill()
        self.nothing_runs()
        for name in os.listdir(self.workspace.sessions):
            os.unlink(os.path.join(self.workspace.sessions, name))
        worktree = self.workspace.worktree("a")
        with open(os.path.join(worktree, "by-hand"), "w") as file:
            file.write("x")
        self.workspace.touch("a.go")
        self.run_to(0)
        self.assertEqual(
            [resumed for *_, resumed in self.workspace.attempts("a")], [False, True, False]
        )
        self.assertEqual(self.workspace.added("feature/a"), {"early", "by-hand", "late"})

    def test_killed_between_claudes_success_and_the_commit_claude_is_not_paid_again(self) -> None:
        path = self.workspace.beside
        self.workspace.hook(
            "pre-commit", f"touch '{path('committing')}'; [ -e '{path('go')}' ] || sleep 60"
        )
        self.workspace.features(feature("a"))
        running = self.workspace.start("run", "--yes")
        self.wait_for("committing")
        running.kill()
        self.nothing_runs()
        self.workspace.touch("go")
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.assertEqual(self.workspace.added("feature/a"), {"a.md"})
        self.assertEqual(len(self.workspace.ref("a")), 1)

    def test_killed_after_the_result_and_before_the_journal_nothing_runs_again(self) -> None:
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]))
        self.run_to(0, "--only", "a")
        before = self.workspace.last("a")
        path = os.path.join(self.workspace.state_folder, "journal.jsonl")
        with open(path) as file:
            lines = file.readlines()
        with open(path, "w") as file:
            file.writelines(line for line in lines if json.loads(line)["event"] not in ENDS)
        done = self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        after = self.workspace.last("a")
        same = ("commit", "files_changed", "insertions", "deletions", "run", "status")
        self.assertEqual([after[key] for key in same], [before[key] for key in same])
        self.assertIn("up to date", done.err)
        self.assertEqual(self.workspace.report()["features"], ["b"])

    def test_an_event_that_was_torn_is_cut_off_with_a_word(self) -> None:
        self.workspace.features(feature("a"))
        self.run_to(0)
        with open(os.path.join(self.workspace.state_folder, "journal.jsonl"), "a") as file:
            file.write('{"v":1,"event":"run_sta')
        done = self.run_to(0)
        self.assertIn("cut off 23 bytes", done.err)
        self.assertEqual(self.workspace.journal()[-1]["event"], "run_ended")


class ForecastTest(unittest.TestCase):
    """What past runs change: reservations, the order, what is expected."""

    def test_reservations_are_the_p90_once_five_runs_are_known(self) -> None:
        with Workspace([feature("auth", estimated_tokens=10_000), feature("api")]) as space:
            for number in range(5):
                space.record(*story(f"r{number}", 100.0 * number, "", "auth"))

            def estimates(cap_usd: float) -> dict[str, float]:
                with standing_in(space.folder, space.environ):
                    project = open_project("", "", Mask({}))
                    return dict(OneRun(project, RunOptions(max_cost_usd=cap_usd)).budget.estimates)

            self.assertEqual(estimates(9.0), {"auth": 0.5, "api": 0.3})
            self.assertEqual(estimates(0.4)["auth"], 0.4, "never above the budget")

    def test_a_run_records_what_was_expected_of_it(self) -> None:
        with Workspace([feature("auth"), feature("api", tags=["core"])]) as space:
            space.record(*story("r1", 100.0, "", "auth"))
            self.assertEqual(space.run("--only", "api", "--max-parallel", "1").code, 0)
            [_, started] = space.events("run_started")
            self.assertEqual(started["estimates"], {"api": [10.0, 0.5]})
            self.assertEqual(started["estimated_seconds"], 10.0)
            self.assertEqual(started["tags"], {"api": ["core"]})
