"""Repositories beside each other: they share the default folder for worktrees."""

from __future__ import annotations

import os

from tests.support.commands import wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class TwoRepositories(WorkspaceTest):
    """A run in one while the other is at a check in a scratch worktree."""

    def test_a_run_leaves_the_others_worktrees_alone_and_names_it_where_ids_are_the_same(
        self,
    ) -> None:
        here, on, go, torn = map(self.workspace.beside, ("worktrees", "on", "go", "torn"))
        waits = f"touch {on}; while test ! -e {go}; do sleep 0.05; done; test -e README.md"
        self.workspace.features(feature("a"), verify=[waits], teardown=[f"pwd >> {torn}"])
        running = self.workspace.start("run", "--yes")
        wait_until(lambda: os.path.exists(on), "the check of the base")
        with Workspace(
            [feature("b")], project={"worktrees_path": here, "verify": ["true"]}
        ) as other:
            env = {"RORCHESTRATOR_WORKTREES": here}
            other.change(teardown=[f"echo {other.path} >> {torn}"])
            other.commit({}, "the list")
            self.assertEqual(other.command("run", "--yes", env=env).code, 0)
            self.assertEqual(other.command("merge", env=env).code, 0)
            with open(go, "x", encoding="utf-8"):
                pass
            self.assertEqual(running.end().code, 0, running.err)
            with open(torn, encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertEqual(lines.pop(), self.workspace.scratch_path("_base"))
            self.assertEqual(set(lines), {other.path})
            other.change([feature("a")])
            refused = other.command("run", "--yes", env=env)
            self.assertEqual(refused.code, 2)
            self.assertIn(f"worktree of the repository {self.workspace.path}", refused.err)
            self.assertIn("next: set project.worktrees_path", refused.err)


class TheUsersOwnWorktree(WorkspaceTest):
    """Of a feature's branch: starting over never takes it away."""

    def test_starting_over_is_refused_as_long_as_the_user_works_there(self) -> None:
        self.workspace.features(feature("a"))
        self.assertEqual(self.workspace.run().code, 0)
        repository, made = self.workspace, self.workspace.worktree("a")
        mine = self.workspace.beside("mine", "a")  # git gives it the name that ours had
        repository.git("worktree", "remove", made)
        repository.git("worktree", "add", "--quiet", mine, "feature/a")
        with open(os.path.join(mine, "draft"), "x", encoding="utf-8"):
            pass
        done = self.workspace.run("--fresh")
        self.assertEqual(done.code, 1, done)
        self.assertIn(f"feature/a is checked out in {mine}", self.workspace.last("a")["reason"])
        kept = self.workspace.command("cleanup", "a", "--discard")
        self.assertIn(f"feature/a is checked out in {mine}", kept.out)
        self.assertEqual(sorted(os.listdir(mine)), [".git", "README.md", "a.md", "draft"])
