"""The user's git hooks: reported if git would not run them."""

from __future__ import annotations

import os
import unittest

from core.git.idle_hooks import inactive
from core.git.opening import open_repository
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere


class Idle(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.git = run_sync(
            open_repository(Spawner(), self.repository.path, self.repository.environ)
        )
        self.worktree = os.path.join(self.repository.root, "worktrees", "a")

    def inactive(self) -> list[str]:
        commit = self.repository.commit_of("main")
        return run_sync(inactive(self.git, commit, self.worktree))

    def write(self, name: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
        path = os.path.join(self.repository.path, name)
        self.repository.write({name: text})
        os.chmod(path, mode)
        return path

    def use(self, folder: str) -> None:
        self.repository.git("config", "core.hooksPath", folder)

    def test_a_hook_that_can_run_is_not_mentioned(self) -> None:
        self.assertEqual(self.inactive(), [])
        self.write(".git/hooks/pre-commit")
        self.write(".git/hooks/commit-msg", "echo without a first line\n")
        self.write(".git/hooks/post-commit", "#!\n")
        self.write(".git/hooks/pre-commit.sample", mode=0o644)
        os.mkfifo(os.path.join(self.repository.path, ".git", "hooks", "post-index-change"))
        self.assertEqual(self.inactive(), [])

    def test_a_hook_that_git_ignores_or_cannot_start_is_named(self) -> None:
        plain = self.write(".git/hooks/pre-commit", mode=0o644)
        lost = self.write(".git/hooks/commit-msg", "#!/no/such/python -u\n")
        closed = self.write(".git/hooks/post-commit", mode=0o000)
        self.assertEqual(
            self.inactive(),
            [
                f"{plain} is not executable: git does not run it",
                f"{lost} cannot run: /no/such/python does not exist or is not executable",
                f"{closed} is not executable: git does not run it",
            ],
        )

    def test_a_folder_that_is_not_there_is_named(self) -> None:
        for folder in ("/no/such/folder", "../hooks"):
            self.use(folder)
            what = f"no hook runs: core.hooksPath is {folder}, which does not exist"
            self.assertEqual(self.inactive(), [what])
        os.makedirs(os.path.join(self.repository.root, "worktrees", "hooks"))
        self.assertEqual(self.inactive(), [])

    def test_hooks_that_the_user_switched_off_are_not_mentioned(self) -> None:
        self.use(os.devnull)
        self.assertEqual(self.inactive(), [])

    def test_a_relative_folder_is_looked_for_in_the_commit(self) -> None:
        self.use(".husky/_")
        self.write(".husky/_/pre-commit")
        missing = (
            "no hook runs in worktrees: core.hooksPath is .husky/_, which no commit holds "
            "(unless project.setup, copy or link provides it)"
        )
        self.assertEqual(self.inactive(), [missing])
        self.repository.commit({})
        self.assertEqual(self.inactive(), [])
        self.write(".husky/_/commit-msg", mode=0o644)
        self.repository.commit({})
        plain = ".husky/_/commit-msg is not executable: git does not run it"
        self.assertEqual(self.inactive(), [plain])


class Plan(unittest.TestCase):
    def test_it_warns_of_hooks_that_would_not_run(self) -> None:
        with Workspace([feature("a")]) as space:
            space.git("config", "core.hooksPath", ".husky")
            said = space.main("plan")
            self.assertIn(
                "Warning: no hook runs in worktrees: core.hooksPath is .husky, ", said.out
            )
            warnings = space.main("plan", "--json").json["warnings"]
            self.assertEqual(len(warnings), 1)
            self.assertIn(".husky", warnings[0])

    def test_a_folder_or_a_pipe_in_the_place_of_a_hook_is_no_fault_of_ours(self) -> None:
        with Workspace([feature("a")]) as space:
            os.makedirs(os.path.join(space.path, ".git", "hooks", "pre-commit"))
            os.mkfifo(os.path.join(space.path, ".git", "hooks", "commit-msg"))
            (warning,) = space.main("plan", "--json").json["warnings"]
            self.assertIn("pre-commit is a folder: git cannot run it", warning)


if __name__ == "__main__":
    unittest.main()
