"""The index, commits and the status of a worktree."""

from __future__ import annotations

import os
import shutil
from functools import partial

from core.git import (
    commits,
    merging,
    staging,
    worktree_status,
)
from core.git.output import WorktreeStatus
from core.process.spawner import run_sync
from tests.support.git import MISSING, GitTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class StatusTest(GitTest):
    """What stands in a worktree, and how it is staged and committed."""

    def status(self, **options: bool) -> WorktreeStatus:
        return run_sync(worktree_status.status_of(self.git, self.repository.path, **options))

    def test_every_kind_of_change_is_reported(self) -> None:
        self.repository.commit({".gitignore": "*.log\n", "a": "1", "b": "1", "c": "1"})
        self.repository.write({"a": "2", "b": None, "new": "", "staged": "", "x.log": ""})
        self.repository.git("add", "staged")
        self.repository.git("add", "-N", "new")
        self.repository.write({"d/e f": ""})
        status = self.status(ignored=True)
        self.assertEqual(status.branch, "main")
        self.assertEqual(status.commit, self.repository.commit_of("main"))
        self.assertEqual(status.changed, ("a", "b", "new", "staged"))
        self.assertEqual(status.added, ("new", "staged"))
        self.assertEqual(status.untracked, ("d/e f",))
        self.assertEqual(status.ignored, ("x.log",))
        self.assertEqual(status.uncommitted, ("a", "b", "new", "staged", "d/e f"))
        self.assertEqual(self.status().ignored, ())

    def test_files_of_an_unfinished_merge_are_named(self) -> None:
        self.repository.commit({"a b": "1\n"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"a b": "2\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"a b": "3\n"})
        self.repository.git("merge", "x", fails=True)
        status = self.status()
        self.assertEqual((status.unmerged, status.changed), (("a b",), ()))

    def test_a_folder_that_is_no_worktree_has_no_status(self) -> None:
        self.refused(
            worktree_status.status_of(self.git, self.repository.root), "read the status of"
        )

    def test_files_of_another_commit_come_whatever_their_names_and_the_sparse_checkout_are(
        self,
    ) -> None:
        start = self.repository.commit({"a": "1", "tests/old.py": "1"})
        odd = os.fsdecode(b"tests/\xff \n*")
        self.repository.write({"tests/run": "", odd: "odd", "tests/old.py": "2"})
        os.symlink("run", os.path.join(self.repository.path, "tests", "link"))
        os.chmod(os.path.join(self.repository.path, "tests", "run"), 0o755)
        later = self.repository.commit({})
        self.repository.git("checkout", "-q", "--detach", start)
        self.repository.git("sparse-checkout", "set", "--no-cone", "/a")
        wanted = [odd, "tests/link", "tests/run"]
        run_sync(staging.restore(self.git, self.repository.path, wanted, later))
        folder = os.path.join(self.repository.path, "tests")
        self.assertEqual(sorted(os.listdir(folder)), sorted(map(os.path.basename, wanted)))
        self.assertEqual(os.readlink(os.path.join(folder, "link")), "run")
        self.assertTrue(os.access(os.path.join(folder, "run"), os.X_OK))

    def test_everything_an_agent_can_do_to_a_file_is_committed(self) -> None:
        odd = {
            "new\nline": "1",
            'quo"te': "2",
            "-dash": "3",
            "tab\there": "4",
            "日本": "5",
            os.fsdecode(b"latin-\xe9"): "6",
            ":(glob)*": "7",
        }
        before = {
            "changed": "1",
            "deleted": "1",
            "mode": "1",
            "from": "a long enough text\n" * 5,
            "file-to-folder": "1",
            "folder-to-file/a": "1",
            "folder-to-link/a": "1",
            "file-to-link": "1",
        }
        self.repository.commit(before)
        path = self.repository.path
        self.repository.write({"changed": "2", "deleted": None, "from": None, **odd})
        self.repository.write({"to": "a long enough text\n" * 5})
        os.chmod(os.path.join(path, "mode"), 0o755)
        os.unlink(os.path.join(path, "file-to-folder"))
        self.repository.write({"file-to-folder/b": "2"})
        for folder in ("folder-to-file", "folder-to-link"):
            shutil.rmtree(os.path.join(path, folder))
        self.repository.write({"folder-to-file": "2"})
        os.symlink("file-to-folder", os.path.join(path, "folder-to-link"))
        os.unlink(os.path.join(path, "file-to-link"))
        os.symlink("nowhere", os.path.join(path, "file-to-link"))
        run_sync(staging.stage(self.git, path, self.status().uncommitted))
        old = self.repository.commit_of("main")
        made = run_sync(staging.commit(self.git, path, "all of it"))
        self.assertEqual(self.status().uncommitted, ())
        self.assertEqual((made.id, made.parents), (self.repository.commit_of("main"), (old,)))
        self.assertEqual(made.stat, run_sync(commits.diffstat(self.git, old, made.id)))
        expected = {
            "README.md": b"hello\n",
            "changed": b"2",
            "mode": b"1",
            "to": before["from"].encode(),
            "file-to-folder/b": b"2",
            "folder-to-file": b"2",
            "folder-to-link": b"file-to-folder",
            "file-to-link": b"nowhere",
            **{name: content.encode() for name, content in odd.items()},
        }
        self.assertEqual(self.repository.files(made.id), expected)
        self.assertTrue(self.repository.git("ls-tree", made.id, "mode").startswith("100755"))

    def test_a_file_removed_from_the_index_stays_on_disk(self) -> None:
        self.repository.write({"new": "x"})
        self.repository.git("add", "new")
        run_sync(staging.unstage(self.git, self.repository.path, ["new"]))
        run_sync(staging.unstage(self.git, self.repository.path, []))
        self.assertEqual(self.status().untracked, ("new",))

    def test_a_file_that_cannot_be_staged_is_named(self) -> None:
        self.repository.git("config", "filter.f.clean", "false")
        self.repository.git("config", "filter.f.required", "true")
        self.repository.write({".gitattributes": "bad filter=f\n", "bad": "x"})
        self.refused(staging.stage(self.git, self.repository.path, ["bad"]), "stage the files")

    def test_a_snapshot_leaves_index_and_branch_as_they_are(self) -> None:
        self.repository.commit({"a": "1", "b": "1"})
        self.repository.write({"a": "2", "b": None, "new": "x", "left out": "x"})
        seen = self.repository.seen_by_user()
        index = self.beside("index")
        files = ["a", "b", "new"]
        tree = run_sync(staging.snapshot_tree(self.git, self.repository.path, files, index))
        self.assertEqual(
            self.repository.files(tree), {"README.md": b"hello\n", "a": b"2", "new": b"x"}
        )
        self.assertEqual(self.repository.seen_by_user(), seen)

    def test_a_merge_in_the_worktree_is_made_or_undone(self) -> None:
        self.repository.commit({"é": "1\n"})
        for name, content in (("one", "one\n"), ("two", "two\n")):
            self.repository.git("checkout", "-q", "-b", name, "main")
            self.repository.commit({"é": content})
        self.repository.git("checkout", "-q", "-b", "clean", "main")
        self.repository.commit({"clean": "x"})
        self.repository.git("checkout", "-q", "one")
        path = self.repository.path
        merge = partial(merging.merge_into_worktree, self.git)
        self.assertEqual(run_sync(merge(path, "clean", "merge them")), [])
        self.assertEqual(self.repository.git("log", "-1", "--format=%s"), "merge them")
        seen = self.repository.git("status", "--porcelain=v2", "--branch")
        self.assertEqual(run_sync(merge(path, "two", "merge them")), ["é"])
        self.assertEqual(self.repository.git("status", "--porcelain=v2", "--branch"), seen)
        self.refused(merge(path, MISSING, "merge them"), "could not merge")
