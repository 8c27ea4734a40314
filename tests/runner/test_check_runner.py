"""Check commands: what they may change, what they leave, what is not repeated."""

from __future__ import annotations

import os
from unittest import mock

from core.model.errors import StateError
from core.model.feature import Command
from core.model.outcome import Fault
from core.project import feature_list
from core.runner.check_runner import check_key
from core.worktree.check_artifacts import CheckArtifacts
from tests.support.checks import PAUSE, ChecksTest
from tests.support.runner import run_id


class Running(ChecksTest):
    def test_a_check_that_leaves_a_daemon_behind_leaves_nothing(self) -> None:
        self.lists(project={"verify": ["(setsid sleep 300 >/dev/null 2>&1 &) ; true"]})
        self.completes()
        self.assertEqual(self.workspace.processes(), [])

    def test_a_check_that_changes_tracked_files_fails_and_the_change_is_checked_next(self) -> None:
        self.lists(
            {"write": "a.txt", "content": "wild\n"},
            project={"verify": ["echo tidy > a.txt", "grep tidy a.txt"]},
        )
        self.completes()
        notes = "\n".join(self.notes())
        self.assertIn("`echo tidy > a.txt` changed a.txt: it did not check the commit", notes)
        content = self.workspace.content("feature/a:a.txt")
        self.assertEqual(content, b"tidy\n")

    def test_a_check_that_commits_fails(self) -> None:
        project = {"verify": ["git commit -q --allow-empty -m more"], "verify_attempts": 0}
        self.lists(project=project)
        self.fails(Fault.CHECK, "changed the branch")
        self.assertEqual(self.workspace.ref("a"), [])

    def test_a_check_that_switches_the_branch_fails(self) -> None:
        self.lists(project={"verify": ["git switch -q -c other"], "verify_attempts": 0})
        self.fails(Fault.CHECK, "changed the branch")
        self.assertEqual(self.workspace.ref("a"), [])

    def test_a_log_of_theirs_that_cannot_be_written_ends_the_run(self) -> None:
        self.lists(project={"verify": ["true"]})
        os.makedirs(self.workspace.beside("logs", run_id(1), "a.verify.log"))
        with self.assertRaisesRegex(StateError, "a.verify.log can't be written"):
            self.run_feature()

    def test_a_passing_check_is_not_repeated_on_the_same_tree(self) -> None:
        self.lists({"write": "a.txt"}, project={"verify": ["touch ../checked; test -f a.txt"]})
        self.completes()
        os.unlink(self.workspace.beside("worktrees", "checked"))
        self.completes()
        self.assertFalse(os.path.exists(self.workspace.beside("worktrees", "checked")))
        self.lists({"write": "a.txt"}, {"write": "b"}, project={"verify": ["touch ../checked"]})
        self.completes()
        self.assertTrue(os.path.exists(self.workspace.beside("worktrees", "checked")))

    def test_results_are_remembered_by_tree_command_and_cleanliness(self) -> None:
        self.lists(project={"verify": ["make a", ["make", "a"], "make b"]})
        commands = feature_list.load(self.workspace.list_file).project.verify
        keys = {check_key("tree", command) for command in commands}
        keys |= {check_key("other", command) for command in commands}
        keys |= {check_key("tree", command, clean=True) for command in commands}
        self.assertEqual(len(keys), 9)
        keys |= {check_key("tree", command, supplied="c0ffee") for command in commands}
        self.assertEqual(len(keys), 12)

    def test_results_that_older_journals_have_are_known(self) -> None:
        old = check_key("tree", Command(("make", "a"), "make a"))
        self.assertEqual(old, "8cab6c0ea408a99f28d5")


class WhatChecksLeave(ChecksTest):
    """Files that no .gitignore names: reports, caches."""

    def test_only_build_products_are_removed_after_all_checks_passed(self) -> None:
        mess = "mkdir -p .tox/deep kept; touch .tox/deep/a kept/cache.pyc .coverage"
        self.lists(
            {"write": ".env"}, {"write": "kept/a.txt"}, project={"verify": [mess, "test -d .tox"]}
        )
        self.completes()
        expected = [".coverage", ".env", ".git", "README.md", "kept"]
        self.assertEqual(sorted(os.listdir(self.here())), expected)
        self.assertEqual(os.listdir(self.here("kept")), ["a.txt"])

    def test_claude_sees_the_files_of_a_failing_check_and_they_are_not_committed(
        self,
    ) -> None:
        red = "date +%N >> report.xml; touch snapshot; test ! -f bad"
        self.lists(
            {"write": "bad"},
            PAUSE,
            {"bash": "test -s report.xml && touch saw-it"},
            PAUSE,
            {"bash": "rm bad; echo mine > snapshot"},
            project={"verify": [red]},
        )
        self.completes()
        self.assertEqual(self.workspace.added("feature/a"), {"saw-it", "snapshot"})
        self.assertTrue(os.path.exists(self.here("report.xml")))

    def test_a_check_that_keeps_failing_leaves_the_worktree_for_inspection(self) -> None:
        self.lists(verify=["touch report.xml; false"], project={"verify_attempts": 0})
        self.fails(Fault.CHECK, "ended with exit 1")
        self.assertTrue(os.path.exists(self.here("report.xml")))

    def test_nothing_is_taken_away_through_a_link_nor_what_was_changed_since(self) -> None:
        for name in ("a", "b", "deep/c", "gone", "folder/x"):
            self.workspace.write({name: "1"}, at=self.workspace.beside("outside"))
        folder = self.workspace.beside("outside")
        left = CheckArtifacts(folder)
        left.record(["a", "b", "deep/c", "gone", "never", "folder/"])
        self.assertEqual(left.files, ["a", "b", "deep/c", "gone"])
        with open(os.path.join(folder, "b"), "a", encoding="utf-8") as file:
            file.write("mine")
        os.unlink(os.path.join(folder, "gone"))
        os.rename(os.path.join(folder, "deep"), os.path.join(folder, "moved"))
        os.symlink("moved", os.path.join(folder, "deep"))
        self.assertEqual(left.files, ["a"])
        left.remove(["a", "b", "c"])
        self.assertEqual(sorted(os.listdir(folder)), ["b", "deep", "folder", "moved"])
        self.assertEqual(os.listdir(os.path.join(folder, "moved")), ["c"])
        self.assertEqual(left.files, [])

    def test_files_of_unknown_origin_are_no_work_and_stay_until_a_check_writes_them(self) -> None:
        folder = self.workspace.beside("outside")
        for name in ("a", "b", "c"):
            self.workspace.write({name: "1"}, at=folder)
        left = CheckArtifacts(folder)
        left.ignore(["a", "b", "c", "never"])
        left.record(["a", "b"])
        self.assertEqual(left.files, ["a", "b", "c"])
        for name in ("b", "c"):
            self.workspace.write({name: "more"}, at=folder)
        left.record(["b"])
        self.assertEqual(left.files, ["a", "b"])
        left.remove(["a", "b"])
        self.assertEqual(sorted(os.listdir(folder)), ["a", "c"])

    def test_an_artifact_that_cannot_be_removed_stays(self) -> None:
        folder = self.workspace.beside("outside")
        self.workspace.write({"deep/a": "1"}, at=folder)
        left = CheckArtifacts(folder)
        left.record(["deep/a"])
        with mock.patch.object(os, "unlink", side_effect=PermissionError):
            left.remove(["deep/a"])
        self.assertEqual(os.listdir(os.path.join(folder, "deep")), ["a"])
