"""Released worktrees: the next one takes over their files and is as a fresh one."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from core.git import checkouts, index_file, unreadable_entries
from core.git.door import GitError
from core.process import table
from core.process.spawner import Finished, run_sync
from core.worktree import admin_files, spare
from core.worktree.names import SPARE
from core.worktree.worktree import Worktree
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.worktrees import WorktreeTest

setUpModule = skip_if_run_elsewhere

Use = Callable[[Worktree], object]

NO = Finished(1, b"", b"it stays")


class SpareTest(WorktreeTest):
    """A base with folders, a link, a program and ignored files."""

    def setUp(self) -> None:
        super().setUp()
        self.repository.write(
            {"src/a.txt": "one\n", "src/deep/b.txt": "two\n", ".gitignore": "out/\n*.log\n"}
        )
        os.symlink("a.txt", os.path.join(self.repository.path, "src", "link"))
        program = Path(self.repository.path, "src", "run")
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        self.base = self.repository.commit({})

    def release(self, use: Use = lambda worktree: None, start: str = "") -> Worktree:
        """Use a scratch worktree, release it, and make a feature's worktree at ``start``."""

        async def main() -> Worktree:
            async with self.manager.reusing():
                async with self.manager.scratch("_base_", self.base, is_reused=True) as scratch:
                    self.was = self.stamp(scratch)
                    use(scratch)
                made = await self.manager.create("auth", start or self.base)
            return made

        return run_sync(main())

    def git_in(self, *arguments: str) -> Use:
        return lambda worktree: self.repository.git(*arguments, at=worktree.path)

    def assert_as_fresh(self, made: Worktree, start: str = "") -> None:
        self.assertEqual(self.stamp(made), self.was)
        self.assert_alone()
        self.assertEqual(self.seen(made), self.seen(self.create("fresh", start or self.base)))

    def assert_alone(self) -> None:
        admins = os.path.join(self.repository.path, ".git", "worktrees")
        self.assertEqual((os.listdir(self.folder), os.listdir(admins)), (["auth"], ["auth"]))

    def stamp(self, worktree: Worktree) -> tuple[int, int]:
        info = os.stat(os.path.join(worktree.path, "a"))
        return info.st_ino, info.st_mtime_ns

    def seen(self, worktree: Worktree) -> dict[str, object]:
        """All that a command can see of a worktree, without times and its own name."""
        admin = admin_files.admin_folder(self.manager, worktree.path)
        found: dict[str, object] = {}
        for top in (worktree.path, admin):
            for folder, folders, files in os.walk(top):
                for name in (*folders, *files):
                    path = os.path.join(folder, name)
                    found[os.path.relpath(path, top)] = self._entry(path, worktree.feature)
        found["index"] = self.repository.git("ls-files", "-v", "-s", at=worktree.path)
        status = ("status", "--porcelain", "--ignored", "--untracked-files=all")
        found["status"] = self.repository.git(*status, at=worktree.path)
        return found

    def _entry(self, path: str, feature: str) -> tuple[int, str]:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return mode, os.readlink(path)
        if not stat.S_ISREG(mode) or os.path.basename(path) == "index":
            return mode, ""
        words = Path(path).read_text(errors="replace").replace(f"/{feature}", "/ID")
        if path.endswith("logs/HEAD"):
            words = "\n".join(line.split(">")[0] for line in words.splitlines())
        return mode, words


