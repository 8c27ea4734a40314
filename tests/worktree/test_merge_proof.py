"""Proof that a branch is merged, in real repositories."""

from __future__ import annotations

import os
import unittest

from core.process.spawner import run_sync
from core.worktree.manager import WorktreeManager
from core.worktree.merge_proof import how_merged
from tests.support.once import skip_if_run_elsewhere
from tests.support.worktrees import WorktreeTest, changed

setUpModule = skip_if_run_elsewhere


class MergedTest(WorktreeTest):
    """How a branch's work is proved to be in another."""

    def merged(self, tip: str, target: str = "main", manager: WorktreeManager | None = None) -> str:
        commit = self.repository.commit_of(tip)
        return run_sync(
            how_merged(manager or self.manager, commit, self.repository.commit_of(target))
        )

    def test_a_merged_branch_is_an_ancestor(self) -> None:
        self.on("x", {"new": "x"}, start="main")
        self.on("main", {"other": "x"})
        self.repository.git("merge", "-q", "-m", "merge", "x")
        self.assertEqual(self.merged("x"), "ancestor")
        self.assertEqual(self.merged("main"), "ancestor")

    def test_a_commit_that_git_has_collected_is_merged_nowhere(self) -> None:
        proof = how_merged(self.manager, "5" * 40, self.repository.commit_of("main"))
        self.assertEqual(run_sync(proof), "")

    def test_a_branch_that_took_everything_back_has_an_empty_difference(self) -> None:
        self.on("x", {"new": "x"}, start="main")
        self.on("x", {"new": None})
        self.on("main", {"other": "x"})
        self.assertEqual(self.merged("x"), "empty difference")

    def test_another_way_to_the_same_files_is_an_equal_tree(self) -> None:
        self.on("x", {"one": "1", "two": "2"}, start="main")
        self.on("main", {"one": "1"})
        self.on("main", {"two": "2"})
        self.assertEqual(self.merged("x"), "equal trees")
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({})
        self.assertEqual(self.merged("alone"), "equal trees")

    def test_a_squash_that_the_base_kept_makes_a_merge_add_nothing(self) -> None:
        self.on("x", {"new": "1\n"}, start="main")
        self.on("x", {"new": "1\n2\n"})
        self.on("main", {"other": "x"})
        self.repository.git("merge", "-q", "--squash", "x")
        self.on("main", {"another": "x"})
        self.assertEqual(self.merged("x"), "merge adds nothing")
        self.assertEqual(self.merged("x", manager=self.with_old_git()), "merge adds nothing")

    def test_the_same_lines_in_another_place_of_a_file_prove_nothing(self) -> None:
        block = "if ready:\n    start()\n    wait()\n    stop()\nend\n"
        old, new = block * 9, block.replace("wait", "poll")

        def with_new(number: int) -> str:
            return block * (number - 1) + new + block * (9 - number)

        self.on("main", {"a": old})
        one = self.on("x", {"a": with_new(7)}, start="main")
        self.on("y", {"a": with_new(7)}, start="main")
        self.on("y", {"b": "b\n"})
        self.on("main", {"a": with_new(3)})
        for manager in (self.manager, self.with_old_git()):
            self.assertEqual(self.merged("x", manager=manager), "")
        self.on("main", {"b": "b\n"})
        self.assertEqual(self.merged("y"), "", "each of its changes, one of them elsewhere")
        # Once it really was copied, it stays proved, whatever comes later.
        self.on("main", {"a": old})
        self.repository.git("cherry-pick", one)
        self.on("main", {"a": "another\n"})
        for manager in (self.manager, self.with_old_git()):
            self.assertEqual(self.merged("x", manager=manager), "same changes")

    def test_a_copy_in_a_history_of_its_own_proves_nothing(self) -> None:
        self.on("main", {"a": "1\n"})
        self.on("x", {"a": "2\n"}, start="main")
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({"a": "1\n"})
        self.repository.commit({"a": "2\n"})
        self.repository.git("checkout", "-q", "main")
        words = ("merge", "-q", "-m", "m", "-s", "ours", "--allow-unrelated-histories", "alone")
        self.repository.git(*words)
        self.assertEqual(self.merged("x"), "")

    def test_a_rebased_branch_has_the_same_changes_though_the_base_changed_them_again(self) -> None:
        one = self.on("x", {"a": changed(_3="x")}, start="main")
        two = self.on("x", {"b": "b\n"})
        self.on("main", {"c": "c"})
        self.repository.git("cherry-pick", one, two)
        self.on("main", {"a": changed(_3="later")})
        self.assertEqual(self.merged("x"), "same changes")
        self.assertEqual(self.merged("x", manager=self.with_old_git()), "same changes")

    def test_a_squash_is_found_though_the_base_changed_the_same_lines_again(self) -> None:
        self.on("x", {"a": changed(_3="x")}, start="main")
        self.on("x", {"a": changed(_3="y"), "b": "b\n"})
        self.on("main", {"c": "c"})
        self.repository.git("merge", "-q", "--squash", "x")
        self.on("main", {})
        self.on("main", {"a": changed(_3="later")})
        self.assertEqual(self.merged("x"), "squashed")

    def test_work_that_is_nowhere_else_is_never_merged(self) -> None:
        self.on("x", {"a": changed(_3="x")}, start="main")
        self.on("y", {"new": "same\n"}, start="main")
        self.on("y", {"more": "only here\n"})
        self.on("main", {"a": changed(_3="main"), "new": "same\n"})
        self.assertEqual(self.merged("x"), "", "another change of the same line")
        self.assertEqual(self.merged("y"), "", "only a part of it arrived")
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({"alone": "x"})
        self.assertEqual(self.merged("alone"), "", "no common history")

    def test_a_shallow_base_proves_nothing(self) -> None:
        self.on("x", {"new": "x"}, start="main")
        self.on("main", {"other": "x"})
        shallow = os.path.join(self.repository.root, "shallow")
        url = f"file://{self.repository.path}"
        self.repository.git("clone", "-q", "--depth=1", "--no-single-branch", url, shallow)
        manager = self.open(shallow)
        self.assertEqual(self.merged("x", manager=manager), "")


if __name__ == "__main__":
    unittest.main()
