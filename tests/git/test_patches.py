"""Patches of what differs between two commits."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from core.git import patches
from core.git.door import Git
from core.git.opening import open_repository
from core.git.patches import FileDiff, file_diffs
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class Patches(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.git: Git = run_sync(
            open_repository(Spawner(), self.repository.path, self.repository.environ)
        ).read_only()
        self.old = self.repository.commit_of("main")

    def files(self, new: str, old: str = "", limit: int = 1 << 20) -> tuple[FileDiff, ...]:
        return run_sync(file_diffs(self.git, old or self.old, new, limit_bytes=limit))

    def test_each_file_has_its_lines_and_its_patch(self) -> None:
        long = "".join(f"line {number}\n" for number in range(20))
        start = self.repository.commit({"old name\t.txt": long, "gone.txt": "x\n"})
        new = self.repository.commit(
            {
                "old name\t.txt": None,
                "nëw.txt": long + "more\n",
                "gone.txt": None,
                "binary": b"\0\1",
                "large.txt": "x\n" * patches.LARGEST_FILE_BYTES,
                "latin.txt": b"caf\xe9\ndiff --git a/x b/x\n",
            }
        )
        files = {file.path: file for file in self.files(new, start)}
        self.assertEqual(set(files), {"binary", "gone.txt", "large.txt", "latin.txt", "nëw.txt"})
        renamed = files["nëw.txt"]
        self.assertEqual(
            (renamed.old_path, renamed.insertions, renamed.deletions), ("old name\t.txt", 1, 0)
        )
        self.assertIn("+more\n", renamed.patch)
        self.assertEqual((files["gone.txt"].insertions, files["gone.txt"].deletions), (0, 1))
        for name in ("binary", "large.txt"):
            self.assertEqual((files[name].insertions, files[name].deletions), (None, None))
            self.assertIn("Binary files", files[name].patch)
        self.assertIn("+caf\ufffd\n+diff --git a/x b/x\n", files["latin.txt"].patch)
        self.assertFalse(any(file.is_cut for file in files.values()))

    def test_nothing_differs(self) -> None:
        self.assertEqual(self.files(self.old), ())

    def test_patches_end_at_the_limit_at_the_end_of_a_line(self) -> None:
        new = self.repository.commit({"a": "1234567\n" * 100, "b": "x\n", "c": "y\n"})
        whole = self.files(new)
        first = len(whole[0].patch)
        a, b, c = self.files(new, limit=first - 10)
        self.assertTrue(a.is_cut and a.patch.endswith("+1234567\n"))
        self.assertEqual(len(a.patch), first - 18)
        self.assertEqual((b.patch, b.is_cut, c.insertions), ("", True, 1))

    def test_a_huge_difference_has_patches_of_its_first_files(self) -> None:
        new = self.repository.commit({"a*": "1\n", "b": "1\n2\n", "c": "1\n"})
        for limit in ({"MOST_LINES": 2}, {"MOST_FILES": 1}):
            with mock.patch.multiple(patches, **limit):
                a, b, c = self.files(new)
            self.assertIn("+1\n", a.patch)
            self.assertEqual((b.patch, b.is_cut, b.insertions, c.is_cut), ("", True, 2, True))
        with mock.patch.multiple(patches, MOST_LINES=0):
            self.assertEqual({file.patch for file in self.files(new)}, {""})

    def test_a_rename_that_git_pairs_otherwise_leaves_no_patch(self) -> None:
        moved = self.repository.commit({"README.md": None, "other": "hello\n"})
        with mock.patch.object(patches, "numbers", lambda _: iter([FileDiff("a"), FileDiff("b")])):
            self.assertEqual([file.is_cut for file in self.files(moved)], [True, True])

    def test_files_are_shown_first_whatever_their_names(self) -> None:
        names = ["z*", "y?[a]", "#x", "w\\", "a\nb"]
        new = self.repository.commit(dict.fromkeys(["a", "b", "zz", *names], "1\n"))
        option = patches.in_this_order(self.git, names)
        said = self.repository.git("diff", "--name-only", "-z", *option, self.old, new)
        self.assertEqual(said.split("\0")[:5], ["z*", "y?[a]", "#x", "w\\", "a"])
        self.assertEqual(patches.in_this_order(self.git, ["a\nb"]), ())

    def test_no_program_of_the_users_runs(self) -> None:
        touched = os.path.join(self.repository.root, "touched")
        self.repository.git("config", "diff.external", f"touch {touched};")
        self.repository.git("config", "diff.evil.textconv", f"touch {touched};")
        new = self.repository.commit({".gitattributes": "* diff=evil\n", "a": "1\n"})
        self.assertIn("+1\n", self.files(new)[1].patch)
        self.assertFalse(os.path.exists(touched))


if __name__ == "__main__":
    unittest.main()