class TakenOverTest(SpareTest):
    """Whatever a check does, the files are taken over, and nothing else."""

    def check(self, use: Use) -> None:
        self.assert_as_fresh(self.release(use))

    def test_files_folders_and_repositories_are_those_of_the_commit(self) -> None:
        def use(worktree: Worktree) -> None:
            path = Path(worktree.path)
            self.write(worktree, {"new": "x", "out/made": "x", "src/x.log": "x"})
            os.makedirs(path / "src" / "empty" / "inside")
            self.repository.git("init", "-q", str(path / "inner"))
            (path / "README.md").write_text("changed")
            (path / "src" / "deep" / "b.txt").unlink()
            (path / "src" / "deep").rmdir()
            (path / "src" / "run").chmod(0o644)
            (path / "src" / "link").unlink()
            self.write(worktree, {"src/link/x": "x"})
            # A change that hides behind its time and its size.
            hiding, before = path / "src" / "a.txt", os.stat(path / "src" / "a.txt")
            hiding.write_text("ONE\n")
            os.utime(hiding, ns=(before.st_atime_ns, before.st_mtime_ns))

        self.check(use)

    def test_bits_commits_merges_bisections_and_settings_are_gone(self) -> None:
        self.repository.git("config", "extensions.worktreeConfig", "true")

        def use(worktree: Worktree) -> None:
            git, at = self.repository.git, worktree.path
            self.repository.commit({"src/a.txt": "of a check\n", "more": "x"}, at=at)
            git("bisect", "start", at=at)
            git("switch", "-q", "-c", "side", self.base, at=at)
            self.repository.commit({"other": "x"}, at=at)
            git("merge", "-q", "--no-commit", "--no-ff", "HEAD@{2}", at=at)
            git("config", "--worktree", "core.abbrev", "9", at=at)
            git("config", "core.hooksPath", ".husky", at=at)
            for bit, file in (("assume-unchanged", "src/a.txt"), ("skip-worktree", "src/run")):
                git("update-index", f"--{bit}", file, at=at)
                Path(at, file).write_text("hid\n")
            git("rm", "-q", "--cached", "README.md", at=at)

        self.check(use)

    def test_a_start_with_other_files(self) -> None:
        self.repository.git("rm", "-q", "-r", "src/deep")
        later = self.repository.commit({"src/a.txt": "newer\n", "added/c": "x", "out/kept": "x"})
        made = self.release(lambda worktree: self.write(worktree, {"added/x": "x"}), later)
        self.assert_as_fresh(made, start=later)

    def test_a_sparse_checkout_of_the_users(self) -> None:
        self.repository.git("sparse-checkout", "set", "src")
        made = self.release(lambda worktree: self.write(worktree, {"out/x": "x"}))
        self.assertFalse(os.path.exists(os.path.join(made.path, "src", "deep", "no")))
        self.assert_as_fresh(made)

    def test_a_large_index_is_younger_than_the_files(self) -> None:
        """To the second, in which git compares; a check may write at once."""

        def use(worktree: Worktree) -> None:
            index = os.path.join(admin_files.admin_folder(self.manager, worktree.path), "index")
            file = Path(worktree.path, "src", "a.txt")
            self.assertGreater(int(os.stat(index).st_mtime), int(os.stat(file).st_mtime))
            before = os.stat(file)
            file.write_text("ONE\n")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

        with mock.patch.object(spare, "LARGE_BYTES", 0):
            self.check(use)

    def test_a_file_system_without_extended_attributes(self) -> None:
        none = mock.patch.object(os, "listxattr", side_effect=OSError("not supported"), create=True)
        with none:
            self.check(lambda worktree: None)

    def test_one_worktree_after_the_other(self) -> None:
        async def main() -> list[tuple[int, int]]:
            used: list[tuple[int, int]] = []
            async with self.manager.reusing():
                for _ in range(3):
                    async with self.manager.scratch("a", self.base, is_reused=True) as scratch:
                        used.append(self.stamp(scratch))
                        self.write(scratch, {"out/x": "x"})
                # A second one is not kept.
                another = self.manager.scratch("c", self.base, is_reused=True)
                async with self.manager.scratch("b", self.base, is_reused=True), another:
                    pass
                self.assertEqual(self.manager.left_scratch(), [self.spare()])
            return used

        self.assertEqual(len(set(run_sync(main()))), 1)
        self.assertEqual(os.listdir(self.folder), [])

    def spare(self) -> str:
        return os.path.realpath(self.manager.scratch_path(SPARE))


