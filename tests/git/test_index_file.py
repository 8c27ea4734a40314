"""What an index shows without git, beside what git says."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from core.git import index_file
from core.git.index_file import has_no_submodule, is_plain
from core.git.opening import open_repository
from core.git.worktree_status import hidden
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class IndexFileTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.path = self.repository.path
        self.repository.commit({name: f"{name}\n" for name in ("a", "folder/b", "l" * 200, "z")})

    def git(self, *words: str) -> None:
        self.repository.git(*words)

    def rewrite(self, change: bytes, at: int) -> None:
        path = os.path.join(self.path, ".git", "index")
        with open(path, "r+b") as file:
            file.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
            file.write(change)

    def test_files_and_links_without_bits_are_plain(self) -> None:
        os.symlink("a", os.path.join(self.path, "link"))
        self.git("add", "-A")
        blob, name = self.repository.git("rev-parse", "HEAD:a"), "long/" * 820 + "name"
        self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        self.assertTrue(is_plain(self.path))
        self.git("write-tree")  # git adds an extension
        self.assertTrue(is_plain(self.path))

    def test_the_index_of_a_linked_worktree_is_plain_too(self) -> None:
        linked = os.path.join(self.repository.root, "linked")
        self.git("worktree", "add", "--quiet", "--detach", linked)
        self.assertTrue(is_plain(linked))
        self.repository.git("update-index", "--assume-unchanged", "z", at=linked)
        self.assertFalse(is_plain(linked))
        self.assertTrue(is_plain(self.path))

    def test_entries_that_hide_changes_or_are_no_files_are_not_plain(self) -> None:
        commit = self.repository.commit_of("HEAD")
        cases = {
            "assume-unchanged": ("update-index", "--assume-unchanged", "z"),
            "skip-worktree": ("update-index", "--skip-worktree", "z"),
            "a submodule": ("update-index", "--add", "--cacheinfo", f"160000,{commit},module"),
            "a split index": ("update-index", "--split-index"),
            "another version": ("update-index", "--index-version", "4"),
        }
        for name, words in cases.items():
            with self.subTest(name):
                self.git("read-tree", "HEAD")
                self.assertTrue(is_plain(self.path))
                self.git(*words)
                self.assertFalse(is_plain(self.path))
                os.unlink(os.path.join(self.path, ".git", "index"))

    def test_an_index_that_is_large_or_of_another_version_is_left_to_git(self) -> None:
        opened = run_sync(open_repository(Spawner(), self.path, self.repository.environ))
        self.git("update-index", "--index-version", "4")
        self.assertEqual(run_sync(hidden(opened, self.path)), [])
        self.git("update-index", "--assume-unchanged", "z")
        self.assertEqual(run_sync(hidden(opened, self.path)), ["z"])
        self.git("read-tree", "HEAD")
        with mock.patch.object(index_file, "MOST_BYTES", 100):
            self.assertFalse(is_plain(self.path))

    def test_an_index_without_a_checksum_of_20_bytes_is_not_plain(self) -> None:
        opened = run_sync(open_repository(Spawner(), self.path, self.repository.environ))
        self.git("update-index", "--refresh")
        self.rewrite(b"\0" * 20, -20)  # as with index.skipHash
        self.assertFalse(is_plain(self.path))
        self.assertEqual(run_sync(hidden(opened, self.path)), [])
        self.rewrite(b"\1" * 20, -20)
        self.assertFalse(is_plain(self.path))

    def test_an_index_of_any_version_without_submodules_has_none(self) -> None:
        self.git("update-index", "--assume-unchanged", "z")
        for version in ("2", "3", "4"):
            with self.subTest(version):
                self.git("update-index", "--index-version", version)
                self.assertTrue(has_no_submodule(self.path))
        for size in (-1, 0):
            whole = os.path.getsize(os.path.join(self.path, ".git", "index"))
            with mock.patch.object(index_file, "MOST_SEARCHED_BYTES", whole + size):
                self.assertEqual(has_no_submodule(self.path), size == 0)

    def test_an_index_that_may_have_a_submodule_or_lists_no_files_is_left_to_git(self) -> None:
        commit = self.repository.commit_of("HEAD")
        cases = {
            "a submodule": ("update-index", "--add", "--cacheinfo", f"160000,{commit},module"),
            "a split index": ("update-index", "--split-index"),
            "a sparse index": ("sparse-checkout", "set", "--cone", "--sparse-index", "other"),
        }
        for name, words in cases.items():
            for version in ("2", "4"):
                with self.subTest(name, version=version):
                    self.git("read-tree", "HEAD")
                    self.git("update-index", "--index-version", version)
                    self.assertTrue(has_no_submodule(self.path))
                    self.git(*words)
                    self.assertFalse(has_no_submodule(self.path))
                    self.git("sparse-checkout", "disable")
                    os.unlink(os.path.join(self.path, ".git", "index"))
        self.assertFalse(has_no_submodule(self.path))

    def test_an_index_that_cannot_be_read_or_is_damaged_is_not_plain(self) -> None:
        self.assertFalse(is_plain(self.repository.root))
        self.rewrite(b"\0\0\1\0", 8)
        self.assertFalse(is_plain(self.path))
        self.rewrite(b"\0\0\0\0", 8)
        self.assertFalse(is_plain(self.path))

    def test_ids_of_another_length_are_not_read(self) -> None:
        other = os.path.join(self.repository.root, "other")
        self.git("init", "--quiet", "--object-format=sha256", other)
        for name in ("a", "b", "c"):
            with open(os.path.join(other, name), "w", encoding="utf-8") as file:
                file.write(name)
        self.repository.git("add", "-A", at=other)
        self.assertFalse(is_plain(other))

    def test_an_index_that_is_no_file_blocks_nobody(self) -> None:
        path = os.path.join(self.path, ".git", "index")
        os.unlink(path)
        os.mkfifo(path)
        self.assertFalse(is_plain(self.path))


if __name__ == "__main__":
    unittest.main()
