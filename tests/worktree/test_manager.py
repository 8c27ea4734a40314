"""`core.worktree`: worktrees made, committed, kept, removed, on real repositories."""

from __future__ import annotations

import asyncio
import os
import shutil
import unittest
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Callable
from unittest import mock

from core.git import checkouts, commits, worktree_status
from core.git.door import Git, GitError
from core.git.opening import open_repository
from core.git.output import WorktreeStatus
from core.git.refs import KEPT, RESULTS
from core.model.commit_subject import DEFAULT
from core.model.errors import UserError
from core.model.feature import Feature
from core.model.frozen import replace
from core.model.outcome import Work
from core.process.spawner import Spawner, drive
from core.process.supervisor import Supervisor
from core.worktree import admin_files, dependencies, inspection, keeping
from core.worktree.committing import commit_message
from core.worktree.files import HUGE_BYTES, held_back
from core.worktree.manager import WorktreeManager
from core.worktree.names import MARK, RUBBISH, SCRATCH
from core.worktree.worktree import Conflict, Kept, Worktree
from tests.support.repository import Repository

LINES = [f"{number}\n" for number in range(20)]
OLD_GIT = (2, 30)


def changed(**lines: str) -> str:
    """Twenty lines, some of them changed: ``changed(_3="three")``."""
    new = {int(name[1:]): f"{text}\n" for name, text in lines.items()}
    return "".join(new.get(number, line) for number, line in enumerate(LINES))


class WorktreeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository("the repository")
        self.addCleanup(self.repository.close)
        self.folder = os.path.join(self.repository.root, "work trees")
        self.base = self.repository.commit({"a": changed()})
        self.manager = self.open()
        self.feature = Feature("auth", "Sign in")

    def open(self, path: str = "", folder: str = "") -> WorktreeManager:
        opening = open_repository(Spawner(), path or self.repository.path, self.repository.environ)
        return WorktreeManager(drive(opening), folder or self.folder, "feature/")

    def with_old_git(self) -> WorktreeManager:
        git = self.manager.git
        old = Git(git.spawner, replace(git.repository, version=OLD_GIT), self.repository.environ)
        return self.manager.using(old)

    def create(self, feature: str = "auth", start: str = "") -> Worktree:
        return drive(self.manager.create(feature, start or self.base))

    def write(self, worktree: Worktree, files: Mapping[str, str | bytes | None]) -> None:
        self.repository.write(files, at=worktree.path)

    def work(self, worktree: Worktree) -> Work:
        status = drive(self.manager.look(worktree))
        assert isinstance(status, WorktreeStatus), status
        return drive(self.manager.commit(worktree, status, self.feature, "run1"))

    def result(self, feature: str, files: Mapping[str, str | bytes | None], start: str = "") -> str:
        """The commit of a feature that changes ``files``."""
        worktree = self.create(feature, start)
        return self.repository.commit(files, feature, at=worktree.path)

    def on(self, branch: str, files: Mapping[str, str | bytes | None], start: str = "") -> str:
        """A commit on a branch of the user's."""
        if start:
            self.repository.git("checkout", "-q", "-b", branch, start)
        else:
            self.repository.git("checkout", "-q", branch)
        return self.repository.commit(files, f"on {branch}")

    def keep(self, path: str = "", start: str = "", run: str = "run1") -> Kept:
        return drive(keeping.keep(self.manager, "auth", run, path, start or self.base))

    def keeping(self, path: str) -> Coroutine[None, None, Kept]:
        return keeping.keep(self.manager, "auth", "run1", path, self.base)

    def refused(self, change: Coroutine[None, None, object], pattern: str) -> UserError:
        with self.assertRaisesRegex(UserError, pattern) as caught:
            drive(change)
        return caught.exception


