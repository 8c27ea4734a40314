"""Merges, in a worktree and without one."""

from __future__ import annotations

import os

from core.git import (
    checkouts,
    commits,
    history,
    merged,
    merging,
)
from core.process.spawner import run_sync
from tests.support.git import MISSING, GitTest, make_worktree
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class LandingTest(GitTest):
    """Commits made once more, and a checkout that is moved."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.repository.path
        self.first = self.repository.commit_of("main")
        self.second = self.repository.commit({"a": "1\n"}, "second\n\nWhy: \u00e9\n")
        self.third = self.repository.commit({"a": "2\n"}, "third")

    def test_own_commits_come_oldest_first_with_their_parents(self) -> None:
        self.repository.git("checkout", "-q", "-b", "side", self.first)
        side = self.repository.commit({"b": ""}, "side")
        self.repository.git("merge", "-q", "--no-ff", "-m", "both", "main")
        tip = self.repository.commit({"c": ""}, "on top")
        merge = self.repository.commit_of("side~1")
        own = run_sync(history.own_commits(self.git, tip, [self.third]))
        both = (side, self.third)
        self.assertEqual(own, [(side, (self.first,)), (merge, both), (tip, (merge,))])
        everything = dict(run_sync(history.own_commits(self.git, tip, [])))
        self.assertEqual(everything[self.first], ())
        self.assertEqual(set(everything), {self.first, self.second, self.third, *both, merge, tip})

    def test_a_commit_is_made_again_with_author_date_and_message(self) -> None:
        self.repository.git("checkout", "-q", "--detach", self.first)
        who = {"GIT_AUTHOR_NAME": "Zo\u00eb", "GIT_AUTHOR_DATE": "@12345 +0130"}
        self.repository.git("commit", "-q", "--allow-empty", "-m", "Some\n\nwords \u00e9", env=who)
        commit = self.repository.commit_of("HEAD")
        tree = run_sync(self.git.tree_of(self.third))
        made = run_sync(history.recreate_commit(self.git, commit, tree, self.third))
        seen = self.repository.git("log", "-1", "--date=raw", "--format=%T %P %an %ad%n%B", made)
        expected = f"{tree} {self.third} Zo\u00eb 12345 +0130\nSome\n\nwords \u00e9"
        self.assertEqual(seen.rstrip("\n"), expected)

    def test_the_files_of_many_pairs_come_at_once(self) -> None:
        fourth = self.repository.commit({"b": "", "dir/\u00e9": ""})
        pairs = [(self.first, fourth), (fourth, fourth), (self.second, self.third)]
        pairs += [(self.third, fourth), (fourth, self.first)]
        expected = [{"a", "b", "dir/\u00e9"}, set(), {"a"}, {"b", "dir/\u00e9"}]
        expected.append(expected[0])
        self.assertEqual(run_sync(commits.changed_files(self.git, pairs)), expected)
        self.assertEqual(run_sync(commits.changed_files(self.git, [])), [])

    def test_a_worktree_stands_at_a_commit_only_with_index_and_files(self) -> None:
        def stands(commit: str) -> bool:
            return run_sync(merged.matches(self.git, self.path, commit))

        self.assertEqual((stands(self.third), stands(self.second)), (True, False))
        self.repository.git("update-ref", "refs/heads/main", self.second)
        self.assertEqual((stands(self.third), stands(self.second)), (True, False))
        self.repository.write({"a": "mine\n"})
        self.assertFalse(stands(self.third))
        self.repository.git("add", "a")
        self.assertFalse(stands(self.third))

    def test_a_checkout_is_brought_to_another_commit_and_its_head_stays(self) -> None:
        self.repository.git("reset", "-q", "--hard", self.first)
        os.utime(os.path.join(self.path, "README.md"), (1, 1))
        run_sync(merging.update_checkout(self.git, self.path, self.first, self.third))
        self.assertEqual(self.repository.commit_of("main"), self.first)
        self.assertEqual(self.repository.git("status", "--porcelain"), "A  a")
        run_sync(merging.update_checkout(self.git, self.path, self.third, self.first))
        self.assertEqual(self.repository.git("status", "--porcelain"), "")
        self.repository.write({"a": "mine\n"})
        self.refused(
            merging.update_checkout(self.git, self.path, self.first, self.third), "overwritten"
        )
        self.assertEqual(self.repository.git("status", "--porcelain"), "?? a")

    def test_the_log_of_a_ref_tells_where_it_was(self) -> None:
        self.repository.git("reset", "-q", "--soft", self.second)
        self.assertTrue(run_sync(history.was_at(self.git, "refs/heads/main", self.third)))
        self.assertFalse(run_sync(history.was_at(self.git, "refs/heads/main", MISSING)))
        self.assertFalse(run_sync(history.was_at(self.git, "refs/heads/nowhere", self.third)))
        self.assertEqual(run_sync(checkouts.head_of(self.git, self.path)), "refs/heads/main")
        self.repository.git("checkout", "-q", "--detach")
        self.assertEqual(run_sync(checkouts.head_of(self.git, self.path)), "")

    def test_an_unfinished_merge_is_found_by_worktree_and_by_branch(self) -> None:
        path = self.beside("w")
        make_worktree(self.git, path, "side", self.first)
        self.assertEqual(run_sync(checkouts.operation_in_progress(self.git, path)), "")
        self.repository.commit({"a": "side\n"}, at=path)
        self.repository.git("merge", "main", at=path, fails=True)
        self.assertEqual(run_sync(checkouts.operation_in_progress(self.git, path)), "a merge")
        self.assertEqual(run_sync(checkouts.operation_in_progress(self.git, self.path)), "")
        self.repository.git("merge", "--abort", at=path)
        self.assertEqual(checkouts.rebase_in_progress(self.git, "side"), "")
        self.repository.git("rebase", "main", at=path, fails=True)
        self.assertEqual(run_sync(checkouts.operation_in_progress(self.git, path)), "a rebase")
        self.assertEqual(
            checkouts.rebase_in_progress(self.git, "side"),
            run_sync(checkouts.admin_dir(self.git, path)),
        )
        self.assertEqual(checkouts.rebase_in_progress(self.git, "main"), "")
