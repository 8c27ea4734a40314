"""Scratch worktrees and their names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable
from unittest import mock

from core.git.door import GitError
from core.git.opening import open_repository
from core.process.spawner import Spawner, run_sync
from core.worktree.manager import WorktreeManager
from core.worktree.names import RUBBISH, SCRATCH
from core.worktree.worktree import Worktree
from tests.support.repository import Repository
from tests.support.worktrees import WorktreeTest


class ScratchTest(WorktreeTest):
    """Worktrees for a look, on no branch: gone afterwards, whatever happens."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.manager.scratch_path("auth")
        self.admin = os.path.join(self.repository.path, ".git", "worktrees")

    def use(self, look: Callable[[Worktree], object]) -> None:
        async def main() -> None:
            async with self.manager.scratch("auth", self.base) as worktree:
                look(worktree)

        run_sync(main())

    def leave(self) -> str:
        """What a run leaves that was killed within its look; its admin folder."""
        os.makedirs(self.folder, exist_ok=True)
        self.repository.git("worktree", "add", "--quiet", "--detach", self.path, self.base)
        (name,) = os.listdir(self.admin)
        return os.path.join(self.admin, name)

    def assert_nothing_left(self) -> None:
        self.assertEqual(os.listdir(self.folder), [])
        left = os.listdir(self.admin) if os.path.isdir(self.admin) else []
        self.assertEqual(left, [])
        self.assertEqual(self.manager.left_scratch(), [])

    def test_a_scratch_worktree_holds_the_commit_and_is_removed_afterwards(self) -> None:
        def look(worktree: Worktree) -> None:
            self.assertEqual(sorted(os.listdir(worktree.path)), [".git", "README.md", "a"])
            self.assertEqual(self.repository.commit_of("HEAD", at=worktree.path), self.base)
            self.assertEqual(self.manager.left_scratch(), [os.path.realpath(worktree.path)])
            self.repository.write({"b/c": "made by a check"}, at=worktree.path)

        self.use(look)
        self.assert_nothing_left()
        self.assertEqual(self.repository.git("branch", "--format=%(refname)"), "refs/heads/main")

    def test_a_scratch_worktree_is_removed_after_a_fault_too(self) -> None:
        def look(worktree: Worktree) -> None:
            raise KeyError(worktree.path)

        with self.assertRaises(KeyError):
            self.use(look)
        self.assert_nothing_left()

    def test_a_scratch_worktree_that_cannot_be_made_leaves_nothing(self) -> None:
        with self.assertRaises(GitError):
            self.base = "1" * 40
            self.use(print)
        self.assert_nothing_left()

    def test_before_any_run_there_is_none(self) -> None:
        self.assertEqual(self.manager.left_scratch(), [])

    def test_leftovers_of_a_killed_run_are_found_and_removed(self) -> None:
        def whole(admin: str) -> None:
            self.repository.git("worktree", "lock", self.path)

        def being_made(admin: str) -> None:
            Path(admin, "locked").write_text("added with --lock")
            Path(self.path, ".git").unlink()

        def empty_gitfile(admin: str) -> None:
            Path(self.path, ".git").write_text("")

        def folder_without_entry(admin: str) -> None:
            shutil.rmtree(admin)
            Path(self.path, ".git").unlink()

        def entry_without_folder(admin: str) -> None:
            Path(admin, "locked").write_text("")
            shutil.rmtree(self.path)

        def stump_of_entry(admin: str) -> None:
            shutil.rmtree(self.path)
            shutil.rmtree(admin)
            os.mkdir(admin)
            Path(admin, "locked").write_text("added with --lock")

        def half_removed(admin: str) -> None:
            os.rename(self.path, self.path + RUBBISH)

        def rubbish(admin: str) -> None:
            os.rename(self.path, self.path + RUBBISH)
            shutil.rmtree(admin)

        cases = (
            *(whole, being_made, empty_gitfile, folder_without_entry),
            *(entry_without_folder, stump_of_entry),
        )
        for spoil in (*cases, half_removed):
            with self.subTest(spoil.__name__):
                spoil(self.leave())
                self.assertEqual(self.manager.left_scratch(), [os.path.realpath(self.path)])
                run_sync(self.manager.clear_scratch(self.manager.left_scratch()))
                self.assert_nothing_left()
        for spoil in (*cases, rubbish):
            with self.subTest(spoil.__name__, then="made again"):
                spoil(self.leave())
                self.use(lambda worktree: self.assertTrue(os.path.exists(worktree.path + "/a")))
                self.assert_nothing_left()

    def test_git_never_sees_half_of_an_entry_that_goes(self) -> None:
        self.leave()
        rubbish = self.admin + "~removing"
        with mock.patch("shutil.rmtree"):  # killed before a file has gone
            run_sync(self.manager.clear_scratch([self.path]))
        self.assertEqual(os.listdir(self.admin), [])
        self.assertTrue(os.path.isdir(rubbish))
        run_sync(self.manager.clear_scratch([self.path]))
        self.leave()
        run_sync(self.manager.clear_scratch([self.path]))
        self.assertFalse(os.path.exists(rubbish))
        self.assert_nothing_left()

    def test_a_stump_of_an_entry_goes_with_it_and_no_other_does(self) -> None:
        self.create("auth")
        self.create("auth-scratch-2")
        stump = os.path.join(self.admin, f"auth-{self.manager.key}-scratch1")
        os.makedirs(stump)
        Path(stump, "locked").write_text("initializing")
        run_sync(self.manager.clear_scratch([self.path]))
        self.assertEqual(sorted(os.listdir(self.admin)), ["auth", "auth-scratch-2"])

    def test_the_users_worktrees_are_no_scratch_worktrees(self) -> None:
        other = os.path.join(self.repository.root, "mine" + SCRATCH)
        self.repository.git("worktree", "add", "--quiet", "--detach", other, self.base)
        self.create("auth")
        self.assertEqual(self.manager.left_scratch(), [])

    def test_a_scratch_worktree_of_another_repository_is_left_alone(self) -> None:
        with Repository("neighbour") as other:
            theirs = WorktreeManager(
                run_sync(open_repository(Spawner(), other.path, other.environ)), self.folder, "f/"
            )
            ours = self.path

            def look(worktree: Worktree) -> None:
                self.assertNotEqual(worktree.path, ours)
                self.use(lambda worktree: self.assertTrue(os.path.isdir(worktree.path)))
                self.assertEqual(self.manager.left_scratch(), [])
                run_sync(self.manager.clear_scratch([worktree.path]))
                self.assertTrue(os.path.isfile(os.path.join(worktree.path, "README.md")))
                # Nor where it has the name that versions without a key gave it.
                old = os.path.join(self.folder, "auth" + SCRATCH)
                other.git("worktree", "move", worktree.path, old)
                self.assertEqual(self.manager.left_scratch(), [])
                self.assertEqual(theirs.left_scratch(), [os.path.realpath(old)])
                os.rename(old, old + RUBBISH)
                self.refused(self.manager.clear_scratch([old]), f"repository {other.path}")
                run_sync(theirs.clear_scratch([old]))

            async def main() -> None:
                async with theirs.scratch("auth", other.commit_of("main")) as worktree:
                    look(worktree)

            run_sync(main())
            self.assert_nothing_left()

    def test_folders_that_may_not_be_written_to_are_taken_away_too(self) -> None:
        def look(worktree: Worktree) -> None:
            cache = Path(worktree.path, "cache", "deep")
            cache.mkdir(parents=True)
            (cache / "file").touch()
            for path in (cache, cache.parent):
                path.chmod(0o555)
            if os.geteuid() == 0:
                self.become_nobody()

        self.use(look)
        self.assert_nothing_left()

    def become_nobody(self) -> None:
        """Root may write everywhere: be somebody to whom all of this belongs."""
        for folder, _, files in os.walk(self.repository.root):
            for name in (folder, *(os.path.join(folder, file) for file in files)):
                os.chown(name, 65534, 65534)
        self.addCleanup(os.seteuid, 0)
        os.seteuid(65534)