class StartTest(WorktreeTest):
    """Where a feature starts."""

    def start(self, results: Mapping[str, str]) -> str | Conflict:
        return drive(dependencies.start_commit(self.manager, self.base, results))

    def test_without_dependencies_a_feature_starts_at_the_base(self) -> None:
        self.assertEqual(self.start({}), self.base)

    def test_with_one_dependency_it_starts_at_its_result(self) -> None:
        one = self.result("one", {"one": "1"})
        self.assertEqual(self.start({"one": one}), one)

    def test_the_results_of_several_dependencies_are_merged(self) -> None:
        results = {name: self.result(name, {name: name}) for name in ("one", "two", "three")}
        start = self.start(results)
        assert isinstance(start, str)
        self.assertEqual(
            set(self.repository.files(start)), {"README.md", "a", "one", "two", "three"}
        )
        for result in results.values():
            self.repository.git("merge-base", "--is-ancestor", result, start)
        self.assertIn("merge one, two and three", self.repository.git("log", "-1", start))

    def test_a_result_that_another_contains_adds_nothing(self) -> None:
        one = self.result("one", {"one": "1"})
        two = self.result("two", {"two": "2"}, start=one)
        self.assertEqual(self.start({"one": one, "two": two, "same": two}), two)

    def test_a_conflict_names_both_features_and_the_files(self) -> None:
        one = self.result("one", {"a": changed(_3="one"), "é": "one"})
        two = self.result("two", {"two": "2"})
        three = self.result("three", {"a": changed(_3="three"), "é": "three"})
        conflict = self.start({"two": two, "one": one, "three": three})
        self.assertEqual(conflict, Conflict("one", "three", ("a", "é")))
        self.assertEqual(str(conflict), "one and three do not merge: a, é")

    def test_a_conflict_with_the_merge_of_the_others_names_them_all(self) -> None:
        # `one` moves the folder and `two` adds a file to it: only both together meet `three`.
        self.repository.git("config", "merge.directoryRenames", "true")
        self.base = self.repository.commit({"old/x": "x\n" * 9, "old/y": "y\n" * 9})
        moved = {"old/x": None, "old/y": None, "new/x": "x\n" * 9, "new/y": "y\n" * 9}
        one = self.result("one", moved)
        two = self.result("two", {"old/z": "two\n"})
        three = self.result("three", {"new/z": "three\n"})
        conflict = self.start({"one": one, "two": two, "three": three})
        assert isinstance(conflict, Conflict)
        self.assertEqual((conflict.one, conflict.other), ("one + two", "three"))

    def test_a_conflict_of_folders_without_a_file_is_a_conflict(self) -> None:
        self.base = self.repository.commit({"old/x": "x\n" * 9, "old/y": "y\n" * 9})
        moved = {"old/x": None, "old/y": None, "left/x": "x\n" * 9, "right/y": "y\n" * 9}
        one = self.result("one", moved)
        two = self.result("two", {"old/z": "two\n"})
        conflict = self.start({"one": one, "two": two})
        self.assertEqual(conflict, Conflict("one", "two", ()))
        self.assertEqual(str(conflict), "one and two do not merge")

    def test_results_that_crossed_over_merge(self) -> None:
        one = self.result("one", {"a": changed(_3="one")})
        two = self.result("two", {"a": changed(_15="two")})
        crossed = []
        for name, first, second in (("x", one, two), ("y", two, one)):
            self.repository.git("checkout", "-q", "-b", name, first)
            self.repository.git("merge", "-q", "-m", name, second)
            crossed.append(self.repository.commit({name: name}))
        start = self.start(dict(zip("xy", crossed)))
        assert isinstance(start, str)
        self.assertEqual(self.repository.files(start)["a"].decode(), changed(_3="one", _15="two"))

    def test_an_older_git_merges_inside_the_worktree(self) -> None:
        results = {name: self.result(name, {name: name}) for name in ("one", "two", "three")}
        manager = self.with_old_git()
        start = drive(dependencies.start_commit(manager, self.base, results))
        self.assertEqual(start, results["one"])
        worktree = self.create("auth", results["one"])
        merged = drive(dependencies.merge_rest(manager, worktree, results))
        assert isinstance(merged, str)
        self.assertEqual(
            set(self.repository.files(merged)), {"README.md", "a", "one", "two", "three"}
        )
        self.assertEqual(self.repository.commit_of("feature/auth"), merged)
        self.assertEqual(drive(dependencies.merge_rest(manager, worktree, {})), merged)

    def test_an_older_git_names_a_conflict_and_undoes_the_merge(self) -> None:
        one = self.result("one", {"a": changed(_3="one")})
        two = self.result("two", {"a": changed(_3="two")})
        worktree = self.create("auth", one)
        conflict = drive(
            dependencies.merge_rest(self.with_old_git(), worktree, {"one": one, "two": two})
        )
        self.assertEqual(conflict, Conflict("one", "two", ("a",)))
        status = drive(worktree_status.status_of(self.manager.git, worktree.path))
        self.assertEqual((status.commit, status.uncommitted), (one, ()))


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
            drive(worktree_status.status_of(self.manager.git, worktree.path)).uncommitted, ()
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
                entry = drive(self.manager.entry(form.__name__))
                assert entry is not None
                removing = self.manager.remove(form.__name__, entry.path, work.commit)
                self.assertEqual(drive(removing), "")

    def beside(self, name: str) -> str:
        return os.path.join(self.repository.root, name)

    def test_odd_characters_in_the_folder_do_no_harm(self) -> None:
        for name in ('it\'s "quoted"', "naïve 日本", "$(id) `id`;*?\\", "-dash"):
            with self.subTest(name):
                self.manager = self.open(folder=os.path.join(self.folder, name))
                worktree = self.create()
                self.write(worktree, {"new": "x"})
                work = self.work(worktree)
                entry = drive(self.manager.entry("auth"))
                assert entry is not None
                self.assertEqual(entry.path, worktree.path)
                self.assertEqual(drive(self.manager.remove("auth", entry.path, work.commit)), "")

    def test_worktrees_inside_a_repository_show_in_no_status(self) -> None:
        self.repository.commit({"sub/x": ""})
        self.repository.git("worktree", "add", "-q", self.beside("linked"), "-b", "linked")
        inside = os.path.join(self.repository.path, "sub", "trees")
        manager = self.open(self.beside("linked"), inside)
        seen = self.repository.git("status", "--porcelain")
        drive(manager.create("auth", self.base))
        drive(manager.create("api", self.base))
        self.assertEqual(self.repository.git("status", "--porcelain"), seen)

    def test_a_folder_that_cannot_be_made_is_named(self) -> None:
        Path(self.folder).write_text("in the way")
        self.refused(self.manager.create("auth", self.base), "can't hold the worktrees")

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
                    self.assertIsInstance(await manager.look(worktree), WorktreeStatus)

        asyncio.run(main())
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.repository.git("fsck", "--connectivity-only")

    def test_a_worktree_is_opened_again_with_what_is_in_it(self) -> None:
        made = self.create()
        self.write(made, {"new": "x"})
        old = replace(made, is_old=True)
        self.assertEqual(drive(self.manager.reopen("auth", self.base)), old)
        self.assertIsNone(drive(self.manager.reopen("api", self.base)))

    def test_locks_that_a_killed_git_left_are_gone_once_a_worktree_is_opened_again(self) -> None:
        made = self.create()
        common = os.path.join(self.repository.path, ".git")
        admin = os.path.join(common, "worktrees", "auth")
        for lock in (f"{admin}/index", f"{admin}/HEAD", f"{common}/refs/heads/feature/auth"):
            Path(f"{lock}.lock").write_bytes(b"")
        self.write(made, {"b": "b"})
        again = drive(self.manager.reopen("auth", self.base))
        assert again is not None
        self.assertEqual(self.work(again).files_changed, 1)

    def test_a_worktree_that_was_deleted_by_hand_is_made_again_on_its_branch(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        shutil.rmtree(made.path)
        self.assertEqual(drive(self.manager.reopen("auth", self.base)), made)
        self.assertEqual(self.repository.commit_of("HEAD", at=made.path), tip)
        self.repository.git("worktree", "remove", made.path)
        self.assertEqual(drive(self.manager.reopen("auth", self.base)), made)

    def test_one_that_was_killed_while_it_was_made_again_is_made_whole(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        shutil.rmtree(made.path)
        self.repository.git("worktree", "prune")
        drive(checkouts.add_worktree(self.manager.git, made.path, made.branch))
        Path(admin_files.admin_folder(self.manager, made.path), MARK).touch()
        self.repository.write({"new": "cut o"}, at=made.path)
        self.assertEqual(drive(self.manager.reopen("auth", self.base)), made)
        status = drive(self.manager.look(made))
        assert isinstance(status, WorktreeStatus)
        self.assertEqual((status.commit, status.uncommitted), (tip, ()))

    def test_a_folder_that_is_no_worktree_of_ours_is_never_undone(self) -> None:
        self.repository.write({".git": f"gitdir: {self.beside('x')}\n", "a": ""}, at=self.folder)
        self.manager._undo(self.folder)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "a")))

    def test_one_that_was_killed_while_it_was_taken_away_is_made_whole(self) -> None:
        made = self.create()
        drive(checkouts.remove_worktree(self.manager.git, made.path))
        drive(checkouts.add_worktree(self.manager.git, made.path, made.branch))
        shutil.rmtree(made.path)
        self.assertEqual(drive(self.manager.reopen("auth", self.base)), made)

    def test_what_somebody_put_where_one_was_being_made_is_left_alone(self) -> None:
        made = self.create()
        drive(checkouts.remove_worktree(self.manager.git, made.path))
        drive(checkouts.add_worktree(self.manager.git, made.path, made.branch))
        Path(admin_files.admin_folder(self.manager, made.path), MARK).touch()
        os.unlink(os.path.join(made.path, ".git"))
        self.repository.write({"mine": "x"}, at=made.path)
        self.assertIsNone(drive(self.manager.reopen("auth", self.base)))
        self.assertEqual(os.listdir(made.path), ["mine"])

    def test_files_that_cannot_be_checked_out_leave_nothing_behind(self) -> None:
        start = self.repository.commit({".gitattributes": "* filter=f\n"})
        self.repository.git("config", "filter.f.smudge", "false")
        self.repository.git("config", "filter.f.required", "true")
        self.refused(self.manager.create("auth", start), "smudge filter f failed")
        self.assertEqual(self.repository.commit_of("feature/auth"), "")
        self.assertIsNone(drive(self.manager.entry("auth")))
        self.assertEqual(os.listdir(self.folder), [])
        self.repository.git("config", "--unset", "filter.f.required")
        self.create("auth", start)

    def test_a_worktree_that_was_moved_is_opened_where_it_is(self) -> None:
        made = self.create()
        self.repository.git("worktree", "move", made.path, self.beside("moved"))
        again = drive(self.manager.reopen("auth", self.base))
        assert again is not None
        self.assertEqual(again.path, self.beside("moved"))

    def test_a_worktree_of_the_users_with_our_branch_is_not_taken_for_ours(self) -> None:
        self.repository.branch("feature/auth", self.base)
        self.repository.git("worktree", "add", "-q", self.beside("mine"), "feature/auth")
        self.assertIsNone(drive(self.manager.entry("auth")))
        self.refused(self.manager.reopen("auth", self.base), "mine")
        shutil.rmtree(self.beside("mine"))
        self.assertIsNone(drive(self.manager.entry("auth")))

    def test_a_worktree_of_the_users_is_never_ours_wherever_it_is(self) -> None:
        made = self.create()
        for place in (self.beside("auth"), made.path):
            with self.subTest(place):
                self.repository.git("worktree", "remove", drive(self.manager.entry("auth")).path)
                self.repository.git("worktree", "add", "-q", "--lock", place, "feature/auth")
                self.assertIsNone(drive(self.manager.entry("auth")))
                drive(self.manager.repair("auth"))
                self.assertTrue(os.path.isfile(os.path.join(place, "a")))
                self.refused(self.manager.reopen("auth", self.base), "could not make")
                told = drive(self.manager.remove("auth", "", self.base))
                self.assertIn("is checked out in", told)
                self.repository.git("worktree", "unlock", place)
                self.repository.git("worktree", "remove", place)
                self.assertIsNotNone(drive(self.manager.reopen("auth", self.base)))

    def test_what_a_version_without_marks_made_stays_ours(self) -> None:
        made = self.create()
        common = os.path.join(self.repository.path, ".git")
        os.unlink(os.path.join(common, "worktrees", "auth", MARK))
        self.assertIsNone(drive(self.manager.entry("auth")))
        for change in (
            lambda: os.utime(os.path.join(common, "rorchestrator", "marks")),
            lambda: os.unlink(os.path.join(common, "rorchestrator", "marks")),
        ):
            change()
            self.assertEqual(drive(self.manager.entry("auth")).path, made.path)

    def test_what_a_kill_left_before_the_mark_is_ours_while_nothing_is_in_it(self) -> None:
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
            drive(self.manager.repair("auth"))
            self.refused(self.manager.create("auth", self.base), f"repository {other.path}")
            self.refused(self.keeping(made.path), "no worktree of this repository")
            with Repository("bare", bare=True) as bare:
                bare.git("fetch", "--quiet", other.path, "main:main")
                bare.git("worktree", "add", "-q", self.beside("theirs"), "main")
                named = admin_files.other_repository(self.manager, self.beside("theirs"))
                self.assertEqual(named, bare.path)

    def test_the_users_own_checkout_of_our_branch_is_not_taken_for_ours(self) -> None:
        self.repository.git("checkout", "-q", "-b", "feature/auth")
        self.assertIsNone(drive(self.manager.entry("auth")))

    def test_a_worktree_on_another_branch_or_without_its_link_is_not_opened(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "-b", "other", at=made.path)
        self.assertIsNone(drive(self.manager.reopen("auth", self.base)))
        self.repository.git("checkout", "-q", "feature/auth", at=made.path)
        os.unlink(os.path.join(made.path, ".git"))
        self.assertIsNone(drive(self.manager.reopen("auth", self.base)))


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

        drive(main())

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

    def test_it_holds_the_commit_and_is_gone_afterwards(self) -> None:
        def look(worktree: Worktree) -> None:
            self.assertEqual(sorted(os.listdir(worktree.path)), [".git", "README.md", "a"])
            self.assertEqual(self.repository.commit_of("HEAD", at=worktree.path), self.base)
            self.assertEqual(self.manager.left_scratch(), [os.path.realpath(worktree.path)])
            self.repository.write({"b/c": "made by a check"}, at=worktree.path)

        self.use(look)
        self.assert_nothing_left()
        self.assertEqual(self.repository.git("branch", "--format=%(refname)"), "refs/heads/main")

    def test_it_is_gone_after_a_fault_too(self) -> None:
        def look(worktree: Worktree) -> None:
            raise KeyError(worktree.path)

        with self.assertRaises(KeyError):
            self.use(look)
        self.assert_nothing_left()

    def test_one_that_cannot_be_made_leaves_nothing(self) -> None:
        with self.assertRaises(GitError):
            self.base = "1" * 40
            self.use(print)
        self.assert_nothing_left()

    def test_before_any_run_there_is_none(self) -> None:
        self.assertEqual(self.manager.left_scratch(), [])

    def test_whatever_a_killed_run_left_is_found_and_taken_away(self) -> None:
        def whole(admin: str) -> None:
            self.repository.git("worktree", "lock", self.path)

        def being_made(admin: str) -> None:
            Path(admin, "locked").write_text("added with --lock")
            Path(self.path, ".git").unlink()

        def folder_without_entry(admin: str) -> None:
            shutil.rmtree(admin)
            Path(self.path, ".git").unlink()

        def entry_without_folder(admin: str) -> None:
            Path(admin, "locked").write_text("")
            shutil.rmtree(self.path)

        def half_removed(admin: str) -> None:
            os.rename(self.path, self.path + RUBBISH)

        def rubbish(admin: str) -> None:
            os.rename(self.path, self.path + RUBBISH)
            shutil.rmtree(admin)

        for spoil in (whole, being_made, folder_without_entry, entry_without_folder, half_removed):
            with self.subTest(spoil.__name__):
                spoil(self.leave())
                self.assertEqual(self.manager.left_scratch(), [os.path.realpath(self.path)])
                drive(self.manager.clear_scratch(self.manager.left_scratch()))
                self.assert_nothing_left()
        for spoil in (whole, being_made, folder_without_entry, entry_without_folder, rubbish):
            with self.subTest(spoil.__name__, then="made again"):
                spoil(self.leave())
                self.use(lambda worktree: self.assertTrue(os.path.exists(worktree.path + "/a")))
                self.assert_nothing_left()

    def test_git_never_sees_half_of_an_entry_that_goes(self) -> None:
        self.leave()
        rubbish = self.admin + "~removing"
        with mock.patch("shutil.rmtree"):  # killed before a file has gone
            drive(self.manager.clear_scratch([self.path]))
        self.assertEqual(os.listdir(self.admin), [])
        self.assertTrue(os.path.isdir(rubbish))
        drive(self.manager.clear_scratch([self.path]))
        self.leave()
        drive(self.manager.clear_scratch([self.path]))
        self.assertFalse(os.path.exists(rubbish))
        self.assert_nothing_left()

    def test_a_stump_of_an_entry_goes_with_it_and_no_other_does(self) -> None:
        self.create("auth")
        self.create("auth-scratch-2")
        stump = os.path.join(self.admin, f"auth-{self.manager.key}-scratch1")
        os.makedirs(stump)
        Path(stump, "locked").write_text("initializing")
        drive(self.manager.clear_scratch([self.path]))
        self.assertEqual(sorted(os.listdir(self.admin)), ["auth", "auth-scratch-2"])

    def test_nobody_else_s_worktree_is_taken_for_one(self) -> None:
        other = os.path.join(self.repository.root, "mine" + SCRATCH)
        self.repository.git("worktree", "add", "--quiet", "--detach", other, self.base)
        self.create("auth")
        self.assertEqual(self.manager.left_scratch(), [])

    def test_that_of_another_repository_in_the_same_folder_is_left_alone(self) -> None:
        with Repository("neighbour") as other:
            theirs = WorktreeManager(
                drive(open_repository(Spawner(), other.path, other.environ)), self.folder, "f/"
            )
            ours = self.path

            def look(worktree: Worktree) -> None:
                self.assertNotEqual(worktree.path, ours)
                self.use(lambda worktree: self.assertTrue(os.path.isdir(worktree.path)))
                self.assertEqual(self.manager.left_scratch(), [])
                drive(self.manager.clear_scratch([worktree.path]))
                self.assertTrue(os.path.isfile(os.path.join(worktree.path, "README.md")))
                # Nor where it has the name that versions without a key gave it.
                old = os.path.join(self.folder, "auth" + SCRATCH)
                other.git("worktree", "move", worktree.path, old)
                self.assertEqual(self.manager.left_scratch(), [])
                self.assertEqual(theirs.left_scratch(), [os.path.realpath(old)])
                os.rename(old, old + RUBBISH)
                self.refused(self.manager.clear_scratch([old]), f"repository {other.path}")
                drive(theirs.clear_scratch([old]))

            async def main() -> None:
                async with theirs.scratch("auth", other.commit_of("main")) as worktree:
                    look(worktree)

            drive(main())
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


