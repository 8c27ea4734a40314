"""`core.worktree.manager`: worktrees created, committed, removed, in real repositories."""

from __future__ import annotations

import asyncio
import os
import shutil
import unittest
from pathlib import Path

from core.git import checkouts, worktree_status
from core.git.output import WorktreeStatus
from core.model.frozen import replace
from core.process.spawner import run_sync
from core.process.supervisor import Supervisor
from core.worktree import admin_files
from core.worktree.names import MARK
from tests.support.repository import Repository
from tests.support.worktrees import WorktreeTest


class CreateTest(WorktreeTest):
    """Worktrees made, and found again."""

    def test_a_worktree_stands_on_its_own_branch_at_the_commit_asked_for(self) -> None:
        self.repository.commit({"later": "x"})
        seen = self.repository.seen_by_user()
        worktree = self.create()
        self.assertEqual(worktree.path, os.path.join(self.folder, "auth"))
        self.assertEqual(worktree.branch, "feature/auth")
        self.assertEqual(self.repository.commit_of("HEAD", at=worktree.path), self.base)
        self.assertFalse(os.path.exists(os.path.join(worktree.path, "later")))
        self.assertEqual(
            run_sync(worktree_status.status_of(self.manager.git, worktree.path)).uncommitted, ()
        )
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.assertFalse(os.path.exists(os.path.join(self.folder, ".gitignore")))

    def test_any_form_of_repository_gets_worktrees(self) -> None:
        def detached() -> str:
            self.repository.git("checkout", "-q", "--detach")
            return self.repository.path

        def base_elsewhere() -> str:
            self.repository.git("checkout", "-q", "-b", "another")
            return self.repository.path

        def linked() -> str:
            self.repository.git("worktree", "add", "-q", self.beside("linked"), "-b", "linked")
            return self.beside("linked")

        def bare() -> str:
            self.repository.git("clone", "-q", "--bare", ".", self.beside("bare.git"))
            return self.beside("bare.git")

        def shallow() -> str:
            url = f"file://{self.repository.path}"
            self.repository.git("clone", "-q", "--depth=1", url, self.beside("shallow"))
            return self.beside("shallow")

        for form in (detached, base_elsewhere, linked, bare, shallow):
            with self.subTest(form.__name__):
                path = form()
                self.manager = self.open(path, self.beside(f"of {form.__name__}"))
                worktree = self.create(form.__name__)
                self.write(worktree, {"new": "x\n"})
                work = self.work(worktree)
                self.assertEqual((work.files_changed, work.insertions), (1, 1))
                entry = run_sync(self.manager.entry(form.__name__))
                assert entry is not None
                removing = self.manager.remove(form.__name__, entry.path, work.commit)
                self.assertEqual(run_sync(removing), "")

    def beside(self, name: str) -> str:
        return os.path.join(self.repository.root, name)

    def test_odd_characters_in_the_folder_do_no_harm(self) -> None:
        for name in ('it\'s "quoted"', "naïve 日本", "$(id) `id`;*?\\", "-dash"):
            with self.subTest(name):
                self.manager = self.open(folder=os.path.join(self.folder, name))
                worktree = self.create()
                self.write(worktree, {"new": "x"})
                work = self.work(worktree)
                entry = run_sync(self.manager.entry("auth"))
                assert entry is not None
                self.assertEqual(entry.path, worktree.path)
                self.assertEqual(run_sync(self.manager.remove("auth", entry.path, work.commit)), "")

    def test_worktrees_inside_a_repository_show_in_no_status(self) -> None:
        self.repository.commit({"sub/x": ""})
        self.repository.git("worktree", "add", "-q", self.beside("linked"), "-b", "linked")
        inside = os.path.join(self.repository.path, "sub", "trees")
        manager = self.open(self.beside("linked"), inside)
        seen = self.repository.git("status", "--porcelain")
        run_sync(manager.create("auth", self.base))
        run_sync(manager.create("api", self.base))
        self.assertEqual(self.repository.git("status", "--porcelain"), seen)

    def test_a_folder_that_cannot_be_made_is_named(self) -> None:
        Path(self.folder).write_text("in the way")
        self.refused(self.manager.create("auth", self.base), "cannot be used for worktrees")

    def test_a_branch_of_somebody_elses_is_refused_and_named(self) -> None:
        tip = self.repository.branch("feature/auth")
        self.refused(self.manager.create("auth", self.base), "feature/auth.*already exists")
        self.assertEqual(self.repository.commit_of("feature/auth"), tip)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "auth")))

    def test_a_branch_called_like_the_prefix_is_named(self) -> None:
        self.repository.branch("feature")
        self.refused(self.manager.create("auth", self.base), "'refs/heads/feature' exists")

    def test_files_in_the_way_are_named_and_left_alone(self) -> None:
        self.repository.write({"auth/mine": "x"}, at=self.folder)
        self.refused(self.manager.create("auth", self.base), "already exists")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "auth", "mine")))
        self.assertEqual(self.repository.commit_of("feature/auth"), "")

    def test_32_at_once_all_succeed(self) -> None:
        seen = self.repository.seen_by_user()

        async def main() -> None:
            async with Supervisor(f"test32-{os.getpid()}") as supervisor:
                manager = self.manager.using(self.manager.git.using(supervisor))
                ids = [f"f{number}" for number in range(32)]
                made = await asyncio.gather(*(manager.create(id, self.base) for id in ids))
                self.assertEqual([worktree.feature for worktree in made], ids)
                entries = await asyncio.gather(*(manager.entry(id) for id in ids))
                self.assertNotIn(None, entries)
                for worktree in made:
                    self.assertIsInstance(await manager.inspect(worktree), WorktreeStatus)

        asyncio.run(main())
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.repository.git("fsck", "--connectivity-only")

    def test_a_worktree_is_opened_again_with_what_is_in_it(self) -> None:
        made = self.create()
        self.write(made, {"new": "x"})
        old = replace(made, is_old=True, is_checked_out=False)
        self.assertEqual(run_sync(self.manager.reopen("auth", self.base)), old)
        self.assertIsNone(run_sync(self.manager.reopen("api", self.base)))

    def test_locks_that_a_killed_git_left_are_gone_once_a_worktree_is_opened_again(self) -> None:
        made = self.create()
        common = os.path.join(self.repository.path, ".git")
        admin = os.path.join(common, "worktrees", "auth")
        for lock in (f"{admin}/index", f"{admin}/HEAD", f"{common}/refs/heads/feature/auth"):
            Path(f"{lock}.lock").write_bytes(b"")
        self.write(made, {"b": "b"})
        again = run_sync(self.manager.reopen("auth", self.base))
        assert again is not None
        self.assertEqual(self.work(again).files_changed, 1)

    def test_a_worktree_that_was_deleted_by_hand_is_made_again_on_its_branch(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        shutil.rmtree(made.path)
        self.assertEqual(run_sync(self.manager.reopen("auth", self.base)), made)
        self.assertEqual(self.repository.commit_of("HEAD", at=made.path), tip)
        self.repository.git("worktree", "remove", made.path)
        self.assertEqual(run_sync(self.manager.reopen("auth", self.base)), made)

    def test_a_worktree_whose_recreation_was_killed_is_completed(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        shutil.rmtree(made.path)
        self.repository.git("worktree", "prune")
        run_sync(checkouts.add_worktree(self.manager.git, made.path, made.branch))
        Path(admin_files.admin_folder(self.manager, made.path), MARK).touch()
        self.repository.write({"new": "cut o"}, at=made.path)
        self.assertEqual(run_sync(self.manager.reopen("auth", self.base)), made)
        status = run_sync(self.manager.inspect(made))
        assert isinstance(status, WorktreeStatus)
        self.assertEqual((status.commit, status.uncommitted), (tip, ()))

    def test_a_folder_that_is_no_worktree_of_ours_is_never_undone(self) -> None:
        self.repository.write({".git": f"gitdir: {self.beside('x')}\n", "a": ""}, at=self.folder)
        self.manager._undo(self.folder)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "a")))

    def test_a_worktree_whose_removal_was_killed_is_completed(self) -> None:
        made = self.create()
        run_sync(checkouts.remove_worktree(self.manager.git, made.path))
        run_sync(checkouts.add_worktree(self.manager.git, made.path, made.branch))
        shutil.rmtree(made.path)
        self.assertEqual(run_sync(self.manager.reopen("auth", self.base)), made)

    def test_a_users_folder_in_the_place_of_a_new_worktree_is_left_alone(self) -> None:
        made = self.create()
        run_sync(checkouts.remove_worktree(self.manager.git, made.path))
        run_sync(checkouts.add_worktree(self.manager.git, made.path, made.branch))
        Path(admin_files.admin_folder(self.manager, made.path), MARK).touch()
        os.unlink(os.path.join(made.path, ".git"))
        self.repository.write({"mine": "x"}, at=made.path)
        self.assertIsNone(run_sync(self.manager.reopen("auth", self.base)))
        self.assertEqual(os.listdir(made.path), ["mine"])

    def test_files_that_cannot_be_checked_out_leave_nothing_behind(self) -> None:
        start = self.repository.commit({".gitattributes": "* filter=f\n"})
        self.repository.git("config", "filter.f.smudge", "false")
        self.repository.git("config", "filter.f.required", "true")
        self.refused(self.manager.create("auth", start), "smudge filter f failed")
        self.assertEqual(self.repository.commit_of("feature/auth"), "")
        self.assertIsNone(run_sync(self.manager.entry("auth")))
        self.assertEqual(os.listdir(self.folder), [])
        self.repository.git("config", "--unset", "filter.f.required")
        self.create("auth", start)

    def test_a_worktree_that_was_moved_is_opened_where_it_is(self) -> None:
        made = self.create()
        self.repository.git("worktree", "move", made.path, self.beside("moved"))
        again = run_sync(self.manager.reopen("auth", self.base))
        assert again is not None
        self.assertEqual(again.path, self.beside("moved"))

    def test_a_users_worktree_with_our_branch_is_not_ours(self) -> None:
        self.repository.branch("feature/auth", self.base)
        self.repository.git("worktree", "add", "-q", self.beside("mine"), "feature/auth")
        self.assertIsNone(run_sync(self.manager.entry("auth")))
        self.refused(self.manager.reopen("auth", self.base), "mine")
        shutil.rmtree(self.beside("mine"))
        self.assertIsNone(run_sync(self.manager.entry("auth")))

    def test_a_worktree_of_the_users_is_never_ours_wherever_it_is(self) -> None:
        made = self.create()
        for place in (self.beside("auth"), made.path):
            with self.subTest(place):
                self.repository.git("worktree", "remove", run_sync(self.manager.entry("auth")).path)
                self.repository.git("worktree", "add", "-q", "--lock", place, "feature/auth")
                self.assertIsNone(run_sync(self.manager.entry("auth")))
                run_sync(self.manager.repair("auth"))
                self.assertTrue(os.path.isfile(os.path.join(place, "a")))
                self.refused(self.manager.reopen("auth", self.base), "could not add")
                told = run_sync(self.manager.remove("auth", "", self.base))
                self.assertIn("is checked out in", told)
                self.repository.git("worktree", "unlock", place)
                self.repository.git("worktree", "remove", place)
                self.assertIsNotNone(run_sync(self.manager.reopen("auth", self.base)))

    def test_a_worktree_of_a_version_without_marks_stays_ours(self) -> None:
        made = self.create()
        common = os.path.join(self.repository.path, ".git")
        os.unlink(os.path.join(common, "worktrees", "auth", MARK))
        self.assertIsNone(run_sync(self.manager.entry("auth")))
        for change in (
            lambda: os.utime(os.path.join(common, "rorchestrator", "marks")),
            lambda: os.unlink(os.path.join(common, "rorchestrator", "marks")),
        ):
            change()
            self.assertEqual(run_sync(self.manager.entry("auth")).path, made.path)

    def test_an_empty_worktree_left_by_a_kill_before_its_mark_is_ours(self) -> None:
        made = self.create()
        admin = os.path.join(self.repository.path, ".git", "worktrees", "auth")
        os.unlink(os.path.join(admin, MARK))
        Path(admin, "locked").write_text("added with --lock")
        self.assertFalse(admin_files.is_ours(self.manager, made.path))
        for name in ("a", "README.md"):
            os.unlink(os.path.join(made.path, name))
        self.assertTrue(admin_files.is_ours(self.manager, made.path))
        os.unlink(os.path.join(admin, "locked"))
        self.assertFalse(admin_files.is_ours(self.manager, made.path))

    def test_the_worktree_of_another_repository_in_its_place_is_named(self) -> None:
        with Repository("neighbour") as other:
            made = self.create()
            shutil.rmtree(made.path)
            other.git("worktree", "add", "-q", "--detach", made.path)
            self.assertEqual(admin_files.other_repository(self.manager, made.path), other.path)
            run_sync(self.manager.repair("auth"))
            self.refused(self.manager.create("auth", self.base), f"repository {other.path}")
            self.refused(self.keeping(made.path), "no longer a worktree of this repository")
            with Repository("bare", bare=True) as bare:
                bare.git("fetch", "--quiet", other.path, "main:main")
                bare.git("worktree", "add", "-q", self.beside("theirs"), "main")
                named = admin_files.other_repository(self.manager, self.beside("theirs"))
                self.assertEqual(named, bare.path)

    def test_the_users_own_checkout_of_our_branch_is_not_taken_for_ours(self) -> None:
        self.repository.git("checkout", "-q", "-b", "feature/auth")
        self.assertIsNone(run_sync(self.manager.entry("auth")))

    def test_a_worktree_on_another_branch_or_without_its_link_is_not_opened(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "-b", "other", at=made.path)
        self.assertIsNone(run_sync(self.manager.reopen("auth", self.base)))
        self.repository.git("checkout", "-q", "feature/auth", at=made.path)
        os.unlink(os.path.join(made.path, ".git"))
        self.assertIsNone(run_sync(self.manager.reopen("auth", self.base)))


