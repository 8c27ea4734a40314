"""A completed feature is taken up again, whatever its user did to its branch and its worktree."""

from __future__ import annotations

import os
import unittest

from core.git.opening import open_repository
from core.model.errors import UserError
from core.process.spawner import Spawner, run_sync
from core.runner.reopening import Reopened, reopen
from core.worktree.manager import WorktreeManager
from tests.support.lives import RUN
from tests.support.workspace import Workspace, WorkspaceTest, feature


class ReopeningTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace())
        self.workspace.features(feature("auth"))
        self.result = self.workspace.finish("auth", {"a": "1"}, {"b": "2"})
        self.base = self.workspace.commit_of("main")
        self.path = self.workspace.worktree("auth")

    def git(self, *words: str) -> str:
        """As its user, in the worktree of the feature."""
        return self.workspace.git(*words, at=self.path)

    def reopened(self) -> Reopened:
        workspace = self.workspace
        git = run_sync(open_repository(Spawner(), workspace.path, workspace.environ))
        manager = WorktreeManager(git, workspace.worktrees, "feature/")
        return run_sync(reopen(manager, workspace.state().feature("auth"), (), self.base))

    def assert_at(self, tip: str, *, start: str = "") -> None:
        found = self.reopened()
        self.assertEqual((found.tip, found.worktree.start_commit), (tip, start or self.base))
        self.assertEqual(self.workspace.commit_of("HEAD", at=self.path), tip)
        self.assertEqual(self.workspace.commit_of("feature/auth"), tip)

    def assert_refused(self, words: str, hint: str) -> None:
        with self.assertRaises(UserError) as caught:
            self.reopened()
        self.assertIn(words, caught.exception.message)
        self.assertIn(hint, caught.exception.hint)

    def test_it_goes_on_where_its_branch_is_now(self) -> None:
        self.assert_at(self.result)
        tip = self.workspace.commit({"mine": "x"}, "by its user", at=self.path)
        self.assert_at(tip)

    def test_a_worktree_or_a_branch_that_is_gone_is_made_again(self) -> None:
        tip = self.workspace.commit({"mine": "x"}, "by its user", at=self.path)
        self.workspace.git("worktree", "remove", self.path)
        self.assert_at(tip)
        self.workspace.git("worktree", "remove", self.path)
        self.workspace.git("branch", "-D", "feature/auth")
        self.assert_at(self.result)
        self.workspace.git("update-ref", "-d", "refs/heads/feature/auth")
        self.assert_at(self.result)
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_the_work_of_a_rebased_branch_begins_where_it_begins_now(self) -> None:
        newer = self.workspace.commit({"of_main": "x"}, "on main")
        self.git("rebase", "-q", "main")
        self.base = newer
        self.assert_at(self.workspace.commit_of("feature/auth"), start=newer)

    def test_a_branch_that_holds_other_work_is_left_alone(self) -> None:
        self.git("reset", "-q", "--hard", self.base)
        self.assert_refused("has no commits of its own", "git reset --hard")
        self.assertEqual(self.workspace.commit_of("feature/auth"), self.base)

    def test_a_worktree_in_the_middle_of_something_is_left_alone(self) -> None:
        with open(os.path.join(self.path, ".git")) as file:
            admin = file.read().split(": ", 1)[1].strip()
        with open(os.path.join(admin, "MERGE_HEAD"), "w") as file:
            file.write(f"{self.base}\n")
        self.assert_refused("a merge is in progress", "git -C")
        os.unlink(os.path.join(admin, "MERGE_HEAD"))
        self.git("switch", "-q", "--detach")
        self.assert_refused("is not on feature/auth", "switch feature/auth")
        os.mkdir(os.path.join(admin, "rebase-merge"))
        with open(os.path.join(admin, "rebase-merge", "head-name"), "w") as file:
            file.write("refs/heads/feature/auth\n")
        self.assert_refused("a rebase of feature/auth is in progress", "--abort")

    def test_conflicts_in_its_worktree_are_named(self) -> None:
        self.workspace.commit({"a": "mine"}, "by its user", at=self.path)
        with open(os.path.join(self.path, "a"), "w") as file:
            file.write("stashed")
        self.git("stash", "-q")
        self.workspace.commit({"a": "other"}, "by its user", at=self.path)
        self.workspace.git("stash", "pop", "-q", at=self.path, fails=True)
        self.assert_refused("has conflicts: a", "reset --merge")

    def test_a_branch_that_is_checked_out_elsewhere_is_named_by_git(self) -> None:
        self.workspace.git("worktree", "remove", self.path)
        self.workspace.git("switch", "-q", "feature/auth")
        self.assert_refused("feature/auth", "")

    def test_a_result_that_git_has_collected_cannot_be_taken_up(self) -> None:
        self.workspace.git("worktree", "remove", self.path)
        self.workspace.git("branch", "-D", "feature/auth")
        self.workspace.git("update-ref", "-d", f"refs/rorchestrator/results/auth/{RUN}")
        self.workspace.git("reflog", "expire", "--expire=now", "--all")
        self.workspace.git("gc", "-q", "--prune=now")
        self.assert_refused("no longer exists", "--fresh")


if __name__ == "__main__":
    unittest.main()