class SubmoduleTest(WorktreeTest):
    """Worktrees of a repository with a submodule."""

    def setUp(self) -> None:
        super().setUp()
        library = Repository("library")
        self.addCleanup(library.close)
        allow = ("-c", "protocol.file.allow=always")
        self.repository.git(*allow, "submodule", "add", "-q", library.path, "lib")
        self.base = self.repository.commit({}, "a submodule")

    def test_a_submodule_is_filled_when_a_worktree_is_made_or_made_again(self) -> None:
        seen = self.repository.seen_by_user()
        made = self.create()
        self.assertTrue(os.path.exists(os.path.join(made.path, "lib", "README.md")))
        shutil.rmtree(made.path)
        drive(self.manager.reopen("auth", self.base))
        self.assertTrue(os.path.exists(os.path.join(made.path, "lib", "README.md")))
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.assertEqual(drive(keeping.unsaved(self.manager, made.path)), ([], []))
        self.assertEqual(drive(self.manager.remove("auth", made.path, self.base)), "")

    def test_a_submodule_that_cannot_be_filled_leaves_nothing_behind(self) -> None:
        shutil.rmtree(os.path.join(self.repository.path, ".git", "modules", "lib", "objects"))
        self.refused(self.manager.create("auth", self.base), "check out the submodules")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "auth")))
        self.assertEqual(self.repository.commit_of("feature/auth"), "")

    def test_a_branch_with_work_outlives_a_submodule_that_cannot_be_filled(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        shutil.rmtree(made.path)
        shutil.rmtree(os.path.join(self.repository.path, ".git", "modules", "lib", "objects"))
        self.refused(self.manager.reopen("auth", self.base), "check out the submodules")
        self.assertFalse(os.path.exists(made.path))
        self.assertEqual(self.repository.commit_of("feature/auth"), tip)

    def test_work_inside_a_submodule_is_held_back_and_never_removed(self) -> None:
        made = self.create()
        module = os.path.join(made.path, "lib")
        self.repository.write({"inside": "x"}, at=module)
        self.assertEqual(self.work(made), Work(self.base, held_back=("lib/",)))
        files, nested = drive(keeping.unsaved(self.manager, made.path))
        self.assertEqual((files, nested), ([], ["submodule lib"]))
        self.refused(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base), "submodule lib"
        )

    def test_a_commit_inside_a_submodule_is_recorded_and_never_removed(self) -> None:
        made = self.create()
        inside = self.repository.commit({"inside": "x"}, at=os.path.join(made.path, "lib"))
        work = self.work(made)
        self.assertIn(inside, self.repository.git("ls-tree", work.commit, "lib"))
        self.assertEqual(drive(keeping.unsaved(self.manager, made.path)), ([], ["submodule lib"]))

    def test_files_where_a_submodule_is_not_checked_out_are_named_and_kept(self) -> None:
        made = self.create()
        module = os.path.join(made.path, "lib")
        shutil.rmtree(module)
        os.mkdir(module)
        self.repository.write({"set up": "x"}, at=module)
        drive(inspection.note_baseline(self.manager, made))
        self.repository.write({"inside/new": "x"}, at=module)
        self.assertEqual(self.work(made), Work(self.base, held_back=("lib/inside/new",)))
        for git in (self.manager.git, self.manager.git.looking()):
            files, nested = drive(
                keeping.unsaved(self.manager.using(git), made.path, ["lib/set up"])
            )
            self.assertEqual((files, nested), (["lib/inside/new"], []))
        kept = drive(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base, ["lib/set up"])
        )
        self.assertEqual(self.repository.git("show", f"{kept.ref}:lib/inside/new"), "x")

    def test_one_that_was_removed_is_in_nobodys_way(self) -> None:
        made = self.create()
        self.repository.git("rm", "--quiet", "lib", at=made.path)
        self.repository.write({"lib/file": "x"}, at=made.path)
        work = self.work(made)
        self.assertEqual(self.repository.git("show", f"{work.commit}:lib/file"), "x")
        self.assertEqual(drive(keeping.unsaved(self.manager, made.path)), ([], []))


