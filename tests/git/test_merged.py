"""Proof of a merge: equal patches, squash merges, empty diffs."""

from __future__ import annotations

import os

from core.git import (
    commits,
    merged,
    merging,
    worktree_status,
)
from core.git.output import DiffStat
from core.process.spawner import run_sync
from tests.support.git import MISSING, GitTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class CompareTest(GitTest):
    """What one commit has that another has not."""

    def test_the_difference_is_counted(self) -> None:
        first = self.repository.commit({"a": "1\n2\n3\n", "b": "x\n", "c": b"\0"})
        second = self.repository.commit({"a": "1\n3\n4\n5\n", "b": None, "moved": "x\n"})
        self.assertEqual(run_sync(commits.diffstat(self.git, first, second)), DiffStat(2, 2, 1))
        self.assertEqual(run_sync(commits.diffstat(self.git, first, first)), DiffStat())
        self.refused(commits.diffstat(self.git, first, MISSING), "compare commits")

    def test_a_branch_that_took_its_changes_back_adds_nothing(self) -> None:
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"a": "1"})
        self.assertFalse(run_sync(merged.is_empty_diff(self.git, "x", "main")))
        self.repository.commit({"a": None})
        self.assertTrue(run_sync(merged.is_empty_diff(self.git, "x", "main")))
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({"a": "1"})
        self.assertFalse(run_sync(merged.is_empty_diff(self.git, "alone", "main")))

    def test_a_merge_is_forecast(self) -> None:
        if not self.git.merges_without_worktree:
            self.skipTest("needs git 2.38")
        self.repository.commit({"a": "1\n", "é": "1\n"})
        for name, content in (("one", "one\n"), ("two", "two\n")):
            self.repository.git("checkout", "-q", "-b", name, "main")
            self.repository.commit({"a": content, "é": content, name: ""})
        self.repository.git("checkout", "-q", "-b", "clean", "main")
        self.repository.commit({"clean": ""})
        self.assertEqual(run_sync(merging.merged_tree(self.git, "one", "two")), ("", ["a", "é"]))
        tree, files = run_sync(merging.merged_tree(self.git, "one", "clean"))
        self.assertEqual(files, [])
        self.assertEqual(set(self.repository.files(tree)), {"README.md", "a", "clean", "one", "é"})
        self.refused(merging.merged_tree(self.git, "one", MISSING), "could not merge")

    def test_a_file_in_conflict_with_a_folder_has_its_own_name(self) -> None:
        if not self.git.merges_without_worktree:
            self.skipTest("needs git 2.38")
        sides = []
        for number, name in enumerate(("a~1", "a~1/b")):
            self.repository.git("checkout", "-q", "-b", f"side{number}", "main")
            sides.append(self.repository.commit({name: "1\n"}))
        for one, other in (sides, sides[::-1]):
            self.assertEqual(run_sync(merging.merged_tree(self.git, one, other)), ("", ["a~1"]))

    def test_a_copied_commit_is_recognised_wherever_it_went(self) -> None:
        lines = [f"{n}\n" for n in range(40)]
        self.repository.commit({"a": "".join(lines)})
        self.repository.git("checkout", "-q", "-b", "x")
        lines[30] = "changed\n"
        self.repository.commit({"a": "".join(lines)})
        picked = self.repository.commit({"new": "x\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"a": "top\n" + self.repository.git("show", "HEAD:a") + "\n"})
        self.repository.git("cherry-pick", "main..x")
        copy = self.repository.commit_of("main")
        self.repository.commit({"new": "y\n"})
        self.assertEqual(run_sync(merged.equivalent(self.git, "x", "main")), copy)
        self.repository.git("checkout", "-q", "x")
        self.repository.commit({}, "nothing")
        self.assertEqual(run_sync(merged.equivalent(self.git, "x", "main")), "")
        self.repository.git("reset", "-q", "--hard", picked)
        self.assertFalse(run_sync(merged.squashed(self.git, "x", "main")))
        self.assertFalse(run_sync(merged.equivalent(self.git, "main", "main")))
        self.assertTrue(run_sync(merged.equivalent(self.git, picked, "main")))

    def test_a_change_of_white_space_is_a_change(self) -> None:
        self.repository.commit({"a.py": "if x:\n    one()\ntwo()\n"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"a.py": "if x:\n    one()\n    three()\ntwo()\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"a.py": "if x:\n    one()\nthree()\ntwo()\n"})
        self.assertFalse(run_sync(merged.equivalent(self.git, "x", "main")))
        self.assertFalse(run_sync(merged.squashed(self.git, "x", "main")))

    def test_another_content_of_a_binary_file_is_a_change(self) -> None:
        self.repository.commit({"logo": b"\0one"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"logo": b"\0two"})
        self.repository.git("checkout", "-q", "-b", "same", "main")
        self.repository.commit({"logo": b"\0two"}, "another message")
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"logo": b"\0three"})
        self.assertFalse(run_sync(merged.squashed(self.git, "x", "main")))
        self.assertTrue(run_sync(merged.squashed(self.git, "x", "same")))

    def test_a_merge_among_the_commits_is_never_taken_for_copied(self) -> None:
        self.repository.git("checkout", "-q", "-b", "x")
        first = self.repository.commit({"a": "1\n"})
        self.repository.git("checkout", "-q", "-b", "y", "main")
        second = self.repository.commit({"b": "1\n"})
        self.repository.git("merge", "-q", "--no-commit", "x")
        self.repository.commit({"c": "only in the merge\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"z": ""})
        self.repository.git("cherry-pick", first, second)
        self.assertFalse(run_sync(merged.equivalent(self.git, "y", "main")))

    def test_a_squash_is_recognised_with_renames_and_after_later_changes(self) -> None:
        self.repository.commit({"old": "".join(f"{n}\n" for n in range(30)), "a": "1\n"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.git("mv", "old", "new")
        self.repository.commit({"a": "2\n"})
        self.repository.commit({"a": "3\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"unrelated": "x\n"})
        self.repository.git("merge", "-q", "--squash", "x")
        self.repository.commit({}, "the squash")
        self.repository.commit({"a": "4\n", "new": "gone\n"})
        self.assertTrue(run_sync(merged.squashed(self.git, "x", "main")))
        self.assertFalse(run_sync(merged.equivalent(self.git, "x", "main")))

    def test_an_unrelated_history_holds_no_squash(self) -> None:
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({"a": "1"})
        self.assertFalse(run_sync(merged.squashed(self.git, "alone", "main")))
        self.assertFalse(run_sync(merged.equivalent(self.git, "alone", "main")))

    def test_no_program_of_the_repositorys_config_compares(self) -> None:
        trace = self.beside("trace")
        self.repository.git("checkout", "-q", "-b", "x")
        tip = self.repository.commit({".gitattributes": "* diff=x\n", "a": "1\n"})
        for key in ("diff.external", "diff.x.command", "diff.x.textconv", "core.fsmonitor"):
            self.repository.git("config", key, f"touch '{trace}'; false")
        for question in (merged.equivalent, merged.squashed, merged.is_empty_diff):
            self.assertFalse(run_sync(question(self.git, tip, "main")))
        run_sync(commits.diffstat(self.git, "main", tip))
        run_sync(worktree_status.status_of(self.git, self.repository.path))
        self.assertFalse(os.path.exists(trace))
