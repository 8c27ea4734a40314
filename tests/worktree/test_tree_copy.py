"""Copies of folders: what they keep, copy-on-write, and the stamps that prove them."""

from __future__ import annotations

import errno
import os
from unittest import mock

from core.worktree import tree_copy
from core.worktree.tree_copy import FileCopier, copy_folder, digest_of, stamps_of
from tests.support.setup_folders import SetupFolderTest


class CopyTest(SetupFolderTest):
    def setUp(self) -> None:
        super().setUp()
        self.target = os.path.join(self.root, "copy")

    def copy(self, copier: FileCopier | None = None) -> list[tuple[str | int, ...]]:
        source = self.path("node_modules")
        return copy_folder(source, self.target, "node_modules", copier or FileCopier())

    def test_content_modes_times_and_links_are_kept_and_nothing_is_shared(self) -> None:
        self.copy()
        for name in ("left", "left/index.js", "left/cli.js", ".bin/left"):
            one = os.lstat(self.path(f"node_modules/{name}"))
            other = os.lstat(os.path.join(self.target, name))
            self.assertEqual((one.st_mode, one.st_mtime_ns), (other.st_mode, other.st_mtime_ns))
            self.assertNotEqual(one.st_ino, other.st_ino)
        self.assertEqual(self.read("left/index.js", self.target), "module.exports = 1\n")
        self.assertEqual(os.readlink(os.path.join(self.target, "own")), "../packages/own")

    def test_its_stamps_are_those_of_the_source(self) -> None:
        stamps = stamps_of(self.path("node_modules"), "node_modules")
        self.assertEqual(self.copy(), stamps)
        names = {stamp[0]: stamp[1:] for stamp in stamps}
        self.assertEqual(names["node_modules/left/"], (0o555,))
        self.assertEqual(names["node_modules/own"], ("../packages/own",))
        self.assertEqual(names["node_modules/left/index.js"][1], 19)

    def test_every_change_of_an_entry_changes_the_digest(self) -> None:
        def digest() -> str:
            return digest_of(["n"], stamps_of(self.path("node_modules"), "n"))

        seen = {digest()}
        file = self.path("node_modules/left/index.js")
        os.chmod(file, 0o755)
        seen.add(digest())
        info = os.stat(file)
        with open(file, "r+b") as opened:
            opened.write(b"X")
        os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
        seen.add(digest())
        os.unlink(self.path("node_modules/own"))
        seen.add(digest())
        os.mkdir(self.path("node_modules/new"))
        seen.add(digest())
        self.assertEqual(len(seen), 5)

    def test_without_clones_the_content_is_copied_and_no_other_file_is_tried(self) -> None:
        copier = FileCopier()
        refused = mock.Mock(side_effect=OSError(errno.EOPNOTSUPP, "no"))
        with mock.patch("fcntl.ioctl", refused):
            self.copy(copier)
        self.assertEqual((copier.clones, refused.call_count), (False, 1))
        self.assertEqual(self.read("left/index.js", self.target), "module.exports = 1\n")

    def test_with_clones_no_byte_is_copied(self) -> None:
        copier = FileCopier()
        with mock.patch("fcntl.ioctl") as clone:
            self.copy(copier)
        self.assertEqual((copier.clones, clone.call_count), (True, 2))
        self.assertEqual(self.read("left/index.js", self.target), "")

    def test_macos_clones_a_file_with_its_mode_and_times(self) -> None:
        made: list[bytes] = []

        def clone_at(reading: int, folder: int, target: bytes, flags: int) -> int:
            self.assertEqual((folder, flags), (tree_copy.HERE, 0))
            made.append(target)
            return 0

        self.copy(FileCopier(clone_at))
        whole = [
            os.fsencode(os.path.join(self.target, "left", name)) for name in ("cli.js", "index.js")
        ]
        self.assertEqual(made, whole)

    def test_another_file_system_of_macos_gets_plain_copies(self) -> None:
        refusing = mock.Mock(return_value=-1)
        self.copy(FileCopier(refusing))
        refusing.assert_called_once()
        self.assertEqual(self.read("left/index.js", self.target), "module.exports = 1\n")

    def test_a_pipe_is_refused_without_waiting_for_its_writer(self) -> None:
        os.mkfifo(self.path("node_modules/pipe"))
        with self.assertRaises(OSError):
            self.copy()

    def test_a_stop_ends_it(self) -> None:
        with self.assertRaises(InterruptedError):
            copy_folder(self.path("node_modules"), self.target, "n", FileCopier(), lambda: True)
        self.assertFalse(os.path.exists(self.target))

    def test_where_links_have_no_times_they_are_copied_all_the_same(self) -> None:
        with mock.patch("os.supports_follow_symlinks", set()):
            self.copy()
        self.assertTrue(os.path.islink(os.path.join(self.target, "own")))