class ResultTest(WorktreeTest):
    """What an agent left, and the commit of it."""

    def test_files_and_links_may_become_folders(self) -> None:
        os.symlink("nowhere", os.path.join(self.repository.path, "link"))
        self.base = self.repository.commit({"plain": "1", "staged": "1", "nested": "1"})
        made = self.create()
        self.repository.git("rm", "--quiet", "staged", "link", "nested", at=made.path)
        os.unlink(os.path.join(made.path, "plain"))
        new = {f"{name}/file": "2" for name in ("plain", "staged", "link")}
        self.repository.write(dict(new), at=made.path)
        self.repository.git("init", "--quiet", "nested", at=made.path)
        self.repository.git("commit", "-q", "--allow-empty", "-m", "x", at=f"{made.path}/nested")
        work = self.work(made)
        self.assertEqual(work.held_back, ("nested/",))
        (changed,) = drive(commits.changed_files(self.manager.git, [(self.base, work.commit)]))
        self.assertEqual(changed, {"plain", "staged", "link", "nested", *new})

    def test_what_claude_left_is_committed_under_the_features_name(self) -> None:
        made = self.create()
        self.write(made, {"a": changed(_3="x"), "new/file": "1\n2\n", "README.md": None})
        work = self.work(made)
        self.assertEqual(work, Work(work.commit, 3, 3, 2))
        self.assertEqual(work.commit, self.repository.commit_of("feature/auth"))
        message = self.repository.git("log", "-1", "--format=%an %B", work.commit)
        self.assertEqual(
            message.rstrip("\n"),
            f"Test {commit_message(self.feature, 'run1', DEFAULT)}".rstrip("\n"),
        )
        self.assertEqual(set(self.repository.files(work.commit)), {"a", "new/file"})

    def test_claudes_own_commits_are_kept_as_they_are(self) -> None:
        made = self.create()
        own = self.repository.commit({"own": "x\n"}, at=made.path)
        self.assertEqual(self.work(made), Work(own, 1, 1, 0))

    def test_nothing_done_is_no_work(self) -> None:
        self.assertEqual(self.work(self.create()), Work(self.base))

    def test_line_ends_that_git_normalises_are_no_work(self) -> None:
        self.base = self.repository.commit({".gitattributes": "* text=auto eol=lf\n", "b": "1\n"})
        made = self.create()
        self.write(made, {"b": "1\r\n"})
        status = drive(self.manager.look(made))
        assert isinstance(status, WorktreeStatus)
        status = replace(status, changed=("b",))
        committing = self.manager.commit(made, status, self.feature, "run1")
        self.assertEqual(drive(committing), Work(self.base))

    def test_secrets_huge_files_and_repositories_are_held_back_and_named(self) -> None:
        made = self.create()
        odd = (".env", ".env.local", "deep/id_rsa", "server.pem", "huge")
        self.write(made, dict.fromkeys(odd, "secret"))
        self.write(made, {".env.example": "", "plain": "x", "huge": b"\0" * (HUGE_BYTES + 1)})
        os.symlink(self.folder, os.path.join(made.path, "node_modules"))
        self.repository.git("init", "-q", "nested", at=made.path)
        self.repository.commit({"x": ""}, at=os.path.join(made.path, "nested"))
        work = self.work(made)
        expected = sorted((*odd, "node_modules", "nested/"))
        self.assertEqual(sorted(work.held_back), expected)
        self.assertEqual(
            set(self.repository.files(work.commit)), {"README.md", "a", ".env.example", "plain"}
        )

    def test_what_the_agent_only_added_to_the_index_is_held_back_as_well(self) -> None:
        made = self.create()
        self.write(made, {".env": "secret", "new": "x"})
        self.repository.git("add", "--all", at=made.path)
        work = self.work(made)
        self.assertEqual(work.held_back, (".env",))
        self.assertEqual(set(self.repository.files(work.commit)), {"README.md", "a", "new"})
        self.assertTrue(os.path.exists(os.path.join(made.path, ".env")))
        self.write(made, {"new": None})
        self.assertEqual(self.work(made).files_changed, 0)

    def test_a_secret_that_was_there_before_is_no_secret(self) -> None:
        self.base = self.repository.commit({".env": "old\n"})
        made = self.create()
        self.write(made, {".env": "new\n"})
        self.assertEqual(self.work(made).held_back, ())

    def test_a_file_that_went_in_the_meantime_is_not_held_back(self) -> None:
        self.assertEqual(held_back(self.folder, ["gone", ".env"]), (".env",))

    def test_without_an_identity_the_commit_is_ours(self) -> None:
        Path(self.repository.config).write_text("[user]\n\tuseConfigOnly = true\n")
        made = self.create()
        self.write(made, {"new": "x"})
        who = self.repository.git("log", "-1", "--format=%an <%ae>", self.work(made).commit)
        self.assertEqual(who, "RoRchestrator <rorchestrator@localhost>")

    def test_a_failing_hook_is_quoted_and_the_work_stays(self) -> None:
        hook = Path(self.repository.path, ".git", "hooks", "pre-commit")
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'the design is wrong' >&2\nexit 1\n")
        hook.chmod(0o755)
        made = self.create()
        self.write(made, {"new": "x"})
        status = drive(self.manager.look(made))
        assert isinstance(status, WorktreeStatus)
        error = self.refused(
            self.manager.commit(made, status, self.feature, "run1"), "the design is wrong"
        )
        self.assertIn("`rorchestrator run` only commits", error.hint)
        self.assertTrue(error.message.startswith("your pre-commit hook refused the commit: "))
        self.assertTrue(os.path.exists(os.path.join(made.path, "new")))
        self.assertEqual(self.repository.commit_of("feature/auth"), self.base)

    def test_a_signature_without_a_key_is_explained(self) -> None:
        with open(self.repository.config, "a") as config:
            config.write("[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n")
        one = self.manager.git.commit_tree(drive(self.manager.git.tree_of(self.base)), (), "x")
        self.assertTrue(drive(one), "merges of ours are not signed")
        made = self.create()
        self.write(made, {"new": "x"})
        status = drive(self.manager.look(made))
        assert isinstance(status, WorktreeStatus)
        committing = self.manager.commit(made, status, self.feature, "run1")
        self.assertIn("commit.gpgsign", self.refused(committing, "failed to").hint)

    def test_a_hooks_variables_do_not_lead_the_commit_astray(self) -> None:
        self.repository.environ["GIT_INDEX_FILE"] = os.path.join(
            self.repository.path, ".git", "index"
        )
        self.repository.environ["GIT_DIR"] = os.path.join(self.repository.path, ".git")
        self.manager = self.open()
        del self.repository.environ["GIT_INDEX_FILE"], self.repository.environ["GIT_DIR"]
        seen = self.repository.seen_by_user()
        made = self.create()
        self.write(made, {"new": "x"})
        self.assertEqual(self.work(made).files_changed, 1)
        self.assertEqual(self.repository.seen_by_user(), seen)

    def test_a_result_is_published_once(self) -> None:
        drive(self.manager.publish("auth", "run1", self.base))
        drive(self.manager.publish("auth", "run1", self.base))
        self.assertEqual(self.repository.commit_of(f"{RESULTS}auth/run1"), self.base)
        other = self.repository.commit({"b": "x"})
        self.refused(self.manager.publish("auth", "run1", other), "another commit already")


