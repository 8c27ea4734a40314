"""Kills at some crash points; ``python3 -m tests.faults.crash --every`` does them all.

And the laboratory itself: it has to notice what it looks for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest

from tests.faults import skip_unless_wanted
from tests.faults.crash import Arena, Laboratory, Round, every
from tests.faults.template import Cached, Checked, Edited, Meeting, Retried, Shop, Template
from tests.support.commands import HAS_PROC
from tests.support.once import once

setUpModule = skip_unless_wanted

VARIABLE = "RORCHESTRATOR_TEST_CRASH"
"""``0`` where ``python3 -m tests.faults.crash --kinds`` runs too, which kills at more points."""

SAMPLE = (
    "journal run_started: torn",
    "journal committing pages: torn",
    "git worktree add worktrees/api *: killed",
    "git checkout feature/views in views: killed",
    "git commit feat(auth): The auth in auth: killed",
    "git update-ref refs/rorchestrator/results/store/RUN * : finished",
    "agent site: at work, guard killed too",
    "replace plan/reports/report_TIME.json.tmp",
    "setup store: at work",
    "git worktree add worktrees/_base~scratch *: killed",
    "verify _base: at work",
    "journal checked shop: whole",
    "journal judged store: torn",
    "journal judged store (4): whole",
    "git worktree add worktrees/_start_store~scratch *: killed",
    "verify _start_store: at work",
    "journal landing auth: whole",
    "git read-tree * *: begun",
    "journal merged auth: torn",
    "merge: verify ~merge: at work",
    "merge: git update-ref rorchestrator merge refs/heads/release * *: begun",
    "merge: journal landing auth: torn",
)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class CrashTest(unittest.TestCase):
    laboratory: Laboratory

    @classmethod
    def setUpClass(cls) -> None:
        cls.laboratory = Laboratory()
        cls.addClassCleanup(cls.laboratory.close)

    @unittest.skipIf(os.environ.get(VARIABLE) == "0", f"{VARIABLE}=0")
    def test_a_kill_at_any_point_loses_nothing_and_leaves_nothing_running(self) -> None:
        laboratory = self.laboratory
        report = every(laboratory, SAMPLE, "")
        self.assertEqual([verdict.problems for verdict in report.broken], [])
        self.assertEqual(report.missed, [])
        self.assertGreaterEqual(report.figures.kills, len(SAMPLE))

    def test_kills_of_the_recovery_lose_nothing_either(self) -> None:
        faults = ({"number": 120}, {"number": 30, "commands": True}, {"after_seconds": 0.3})
        verdict = self.laboratory.round("three kills", faults, "")
        self.assertEqual(verdict.problems, [])
        self.assertGreaterEqual(verdict.figures.kills, 2)

    def test_there_are_points_before_and_after_every_step_of_a_feature(self) -> None:
        steps = ("preparing", "based", "setting_up", "ready", "attempt_started", "attempt_ended")
        more = ("verifying", "committing", "checking", "checked", "ended", "landing", "merged")
        for step in (*steps, *more):
            for half in ("torn", "whole"):
                self.assertIn(f"journal {step} api: {half}", self.laboratory.points)
        for state in ("begun", "killed", "finished"):
            self.assertIn(f"git worktree add worktrees/api *: {state}", self.laboratory.points)


RELOADED = (
    "journal reloaded: torn",
    "journal reloaded: whole",
    "replace repository/.git/rorchestrator/running_list.json.tmp (2)",
    "journal preparing shop: torn",
    "journal ended shop: torn",
)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class ReloadTest(unittest.TestCase):
    def test_a_kill_while_a_changed_list_is_taken_up_loses_nothing(self) -> None:
        with Laboratory(jobs=2, template=Edited("quick")) as laboratory:
            self.assertEqual(set(RELOADED) - set(laboratory.points), set())
            self.assertNotIn("journal preparing site: whole", laboratory.points)
            report = laboratory.kill_at(RELOADED)
        self.assertEqual([verdict.problems for verdict in report.broken], [])
        self.assertEqual(report.missed, [])
        self.assertEqual(report.figures.kills, len(RELOADED))


RESOLVED = (
    "journal resolution_started both: whole",
    "agent both: at work, guard killed too",
    "journal resolution_ended both: torn",
    "journal resolved both: torn",
    "journal based both: torn",
    "journal ended both: torn",
    "journal run_ended: whole",
)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class ResolutionTest(unittest.TestCase):
    def test_a_kill_while_a_conflict_of_dependencies_is_resolved_loses_nothing(self) -> None:
        with Laboratory(jobs=2, template=Meeting("quick")) as laboratory:
            refs = "git update-ref refs/rorchestrator/resolutions/two/"
            kept = [point for point in laboratory.points if point.startswith(refs)]
            self.assertEqual(len(kept), 3)
            report = laboratory.kill_at((*RESOLVED, kept[-1]))
        self.assertEqual([verdict.problems for verdict in report.broken], [])
        self.assertEqual(report.missed, [])
        self.assertEqual(report.figures.kills, len(RESOLVED) + 1)


STORED = (
    "copy repository/.git/rorchestrator/setup-cache/.new-KEY/1/one",
    "rename repository/.git/rorchestrator/setup-cache/.new-KEY",
    "journal setup_stored: torn",
    "copy worktrees/store~removing/0/two",
    "rename worktrees/store~removing/0",
)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class CachedTest(unittest.TestCase):
    def test_a_kill_while_folders_of_a_setup_are_stored_or_copied_leaves_none_mixed(self) -> None:
        with Laboratory(jobs=2, template=Cached()) as laboratory:
            report = every(laboratory, STORED, "")
        self.assertEqual([verdict.problems for verdict in report.broken], [])
        self.assertEqual(report.missed, [])
        self.assertEqual(report.figures.kills, len(STORED))


LAST = (
    "journal ended store: torn",
    "journal ended store: whole",
    "rename worktrees/_spare_~scratch (2)",
)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class CheckedTest(unittest.TestCase):
    def test_a_kill_after_the_last_result_leaves_no_temporary_worktree(self) -> None:
        with Laboratory(jobs=2, template=Checked()) as laboratory:
            report = laboratory.kill_at(LAST)
        self.assertEqual([verdict.problems for verdict in report.broken], [])
        self.assertEqual(report.missed, [])
        self.assertEqual(report.figures.kills, len(LAST))


class NoticingTest(unittest.TestCase):
    """What a round says when something does not hold."""

    laboratory: Laboratory

    @classmethod
    def setUpClass(cls) -> None:
        cls.laboratory = Laboratory(jobs=1, template=cls.template())
        cls.addClassCleanup(cls.laboratory.close)

    @classmethod
    def template(cls) -> Template:
        return Template("quick", {"store": [], "search": ["store"]})

    def setUp(self) -> None:
        # A round that is through and has nothing to complain of.
        using = self.laboratory.launchers.one()
        self.round = Round(
            Arena(self.laboratory.template, using.__enter__()), self.laboratory.trees
        )
        self.addCleanup(using.__exit__, None, None, None)
        self.addCleanup(self.round.arena.close)
        for words in self.round.commands:
            self.assertFalse(self.round.kill(words))
        self.round.look_at_what_is_left()
        self.assertEqual(self.round.problems, [])

    def git(self, *words: str) -> str:
        code, said = self.round.arena.git(*words)
        self.assertEqual(code, 0, said)
        return said

    def assert_noticed(self, *expected: str) -> None:
        self.round.look()
        said = "\n".join(self.round.problems)
        for words in expected:
            self.assertIn(words, said)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class NoticeTest(NoticingTest):
    def test_a_commit_and_files_that_nothing_holds_are_noticed(self) -> None:
        for ref in self.round.arena.refs():
            if ref.startswith(("refs/heads/feature/", "refs/rorchestrator/")):
                self.git("update-ref", "-d", ref)
        shutil.rmtree(os.path.join(self.round.arena.root, "worktrees"))
        self.assert_noticed("commits that no ref holds", "files that are nowhere", "other trees")
        self.assertGreater(self.round.figures.commits_lost, 0)
        self.assertGreater(self.round.figures.files_lost, 0)
        self.assertEqual(self.round.figures.features_lost, 2)

    def test_a_process_that_lives_on_is_noticed(self) -> None:
        left = subprocess.Popen(["sleep", "60"], env=self.round.arena.environ)
        self.addCleanup(left.wait)
        self.addCleanup(left.kill)
        self.assert_noticed(f"alive after 3.0 s: {left.pid} (sleep 60 in ")

    def test_a_feature_that_ran_again_and_a_second_result_are_noticed(self) -> None:
        self.git("update-ref", "refs/rorchestrator/results/search/new", "feature/search")
        with open(os.path.join(self.round.arena.root, "starts"), "a") as file:
            file.write("search\n")
        self.assert_noticed("ran again though they had a result: ['search']", "results: ")
        self.assertEqual(self.round.figures.results_doubled, 1)
        self.assertEqual(self.round.figures.agent_runs_paid_again, 1)

    def test_changes_visible_to_the_user_are_noticed(self) -> None:
        self.git("reset", "--quiet", "--hard")
        self.git("branch", "stray")
        self.assert_noticed("the user's status, index, refs changed")

    def test_a_broken_repository_is_noticed(self) -> None:
        objects = os.path.join(self.round.arena.repository, ".git", "objects")
        commit = self.round.arena.refs()["refs/heads/feature/store"]
        os.unlink(os.path.join(objects, commit[:2], commit[2:]))
        self.assert_noticed("git fsck: exit")
        self.assertGreater(self.round.figures.fsck_errors, 0)

    def test_a_run_that_fails_is_noticed(self) -> None:
        with open(
            os.path.join(self.round.arena.root, "plan/config/feature_list.json"), "w"
        ) as file:
            file.write("{")
        self.assertFalse(self.round.kill(self.round.commands[0]))
        self.round.problems += self.round.arena.status()
        self.assert_noticed("run ended with 2", "exit 2")


@unittest.skipUnless(HAS_PROC, "needs /proc")
class NoticeLandingTest(NoticingTest):
    @classmethod
    def template(cls) -> Template:
        return Shop("quick", {"store": []})

    def test_a_branch_that_moves_again_and_a_feature_that_lands_twice_are_noticed(self) -> None:
        message = self.git("log", "-1", "--format=%B", "release")
        tree = self.git("rev-parse", "main^{tree}").strip()
        commit = self.git("commit-tree", tree, "-p", "release", "-m", message).strip()
        self.git("update-ref", "refs/heads/release", commit)
        expected = ("release moved again", "not what is to land", "release has Counter({'store': 2")
        self.assert_noticed(*expected)
        self.assertEqual(self.round.figures.landed_twice, 1)

    def test_a_check_that_is_repeated_and_a_checkout_that_is_not_clean_are_noticed(self) -> None:
        arena = self.round.arena
        with open(os.path.join(arena.root, "checks"), "a") as file:
            file.write(f"{arena.lines('checks')[-1]}\n")
        with open(os.path.join(arena.checkout, "new.py"), "w"):
            pass
        self.assert_noticed("checks that were green already", "the checkout: exit 0: ?? new.py")
        self.assertEqual(self.round.figures.checks_repeated, 1)

    def test_scratch_worktrees_that_stay_are_noticed(self) -> None:
        os.mkdir(os.path.join(self.round.arena.root, "worktrees", "_base~scratch"))
        self.assertEqual(self.round.arena.scratch(), ["_base~scratch"])


@once
@unittest.skipUnless(HAS_PROC, "needs /proc")
class RetryTest(unittest.TestCase):
    """A retry of a completed feature: what its user says is neither lost nor given twice."""

    ROUNDS = (
        (
            "retry: journal commented auth: whole",
            "retry: journal steered auth: whole",
            "journal reopened auth: torn",
            "journal reopened auth: whole",
            "journal comments_sent auth: torn",
        ),
        ("retry: agent auth: at work", "journal comments_sent auth: whole"),
        ("retry: git update-ref refs/rorchestrator/results/auth/RUN * : finished",),
    )

    def test_a_kill_at_any_step_of_a_retry_loses_no_comment(self) -> None:
        with Laboratory(jobs=1, template=Retried()) as laboratory:
            for points in self.ROUNDS:
                with laboratory.launchers.one() as launcher:
                    each = Round(Arena(laboratory.template, launcher), laboratory.trees)
                    self.assertEqual(each.go_through(points), [])
                    self.assertEqual(each.problems, [])
                    comments = each.arena.lines("comments")
                    sent = [event["comments"] for event in each.arena.events("comments_sent")]
                    each.close()
                # It may be given twice, but as the same one.
                self.assertEqual([f"Comment {id}" for ids in sent for id in ids], comments[-1:])
                self.assertEqual(len(set(comments)), 1)


if __name__ == "__main__":
    unittest.main()
