"""New files: planned, checked and written; nothing that exists is overwritten."""

from __future__ import annotations

import contextlib
import os
import resource
import tempfile
import unittest
from collections.abc import Iterator
from unittest import mock

from core.model.errors import UserError
from core.start.new_files import Left, NewFile, check_folders, gitignore, planned, write

LINES = ("/reports/", "node_modules/")


@contextlib.contextmanager
def file_limit(size: int) -> Iterator[None]:
    """Let no file grow beyond a size: as on a full disk, a short write, then an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class NewFiles(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(temporary.cleanup)
        self.root = os.path.join(os.path.realpath(temporary.name), "shop")
        os.mkdir(self.root)

    def put(self, path: str, content: bytes) -> str:
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "wb") as file:
            file.write(content)
        return whole

    def content(self, path: str) -> bytes:
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()

    def test_what_exists_is_left_and_the_rest_is_written(self) -> None:
        self.put("a", b"old")
        new, left = planned(self.root, [NewFile("a", "x"), NewFile("b/c", "new\n")])
        self.assertEqual(left, (Left("a"),))
        self.assertEqual(list(write(self.root, new)), ["b/c"])
        self.assertEqual((self.content("a"), self.content("b/c")), (b"old", b"new\n"))

    def test_a_link_that_leads_nowhere_exists_as_well(self) -> None:
        os.symlink("nowhere", os.path.join(self.root, "a"))
        self.assertEqual(planned(self.root, [NewFile("a", "x")]), ((), (Left("a"),)))

    def test_a_file_that_appears_meanwhile_is_not_overwritten(self) -> None:
        self.put("a", b"old")
        with self.assertRaises(UserError) as caught:
            list(write(self.root, [NewFile("a", "x")]))
        self.assertIn("exists already", caught.exception.message)
        self.assertEqual(self.content("a"), b"old")

    def test_a_file_that_cannot_be_written_is_named(self) -> None:
        with self.assertRaises(UserError) as caught:
            list(write(self.root, [NewFile("x" * 300, "")]))
        self.assertIn("can't be written: File name too long", caught.exception.message)

    def refused(self, path: str) -> str:
        with self.assertRaises(UserError) as caught:
            check_folders(self.root, [NewFile(path, "")])
        return caught.exception.message

    def test_on_a_full_disk_no_part_of_a_file_is_left(self) -> None:
        self.put(".gitignore", b"old\n")
        added = NewFile(".gitignore", "x\n" * 500, appends=True)
        for file in (added, NewFile("config/list", "x\n" * 500)):
            with self.subTest(file.path), file_limit(100), self.assertRaises(UserError) as caught:
                list(write(self.root, [file]))
            self.assertIn("can't be written: File too large", caught.exception.message)
        self.assertEqual(self.content(".gitignore"), b"old\n")
        self.assertEqual(os.listdir(os.path.join(self.root, "config")), [])

    def test_folders_are_checked_before_anything_is_written(self) -> None:
        check_folders(self.root, [NewFile("config/deep/list.json", ""), NewFile("a", "")])
        self.put("config", b"")
        self.assertIn("config is not a folder", self.refused("config/deep/list.json"))
        os.symlink(os.path.dirname(self.root), os.path.join(self.root, "prompts"))
        self.assertIn("leads out of", self.refused("prompts/a.md"))
        with mock.patch("os.access", return_value=False):
            self.assertIn(f"{self.root} is not writable", self.refused("a"))

    def test_a_new_gitignore_has_all_lines(self) -> None:
        self.assertEqual(
            gitignore(self.root, LINES), NewFile(".gitignore", "/reports/\nnode_modules/\n")
        )
        self.assertIsNone(gitignore(self.root, ()))

    def added(self, content: bytes) -> bytes:
        self.put(".gitignore", content)
        made = gitignore(self.root, LINES)
        assert isinstance(made, NewFile)
        list(write(self.root, [made]))
        return self.content(".gitignore")

    def test_lines_are_added_to_an_old_one_in_its_own_manner(self) -> None:
        self.assertEqual(self.added(b"a\n"), b"a\n/reports/\nnode_modules/\n")
        self.assertEqual(self.added(b"node_modules/"), b"node_modules/\n/reports/\n")
        self.assertEqual(self.added(b"a\r\n"), b"a\r\n/reports/\r\nnode_modules/\r\n")
        self.assertEqual(self.added(b""), b"/reports/\nnode_modules/\n")
        self.assertEqual(self.added(b"\xff\n"), b"\xff\n/reports/\nnode_modules/\n")

    def test_a_gitignore_that_lacks_nothing_stays_as_it_is(self) -> None:
        self.put(".gitignore", b"  /reports/\nnode_modules/\n")
        self.assertIsNone(gitignore(self.root, LINES))

    def test_a_gitignore_that_git_does_not_read_stays_as_it_is(self) -> None:
        os.symlink("elsewhere", os.path.join(self.root, ".gitignore"))
        self.assertIsInstance(gitignore(self.root, LINES), Left)

    def test_a_gitignore_that_cannot_be_read_is_named(self) -> None:
        self.put(".gitignore", b"")
        denied = mock.patch("builtins.open", side_effect=PermissionError(13, "Permission denied"))
        with denied, self.assertRaises(UserError) as caught:
            gitignore(self.root, LINES)
        self.assertIn(".gitignore can't be read: Permission denied", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