class LookTest(WorktreeTest):
    """What an agent may have done to its worktree."""

    def look(self, worktree: Worktree) -> str:
        found = drive(self.manager.look(worktree))
        assert isinstance(found, str), found
        return found

    def test_work_in_order_is_a_status(self) -> None:
        made = self.create()
        self.repository.commit({"own": "x"}, at=made.path)
        self.write(made, {"new": "x"})
        status = drive(self.manager.look(made))
        assert isinstance(status, WorktreeStatus)
        self.assertEqual(status.uncommitted, ("new",))

    def test_another_branch_is_named(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "-b", "other", at=made.path)
        self.assertIn("switched to other; the work belongs on feature/auth", self.look(made))
        self.repository.git("checkout", "-q", "--detach", at=made.path)
        self.assertIn("switched to (detached)", self.look(made))

    def test_a_rewritten_history_is_told(self) -> None:
        made = self.create()
        self.repository.git("reset", "-q", "--hard", "HEAD~1", at=made.path)
        self.repository.commit({"b": ""}, at=made.path)
        self.assertIn("rewritten", self.look(made))

    def test_a_worktree_that_is_gone_is_told(self) -> None:
        made = self.create()
        shutil.rmtree(made.path)
        self.assertIn("is gone", self.look(made))

    def test_a_link_in_the_place_of_the_whole_worktree_is_told(self) -> None:
        made = self.create()
        theirs = os.path.join(self.repository.root, "theirs")
        shutil.copytree(made.path, theirs)
        shutil.rmtree(made.path)
        os.symlink(theirs, made.path)
        self.assertIn("was replaced by a link", self.look(made))

    def test_a_replaced_link_is_told_and_nothing_of_it_runs(self) -> None:
        made = self.create()
        link = os.path.join(made.path, ".git")
        os.unlink(link)
        self.assertIn(".git was changed", self.look(made))
        self.repository.git("init", "-q", at=made.path)
        trace = os.path.join(self.repository.root, "trace")
        self.repository.git("config", "core.fsmonitor", f"touch '{trace}'", at=made.path)
        self.assertIn(".git was changed", self.look(made))
        shutil.rmtree(link)
        Path(link).write_text(f"gitdir: {self.repository.path}/.git\n")
        self.assertIn(".git was changed", self.look(made))
        self.assertFalse(os.path.exists(trace))

    def test_a_link_that_became_a_pipe_is_told_and_nobody_waits_for_it(self) -> None:
        made = self.create()
        os.unlink(os.path.join(made.path, ".git"))
        os.mkfifo(os.path.join(made.path, ".git"))
        self.assertIn(".git was changed", self.look(made))
        self.assertIsNone(drive(self.manager.reopen("auth", self.base)))
        self.refused(
            keeping.unsaved(self.manager, made.path), "no worktree of this repository any more"
        )

    def test_a_pipe_that_git_would_wait_for_is_told(self) -> None:
        made = self.create()
        os.mkfifo(os.path.join(made.path, ".gitattributes"))
        self.assertIn(".gitattributes is a pipe", self.look(made))
        self.refused(keeping.unsaved(self.manager, made.path), r"\.gitattributes is a pipe")

    def test_locks_that_a_killed_git_left_are_taken_away(self) -> None:
        made = self.create()
        admin = drive(checkouts.admin_dir(self.manager.git, made.path))
        branch = os.path.join(self.repository.path, ".git", "refs", "heads", "feature", "auth.lock")
        locks = [os.path.join(admin, "index.lock"), os.path.join(admin, "HEAD.lock"), branch]
        for again in (False, True):
            with self.subTest(again=again):
                for lock in locks:
                    Path(lock).touch()
                if again:
                    drive(self.manager.reopen("auth", self.base))
                else:
                    self.assertIsInstance(drive(self.manager.look(made)), WorktreeStatus)
                self.assertEqual([lock for lock in locks if os.path.exists(lock)], [])

    def test_a_folder_that_git_can_not_look_into_is_held_back_and_never_removed(self) -> None:
        made = self.create()
        self.write(made, {"new": "x"})
        name = "d" * 200
        here = os.open(made.path, os.O_RDONLY)
        for _ in range(25):  # as deep as no path can name
            os.mkdir(name, dir_fd=here)
            deeper = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(os.open("lost", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here))
        os.close(here)
        work = self.work(made)
        self.assertEqual(work.files_changed, 1)
        (closed,) = work.held_back
        self.assertRegex(closed, f"^({name}/)+$")
        self.assertEqual(drive(keeping.unsaved(self.manager, made.path)), ([], [closed]))

    def test_a_worktree_that_git_no_longer_knows_is_told(self) -> None:
        made = self.create()
        admin = os.path.join(self.repository.path, ".git", "worktrees", "auth")
        Path(admin, "index").write_text("no index")
        with self.assertRaisesRegex(GitError, "could not look at"):
            self.look(made)
        shutil.rmtree(admin)
        self.assertIn("no longer leads to this repository", self.look(made))

    def test_a_link_that_leads_on_to_another_repository_is_told_and_nothing_of_it_runs(
        self,
    ) -> None:
        made = self.create()
        self.write(made, {"a": "changed"})
        self.repository.git("init", "-q", "evil", at=self.repository.root)
        evil = os.path.join(self.repository.root, "evil", ".git")
        trace = os.path.join(self.repository.root, "trace")
        self.repository.git("config", "filter.x.clean", f"touch '{trace}'", at=evil)
        Path(evil, "info", "attributes").parent.mkdir(exist_ok=True)
        Path(evil, "info", "attributes").write_text("* filter=x\n")
        admin = Path(self.repository.path, ".git", "worktrees", "auth")
        (admin / "commondir").write_text(f"{evil}\n")
        self.assertIn("no longer leads to this repository", self.look(made))
        self.assertIsNone(drive(self.manager.reopen("auth", self.base)))
        (admin / "commondir").unlink()
        self.assertIn("no longer leads to this repository", self.look(made))
        self.assertFalse(os.path.exists(trace))

    def test_a_half_done_merge_is_told(self) -> None:
        self.on("other", {"a": changed(_3="other")}, start=self.base)
        made = self.create()
        self.repository.commit({"a": changed(_3="mine")}, at=made.path)
        self.repository.git("merge", "other", at=made.path, fails=True)
        self.assertIn("a merge was left half done: a", self.look(made))