class RemoveTest(WorktreeTest):
    """Worktrees and branches removed."""

    def remove(self, path: str, tip: str = "") -> str:
        return run_sync(self.manager.remove("auth", path, tip or self.base))

    def test_worktree_and_branch_go_and_the_user_sees_no_change(self) -> None:
        seen = self.repository.seen_by_user()
        made = self.create()
        self.assertEqual(self.remove(made.path), "")
        self.assertFalse(os.path.exists(made.path))
        self.assertEqual(self.repository.commit_of("feature/auth"), "")
        self.assertEqual(self.repository.seen_by_user(), seen)

    def test_a_worktree_deleted_by_hand_is_forgotten(self) -> None:
        made = self.create()
        shutil.rmtree(made.path)
        entry = run_sync(self.manager.entry("auth"))
        assert entry is not None
        self.assertEqual(self.remove(entry.path), "")
        self.assertIsNone(run_sync(self.manager.entry("auth")))

    def test_without_a_worktree_only_the_branch_goes(self) -> None:
        self.repository.branch("feature/auth", self.base)
        self.assertEqual(self.remove(""), "")
        self.assertEqual(run_sync(self.manager.remove("auth", "", "")), "")

    def test_a_moved_worktree_is_removed_where_it_is(self) -> None:
        made = self.create()
        moved = os.path.join(self.repository.root, "moved")
        self.repository.git("worktree", "move", made.path, moved)
        entry = run_sync(self.manager.entry("auth"))
        assert entry is not None
        self.assertEqual(self.remove(entry.path), "")
        self.assertFalse(os.path.exists(moved))

    def test_a_locked_worktree_is_refused_and_stays(self) -> None:
        made = self.create()
        self.repository.git("worktree", "lock", "--reason", "on a stick", made.path)
        self.refused(self.manager.remove("auth", made.path, self.base), "on a stick")
        self.assertTrue(os.path.exists(made.path))
        self.assertEqual(self.repository.commit_of("feature/auth"), self.base)

    def test_a_branch_that_is_checked_out_elsewhere_stays(self) -> None:
        self.repository.git("checkout", "-q", "-b", "feature/auth", self.base)
        self.assertIn("is checked out in", self.remove(""))
        self.assertEqual(self.repository.commit_of("feature/auth"), self.base)

    def test_a_branch_that_moved_in_the_meantime_stays(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        self.assertIn("moved in the meantime", self.remove(made.path))
        self.assertEqual(self.repository.commit_of("feature/auth"), tip)


if __name__ == "__main__":
    unittest.main()
