"""Worktrees: listed, added, removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.git import (
    checkouts,
    worktree_status,
)
from core.git.output import BEING_CREATED, WorktreeEntry
from core.process.spawner import run_sync
from tests.support.git import GitTest, make_worktree
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class WorktreesTest(GitTest):
    """Worktrees: listed, made, removed."""

    def test_worktrees_are_listed_with_all_that_git_knows(self) -> None:
        tip = self.repository.commit_of("main")
        linked, detached, gone = (self.beside(name) for name in ("l i", "d", "gone"))
        make_worktree(self.git, linked, "feature/a", tip)
        self.repository.git("worktree", "lock", "--reason", "on a stick", linked)
        self.repository.git("worktree", "add", "-q", "--detach", detached)
        self.repository.git("worktree", "add", "-q", gone, "-b", "gone")
        shutil.rmtree(gone)
        main, *others = run_sync(checkouts.worktrees(self.git))
        self.assertEqual(main, WorktreeEntry(self.repository.path, "main", tip))
        expected = {
            linked: WorktreeEntry(linked, "feature/a", tip, locked="on a stick"),
            detached: WorktreeEntry(detached, "", tip),
            gone: WorktreeEntry(gone, "gone", tip, prunable=True),
        }
        self.assertEqual({entry.path: entry for entry in others}, expected)

    def test_a_bare_repository_lists_itself_first(self) -> None:
        self.repository.git("clone", "-q", "--bare", ".", self.beside("bare.git"))
        git = self.open(self.beside("bare.git"))
        make_worktree(git, self.beside("w"), "feature/a", run_sync(git.commit_of("main")))
        self.assertEqual(
            [entry.branch for entry in run_sync(checkouts.worktrees(git))], ["", "feature/a"]
        )

    def test_a_folder_in_the_way_is_named_and_left_alone(self) -> None:
        self.repository.write({"f": ""}, at=self.beside("taken"))
        adding = checkouts.add_worktree(self.git, self.beside("taken"), "main")
        self.refused(adding, "already exists")

    def test_a_branch_in_the_way_is_named_and_left_alone(self) -> None:
        tip = self.repository.branch("feature/a")
        second = self.repository.commit({"a": "1"})
        run_sync(checkouts.add_worktree(self.git, self.beside("w"), second))
        self.refused(
            checkouts.check_out(self.git, self.beside("w"), "feature/a"),
            "feature/a.*already exists",
        )
        self.assertEqual(self.repository.commit_of("feature/a"), tip)
        self.repository.branch("task")
        self.refused(
            checkouts.check_out(self.git, self.beside("w"), "task/a"), "'refs/heads/task' exists"
        )
        self.assertEqual(self.spawner.pauses, 0)

    def test_hooks_stay_silent_and_a_branch_is_made_only_with_its_files(self) -> None:
        hook = Path(self.repository.path, ".git", "hooks", "post-checkout")
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 9\n")
        hook.chmod(0o755)
        tip = self.repository.commit_of("main")
        make_worktree(self.git, self.beside("v"), "feature/b", tip)
        attributes = self.repository.commit({".gitattributes": "* filter=f\n"})
        self.repository.git("config", "filter.f.smudge", "false")
        self.repository.git("config", "filter.f.required", "true")
        run_sync(checkouts.add_worktree(self.git, self.beside("w"), attributes))
        adding = checkouts.check_out(self.git, self.beside("w"), "feature/a")
        self.refused(adding, "smudge filter f failed")
        self.assertEqual(self.repository.commit_of("feature/a"), "")

    def test_a_worktree_of_a_branch_that_exists_gets_its_files(self) -> None:
        tip = self.repository.branch("feature/a")
        run_sync(checkouts.add_worktree(self.git, self.beside("w"), "feature/a"))
        self.assertEqual(os.listdir(self.beside("w")), [".git"])
        run_sync(checkouts.check_out(self.git, self.beside("w")))
        status = run_sync(worktree_status.status_of(self.git, self.beside("w")))
        self.assertEqual((status.branch, status.commit), ("feature/a", tip))
        self.assertEqual(status.uncommitted, ())
        self.assertIn(run_sync(checkouts.worktrees(self.git))[1].locked, BEING_CREATED)

    def test_the_users_lock_on_the_config_delays_nothing(self) -> None:
        Path(self.repository.path, ".git", "config.lock").write_text("")
        tip = self.repository.commit_of("main")
        make_worktree(self.git, self.beside("w"), "feature/a", tip)
        run_sync(checkouts.remove_worktree(self.git, self.beside("w")))
        self.assertEqual(self.spawner.pauses, 0)

    def test_a_worktree_is_removed_with_everything_in_it(self) -> None:
        path = self.beside("w")
        make_worktree(self.git, path, "feature/a", self.repository.commit_of("main"))
        self.assertEqual(
            run_sync(checkouts.admin_dir(self.git, path)),
            os.path.join(self.repository.path, ".git", "worktrees", "w"),
        )
        self.repository.write({"new": "x"}, at=path)
        run_sync(checkouts.remove_worktree(self.git, path))
        self.assertFalse(os.path.exists(path))
        self.refused(checkouts.remove_worktree(self.git, path), "is not a working tree")
        self.refused(checkouts.admin_dir(self.git, self.repository.root), "find the worktree")