class KeepTest(WorktreeTest):
    """Work saved before a branch goes."""

    def test_nothing_done_needs_no_ref(self) -> None:
        made = self.create()
        self.assertEqual(self.keep(made.path), Kept("", self.base))
        self.assertEqual(self.keep(), Kept("", self.base))
        self.assertEqual(drive(keeping.keep(self.manager, "api", "run1", "", self.base)), Kept())

    def test_commits_are_kept(self) -> None:
        made = self.create()
        tip = self.repository.commit({"new": "x"}, at=made.path)
        for path in (made.path, "", os.path.join(self.folder, "gone")):
            kept = self.keep(path)
            self.assertEqual(kept, Kept(f"{KEPT}auth/run1", tip))
            self.assertEqual(self.repository.commit_of(kept.ref), tip)

    def test_uncommitted_untracked_and_precious_files_are_kept(self) -> None:
        ignored = "*.log\nnode_modules/\nprivate/\nlocal.db\n"
        self.base = self.repository.commit({".gitignore": ignored})
        made = self.create()
        files: dict[str, str | bytes] = {
            "a": changed(_3="x"),
            "new": "1",
            ".env": "2",
            "local.db": b"\0\xff",
            "private/deep/note": "4",
            os.fsdecode(b"private/\xff"): "5",
        }
        self.write(made, {**files, "x.log": "", "node_modules/m/index.js": "", "README.md": None})
        os.symlink("nowhere", os.path.join(made.path, "private", "link"))
        os.symlink("deep", os.path.join(made.path, "private", "folder-link"))
        os.mkfifo(os.path.join(made.path, "private", "pipe"))
        before = self.repository.git("status", "--porcelain=v2", "--branch", at=made.path)
        kept = self.keep(made.path)
        self.assertEqual(kept.tip, self.base)
        held = self.repository.files(kept.ref)
        with open(os.path.join(kept.aside, ".env"), encoding="utf-8") as file:
            self.assertEqual(file.read(), files.pop(".env"))
        expected = {
            ".gitignore": ignored.encode(),
            "private/link": b"nowhere",
            "private/folder-link": b"deep",
            **{
                name: text if isinstance(text, bytes) else text.encode()
                for name, text in files.items()
            },
        }
        self.assertEqual(held, expected)
        self.assertEqual(self.repository.commit_of(f"{kept.ref}~1"), self.base)
        after = self.repository.git("status", "--porcelain=v2", "--branch", at=made.path)
        self.assertEqual(after, before, "keeping changes nothing in the worktree")
        self.assertEqual(drive(self.manager.remove("auth", made.path, kept.tip)), "")

    def test_ignored_files_that_were_there_before_the_work_are_nobodys(self) -> None:
        worktree = self.create()
        Path(self.repository.path, ".git", "info").mkdir(exist_ok=True)
        Path(self.repository.path, ".git/info/exclude").write_text("*.env\nstorage/\nown\n")
        self.repository.write({"a.env": "1", "b.env": "1", "c.env": "1", "storage/x": "1"})
        Path(self.repository.path, "own").touch()
        there = {"a.env": "1", "b.env": "changed", "storage/x": "changed", "own": "", "d.env": "1"}
        self.write(worktree, dict(there))
        os.symlink("../a.env", os.path.join(worktree.path, "c.env"))

        def unsaved(made: tuple[str, ...] | None) -> list[str]:
            return sorted(drive(keeping.unsaved(self.manager, worktree.path, made))[0])

        self.assertEqual(unsaved(()), ["a.env", "b.env", "c.env", "d.env", "own", "storage/"])
        self.assertEqual(
            unsaved(("a.env", "b.env", "c.env", "d.env", "storage/")), ["b.env", "own"]
        )
        self.assertEqual(unsaved(None), ["b.env"])

    def test_work_on_a_detached_head_is_kept_together_with_the_branch(self) -> None:
        made = self.create()
        tip = self.repository.commit({"one": "1"}, at=made.path)
        self.repository.git("checkout", "-q", "--detach", self.base, at=made.path)
        head = self.repository.commit({"two": "2"}, at=made.path)
        kept = self.keep(made.path)
        self.assertEqual(self.repository.git("log", "-1", "--format=%P", kept.ref), f"{head} {tip}")
        self.repository.git("branch", "-q", "-f", "feature/auth", self.base)
        kept = self.keep(made.path, run="run2")
        self.assertEqual(self.repository.commit_of(kept.ref), head)

    def test_what_only_the_index_holds_is_kept_as_well(self) -> None:
        made = self.create()
        self.write(made, {"twice": "first", "gone": "never committed", "README.md": "staged\n"})
        self.repository.git("add", "--all", at=made.path)
        self.repository.git("rm", "-q", "--cached", "a", at=made.path)
        self.write(made, {"twice": "second", "gone": None, "README.md": "hello\n"})
        kept = self.keep(made.path)
        files = self.repository.files(kept.ref)
        self.assertEqual((files["twice"], files.get("gone")), (b"second", None))
        base, index = self.repository.git("log", "-1", "--format=%P", kept.ref).split()
        self.assertEqual(base, self.base)
        expected = {"twice": b"first", "gone": b"never committed", "README.md": b"staged\n"}
        self.assertEqual(self.repository.files(index), expected)
        admin = drive(checkouts.admin_dir(self.manager.git, made.path))
        self.assertEqual([n for n in os.listdir(admin) if n.startswith("rorchestrator")], [])

    def test_a_detached_head_is_kept_though_its_worktree_is_gone(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "--detach", at=made.path)
        head = self.repository.commit({"two": "2"}, at=made.path)
        os.rename(made.path, made.path + "-away")
        kept = self.keep(made.path)
        self.assertEqual(self.repository.commit_of(kept.ref), head)
        tip = self.change_on_branch()
        kept = self.keep(made.path, run="run2")
        self.assertEqual(self.repository.git("log", "-1", "--format=%P", kept.ref), f"{head} {tip}")
        self.assertEqual(self.repository.files(kept.ref), self.repository.files(head))
        self.repository.git("branch", "-q", "other", head)
        kept = self.keep(made.path, run="run3")
        self.assertEqual(self.repository.commit_of(kept.ref), tip)

    def change_on_branch(self) -> str:
        """A commit on the feature's branch, made without its worktree; which one."""
        tree = self.repository.git("rev-parse", f"{self.base}^{{tree}}")
        tip = self.repository.git("commit-tree", "-p", self.base, "-m", "one", tree)
        self.repository.git("update-ref", "refs/heads/feature/auth", tip)
        return tip

    def test_a_head_that_another_branch_holds_needs_no_ref(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "-b", "other", at=made.path)
        self.repository.commit({"two": "2"}, at=made.path)
        self.assertEqual(self.keep(made.path), Kept("", self.base))

    def test_a_second_keeping_in_the_same_run_takes_the_next_name(self) -> None:
        made = self.create()
        for number, name in enumerate(("run1", "run1.2", "run1.3")):
            tip = self.repository.commit({"new": str(number)}, at=made.path)
            self.assertEqual(self.keep(made.path).ref, f"{KEPT}auth/{name}")
            self.assertEqual(self.keep(made.path).ref, f"{KEPT}auth/{name}")
            self.assertEqual(self.repository.commit_of(f"{KEPT}auth/{name}"), tip)

    def test_a_head_without_commits_is_refused(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "--orphan", "other", at=made.path)
        self.refused(keeping.keep(self.manager, "auth", "run1", made.path, self.base), "read HEAD")

    def test_a_repository_inside_is_no_file_to_be_kept(self) -> None:
        self.base = self.repository.commit({".gitignore": "vendor/\n"})
        made = self.create()
        for name in ("nested", "vendor/x"):
            path = os.path.join(made.path, name)
            self.repository.git("init", "-q", path)
            self.repository.commit({"x": ""}, at=path)
        error = self.refused(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base), "no commit can"
        )
        self.assertIn("nested/, vendor/", error.message)

    def test_a_folder_that_lost_its_link_is_not_taken_for_the_repository_around_it(self) -> None:
        made = self.create()
        os.unlink(os.path.join(made.path, ".git"))
        self.repository.git("init", "-q", self.repository.root)
        self.refused(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base), "no worktree of this"
        )
        with self.assertRaises(GitError):
            drive(self.manager.remove("auth", made.path, self.base))
        self.assertTrue(os.path.exists(os.path.join(made.path, "a")))


