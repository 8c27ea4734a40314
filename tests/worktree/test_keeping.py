"""Uncommitted work: found and kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.git import checkouts
from core.git.door import GitError
from core.git.refs import KEPT
from core.model.outcome import Work
from core.process.spawner import run_sync
from core.worktree import inspection, keeping
from core.worktree.worktree import Kept
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.worktrees import WorktreeTest, changed

setUpModule = skip_if_run_elsewhere


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
        run_sync(self.manager.reopen("auth", self.base))
        self.assertTrue(os.path.exists(os.path.join(made.path, "lib", "README.md")))
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.assertEqual(run_sync(keeping.unsaved(self.manager, made.path)), ([], []))
        self.assertEqual(run_sync(self.manager.remove("auth", made.path, self.base)), "")

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
        files, nested = run_sync(keeping.unsaved(self.manager, made.path))
        self.assertEqual((files, nested), ([], ["submodule lib"]))
        self.refused(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base), "submodule lib"
        )

    def test_a_commit_inside_a_submodule_is_recorded_and_never_removed(self) -> None:
        made = self.create()
        inside = self.repository.commit({"inside": "x"}, at=os.path.join(made.path, "lib"))
        work = self.work(made)
        self.assertIn(inside, self.repository.git("ls-tree", work.commit, "lib"))
        self.assertEqual(
            run_sync(keeping.unsaved(self.manager, made.path)), ([], ["submodule lib"])
        )

    def test_files_where_a_submodule_is_not_checked_out_are_named_and_kept(self) -> None:
        made = self.create()
        module = os.path.join(made.path, "lib")
        shutil.rmtree(module)
        os.mkdir(module)
        self.repository.write({"set up": "x"}, at=module)
        run_sync(inspection.record_baseline(self.manager, made))
        self.repository.write({"inside/new": "x"}, at=module)
        self.assertEqual(self.work(made), Work(self.base, held_back=("lib/inside/new",)))
        for git in (self.manager.git, self.manager.git.read_only()):
            files, nested = run_sync(
                keeping.unsaved(self.manager.using(git), made.path, ["lib/set up"])
            )
            self.assertEqual((files, nested), (["lib/inside/new"], []))
        kept = run_sync(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base, ["lib/set up"])
        )
        self.assertEqual(self.repository.git("show", f"{kept.ref}:lib/inside/new"), "x")

    def test_a_removed_submodule_does_not_prevent_keeping(self) -> None:
        made = self.create()
        self.repository.git("rm", "--quiet", "lib", at=made.path)
        self.repository.write({"lib/file": "x"}, at=made.path)
        work = self.work(made)
        self.assertEqual(self.repository.git("show", f"{work.commit}:lib/file"), "x")
        self.assertEqual(run_sync(keeping.unsaved(self.manager, made.path)), ([], []))


class KeepTest(WorktreeTest):
    """Work saved before a branch goes."""

    def test_nothing_done_needs_no_ref(self) -> None:
        made = self.create()
        self.assertEqual(self.keep(made.path), Kept("", self.base))
        self.assertEqual(self.keep(), Kept("", self.base))
        self.assertEqual(run_sync(keeping.keep(self.manager, "api", "run1", "", self.base)), Kept())

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
        self.assertEqual(run_sync(self.manager.remove("auth", made.path, kept.tip)), "")

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
            return sorted(run_sync(keeping.unsaved(self.manager, worktree.path, made))[0])

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

    def test_content_that_is_only_in_the_index_is_kept(self) -> None:
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
        admin = run_sync(checkouts.admin_dir(self.manager.git, made.path))
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
            keeping.keep(self.manager, "auth", "run1", made.path, self.base),
            "a commit cannot contain",
        )
        self.assertIn("nested/, vendor/", error.message)

    def test_a_folder_that_lost_its_link_is_not_taken_for_the_repository_around_it(self) -> None:
        made = self.create()
        os.unlink(os.path.join(made.path, ".git"))
        self.repository.git("init", "-q", self.repository.root)
        self.refused(
            keeping.keep(self.manager, "auth", "run1", made.path, self.base),
            "no longer a worktree of this",
        )
        with self.assertRaises(GitError):
            run_sync(self.manager.remove("auth", made.path, self.base))
        self.assertTrue(os.path.exists(os.path.join(made.path, "a")))