class DoubtTest(SpareTest):
    """In every doubt, the worktree is made from nothing."""

    def check(self, use: Use, start: str = "") -> None:
        made = self.release(use, start)
        self.assertNotEqual(self.stamp(made), self.was)
        self.assertEqual(self.repository.git("status", "--porcelain", at=made.path), "")
        self.assert_alone()

    def test_settings_that_change_what_a_checkout_writes(self) -> None:
        self.check(self.git_in("config", "core.autocrlf", "true"))

    def test_attributes_of_the_repository(self) -> None:
        attributes = Path(self.repository.path, ".git", "info", "attributes")
        attributes.parent.mkdir(exist_ok=True)
        self.check(lambda worktree: attributes.write_text("a text eol=crlf\n"))

    def test_attributes_that_the_start_has(self) -> None:
        start = self.repository.commit({"src/.gitattributes": "*.txt eol=crlf\n"})
        self.check(lambda worktree: None, start)

    def test_a_sparse_checkout_that_the_user_changed(self) -> None:
        self.repository.git("sparse-checkout", "set", "src")

        def use(worktree: Worktree) -> None:
            self.repository.git("sparse-checkout", "set", "src/deep")

        self.check(use)

    def test_pipes_and_sockets_which_git_does_not_see(self) -> None:
        def use(worktree: Worktree) -> None:
            os.mkfifo(os.path.join(worktree.path, "src", "pipe"))

        self.check(use)

    def test_folders_that_git_did_not_make_so(self) -> None:
        def narrowed(worktree: Worktree) -> None:
            os.chmod(os.path.join(worktree.path, "src", "deep"), 0o700)

        def replaced(worktree: Worktree) -> None:
            shutil.move(os.path.join(worktree.path, "src"), os.path.join(worktree.path, "out"))
            os.symlink("out", os.path.join(worktree.path, "src"))

        for use in (narrowed, replaced):
            with self.subTest(use.__name__):
                self.check(use)
                run_sync(self.manager.remove("auth", self.manager.path("auth"), self.base))

    def test_a_folder_or_a_git_file_that_is_another(self) -> None:
        def moved(worktree: Worktree) -> None:
            os.rename(worktree.path, f"{worktree.path}.aside")
            os.mkdir(worktree.path)
            shutil.rmtree(f"{worktree.path}.aside")

        def pointed_elsewhere(worktree: Worktree) -> None:
            other = os.path.join(self.repository.path, ".git")
            Path(worktree.path, ".git").write_text(f"gitdir: {other}/worktrees/no\n")

        def removed(worktree: Worktree) -> None:
            shutil.rmtree(worktree.path)

        for use in (moved, pointed_elsewhere, removed):
            with self.subTest(use.__name__):
                self.check(use)
                run_sync(self.manager.remove("auth", self.manager.path("auth"), self.base))

    def test_a_process_that_works_there(self) -> None:
        def use(worktree: Worktree) -> None:
            sleeper = subprocess.Popen(["sleep", "60"], cwd=os.path.join(worktree.path, "src"))
            self.addCleanup(sleeper.wait)
            self.addCleanup(sleeper.kill)

        self.check(use)

    def test_submodules(self) -> None:
        other = Repository("other")
        self.addCleanup(other.close)
        add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
        self.repository.git(*add, other.path, "module")
        self.base = self.repository.commit({})
        self.check(lambda worktree: self.write(worktree, {"module/x": "x"}))

    def test_submodules_that_the_start_has(self) -> None:
        link = f"160000,{self.base},module"
        self.repository.git("update-index", "--add", "--cacheinfo", link)
        os.mkdir(os.path.join(self.repository.path, "module"))
        self.check(lambda worktree: None, self.repository.commit({"b": "x"}))

    def test_a_split_index(self) -> None:
        self.repository.git("config", "core.splitIndex", "true")
        self.check(lambda worktree: None)

    def test_what_git_cannot_remove(self) -> None:
        refuses = mock.patch.object(
            checkouts, "remove_untracked", side_effect=GitError("clean", NO)
        )
        with refuses:
            self.check(lambda worktree: self.write(worktree, {"out/x": "x"}))

    def test_an_index_that_is_too_large_to_be_kept(self) -> None:
        with mock.patch.object(index_file, "MOST_SEARCHED_BYTES", 100):
            self.check(lambda worktree: None)

    def test_a_worktree_that_is_gone_is_not_reused(self) -> None:
        gone = os.path.join(self.folder, "gone")
        self.assertIsNone(
            run_sync(spare.look(self.manager.git, gone, self.base, is_checked_out=True))
        )

    def test_files_that_nobody_can_look_at(self) -> None:
        with mock.patch.object(spare, "_are_untouched", side_effect=OSError("gone")):
            self.check(lambda worktree: None)

    def test_a_branch_of_somebody_elses_is_refused_as_ever(self) -> None:
        tip = self.repository.branch("feature/auth")
        with self.assertRaisesRegex(GitError, "already exists"):
            self.release()
        self.assertEqual(self.repository.commit_of("feature/auth"), tip)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_folder_that_cannot_be_listed(self) -> None:
        # As root, every folder can be.
        self.assertFalse(unreadable_entries.all_known_to_git(os.path.join(self.folder, "none")))


class InUseTest(SpareTest):
    """Processes that may still write."""

    def test_an_open_file_counts_and_a_closed_one_does_not(self) -> None:
        path = os.path.join(self.repository.path, "a")
        self.assertFalse(table.is_in_use(self.repository.path))
        with open(path):
            self.assertTrue(table.is_in_use(self.repository.path))
        with mock.patch.object(table, "HAS_PROC", False):
            self.assertTrue(table.is_in_use(self.repository.path))


class KilledTest(SpareTest):
    """A kill leaves something that the next run removes."""

    def test_at_each_step_of_a_takeover(self) -> None:
        for number in range(1, 8):
            with self.subTest(step=number):
                self.kill_at(number)
                for path in map(os.path.realpath, self.manager.left_scratch()):
                    self.assertIn("~scratch", path)
                run_sync(self.manager.clear_scratch(self.manager.left_scratch()))
                run_sync(self.manager.repair("auth"))
                reopened = run_sync(self.manager.reopen("auth", self.base))
                if reopened is not None:
                    run_sync(self.manager.remove("auth", reopened.path, self.base))
                self.assertEqual(os.listdir(self.folder), [])
                self.assertEqual(self.repository.git("worktree", "list").count("\n"), 0)
        self.repository.git("fsck")

    def kill_at(self, number: int) -> None:
        """Fork, and end the child before its ``number``-th change of the worktrees' folder."""
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            return
        left = number

        def counted(real: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **more: object) -> object:
                nonlocal left
                left -= 1
                if not left:
                    os._exit(0)
                return real(*arguments, **more)

            return call

        try:
            for name in ("rename", "unlink", "utime"):
                setattr(os, name, counted(getattr(os, name)))
            self.release()
        finally:
            os._exit(0)