class RemoveTest(WorktreeTest):
    """Worktrees and branches removed."""

    def remove(self, path: str, tip: str = "") -> str:
        return drive(self.manager.remove("auth", path, tip or self.base))

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
        entry = drive(self.manager.entry("auth"))
        assert entry is not None
        self.assertEqual(self.remove(entry.path), "")
        self.assertIsNone(drive(self.manager.entry("auth")))

    def test_without_a_worktree_only_the_branch_goes(self) -> None:
        self.repository.branch("feature/auth", self.base)
        self.assertEqual(self.remove(""), "")
        self.assertEqual(drive(self.manager.remove("auth", "", "")), "")

    def test_a_moved_worktree_is_removed_where_it_is(self) -> None:
        made = self.create()
        moved = os.path.join(self.repository.root, "moved")
        self.repository.git("worktree", "move", made.path, moved)
        entry = drive(self.manager.entry("auth"))
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


class MergedTest(WorktreeTest):
    """How a branch's work is proved to be in another."""

    def merged(self, tip: str, target: str = "main", manager: WorktreeManager | None = None) -> str:
        commit = self.repository.commit_of(tip)
        return drive((manager or self.manager).merged(commit, self.repository.commit_of(target)))

    def test_a_merged_branch_is_an_ancestor(self) -> None:
        self.on("x", {"new": "x"}, start="main")
        self.on("main", {"other": "x"})
        self.repository.git("merge", "-q", "-m", "merge", "x")
        self.assertEqual(self.merged("x"), "ancestor")
        self.assertEqual(self.merged("main"), "ancestor")

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


