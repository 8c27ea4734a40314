"""The diffs of many pairs of commits at once."""

from __future__ import annotations

import unittest
from unittest import mock

from core.git import diffs_at_once as at_once
from core.git.diffs_at_once import diffs_at_once
from core.git.door import Git
from core.git.opening import open_repository
from core.git.patches import FileDiff
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere

LONG = "".join(f"line {number}\n" for number in range(20))


class DiffsAtOnce(unittest.TestCase):
    repository: Repository
    git: Git

    @classmethod
    def setUpClass(cls) -> None:
        cls.repository = space = Repository()
        cls.addClassCleanup(space.close)
        cls.git = run_sync(open_repository(Spawner(), space.path, space.environ)).read_only()
        cls.first = space.commit_of("main")
        cls.second = space.commit({"old.txt": LONG, cls.first: "a file named like a commit\n"})
        cls.third = space.commit({"old.txt": None, "new.txt": LONG, "b": b"\0\1", "c": "1\n2\n"})

    def diffs(self, *pairs: tuple[str, str]) -> list[tuple[FileDiff, ...]]:
        return run_sync(diffs_at_once(self.git, pairs))

    def test_each_pair_has_its_files_with_lines_and_patches(self) -> None:
        one, none, other = self.diffs(
            (self.first, self.second), (self.second, self.second), (self.second, self.third)
        )
        self.assertEqual(
            {file.path: file.insertions for file in one}, {"old.txt": 20, self.first: 1}
        )
        self.assertEqual(none, ())
        files = {file.path: file for file in other}
        self.assertEqual(set(files), {"new.txt", "b", "c"})
        self.assertEqual(files["new.txt"].old_path, "old.txt")
        self.assertEqual((files["b"].insertions, files["c"].insertions), (None, 2))
        self.assertIn("+1\n+2\n", files["c"].patch)
        self.assertIn("+a file named like a commit\n", "".join(file.patch for file in one))
        self.assertFalse(any(file.is_cut for file in (*one, *other)))

    def test_it_is_two_processes_of_git_however_many_pairs_there_are(self) -> None:
        with mock.patch.object(Git, "run", autospec=True, side_effect=Git.run) as run:
            self.diffs(*[(self.first, self.second), (self.second, self.third)] * 20)
        self.assertEqual(run.call_count, 2)

    def test_a_commit_that_is_gone_leaves_the_other_pairs_alone(self) -> None:
        missing = "0" * 39 + "1"
        for pair in ((self.first, missing), (missing, self.first)):
            gone, there = self.diffs(pair, (self.first, self.second))
            self.assertEqual((gone, len(there)), ((), 2))
        self.assertEqual(self.diffs(), [])

    def test_large_diffs_have_no_patches_and_long_patches_are_cut(self) -> None:
        pair = (self.first, self.second)
        for limit in ("MOST_FILES", "MOST_LINES", "MOST_LINES_IN_ALL"):
            with mock.patch.object(at_once, limit, 1):
                [files] = self.diffs(pair)
            self.assertEqual([file.patch for file in files], ["", ""], limit)
        with mock.patch.object(at_once, "PATCH_BYTES", 200):
            [files] = self.diffs(pair)
        cut = {file.path: file for file in files}["old.txt"]
        self.assertTrue(cut.is_cut and cut.patch.endswith("\n") and len(cut.patch) <= 200)

    def test_files_that_git_pairs_differently_have_no_patches(self) -> None:
        with mock.patch.object(at_once, "each_file", lambda patch: []):
            [files] = self.diffs((self.first, self.second))
        self.assertEqual({file.patch for file in files}, {""})