class RepairTest(WorktreeTest):
    """What a killed `git worktree add` leaves, taken away."""

    def setUp(self) -> None:
        super().setUp()
        self.admin = os.path.join(self.repository.path, ".git", "worktrees", "auth")

    def repaired(self) -> None:
        """Repair, then see that git works again and the worktree can be made."""
        drive(self.manager.repair("auth"))
        self.repository.git("fsck", "--connectivity-only")
        self.repository.git("log", "--all", "--oneline")
        again = drive(self.manager.reopen("auth", self.base)) or self.create()
        self.assertIsInstance(drive(self.manager.look(again)), WorktreeStatus)
        self.assertEqual(drive(self.manager.remove("auth", again.path, self.base)), "")

    def test_every_half_made_worktree_is_taken_away(self) -> None:
        other = self.create("auth2")

        def delete(*names: str) -> None:
            for name in names:
                os.unlink(os.path.join(self.admin, name))

        def empty(*names: str) -> None:
            for name in names:
                Path(self.admin, name).write_bytes(b"")

        link = os.path.join(self.folder, "auth", ".git")

        def unmake_branch() -> None:
            delete("index")
            self.repository.git("update-ref", "-d", "refs/heads/feature/auth")

        def unmake() -> None:
            shutil.rmtree(self.admin)
            shutil.rmtree(os.path.dirname(link))

        lock = Path(self.repository.path, ".git", "refs", "heads", "feature", "auth.lock")
        states: dict[str, Callable[[], object]] = {
            "no index": lambda: delete("index"),
            "no HEAD": lambda: delete("HEAD", "index"),
            "empty HEAD": lambda: empty("HEAD"),
            "no commondir": lambda: delete("commondir"),
            "empty commondir": lambda: empty("commondir"),
            "no gitdir": lambda: delete("gitdir"),
            "empty gitdir": lambda: empty("gitdir"),
            "no link": lambda: os.unlink(link),
            "empty link": lambda: Path(link).write_bytes(b""),
            "still locked": lambda: Path(self.admin, "locked").write_text("initializing"),
            "no worktree": lambda: shutil.rmtree(os.path.dirname(link)),
            "no branch": unmake_branch,
            "a lock": lambda: lock.write_bytes(b""),
            "nothing at all": unmake,
        }
        for name, spoil in states.items():
            with self.subTest(name):
                self.create()
                spoil()
                self.repaired()
                self.assertIsInstance(drive(self.manager.look(other)), WorktreeStatus)

    def test_a_repair_that_was_killed_is_repaired(self) -> None:
        self.create()
        os.unlink(os.path.join(self.admin, "index"))
        with (
            mock.patch("core.worktree.admin_files.remove_tree", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            drive(self.manager.repair("auth"))
        self.repaired()

    def test_a_whole_worktree_is_left_alone(self) -> None:
        made = self.create()
        self.write(made, {"new": "x"})
        drive(self.manager.repair("auth"))
        status = drive(self.manager.look(made))
        assert isinstance(status, WorktreeStatus)
        self.assertEqual(status.untracked, ("new",))

    def test_before_the_first_worktree_there_is_nothing_to_repair(self) -> None:
        drive(self.manager.repair("auth"))

    def test_a_folder_reached_by_a_symbolic_link_is_repaired_too(self) -> None:
        link = os.path.join(self.repository.root, "link")
        os.makedirs(self.folder)
        os.symlink(self.folder, link)
        self.manager = self.open(folder=link)
        self.create()
        os.unlink(os.path.join(self.admin, "index"))
        self.repaired()


if __name__ == "__main__":
    unittest.main()
