"""Folders that another worktree can have, and those that it can't."""

from __future__ import annotations

import os
import socket
from unittest import mock

from core.worktree import relocatable
from core.worktree.relocatable import NotStored, check_relocatable
from tests.support.setup_folders import SetupFolderTest


class RelocatableTest(SetupFolderTest):
    def why(self) -> str:
        """Why the folder is not stored; empty if it is."""
        try:
            check_relocatable(self.worktree, "node_modules")
        except NotStored as error:
            return error.message
        return ""

    def test_links_inside_of_the_worktree_and_other_paths_are_fine(self) -> None:
        self.write("node_modules/a.js", "/somewhere/else")
        os.symlink("missing", self.path("node_modules/broken"))
        self.assertEqual(self.why(), "")

    def test_the_size_of_the_folder_is_returned(self) -> None:
        self.assertEqual(check_relocatable(self.worktree, "node_modules"), 2 * 4096)

    def test_the_path_of_the_worktree_in_a_text(self) -> None:
        self.write("node_modules/.bin/x", f"#!{self.worktree}/node_modules/.bin/node\n")
        self.assertEqual(self.why(), "node_modules/.bin/x contains the path of its worktree")

    def test_a_worktree_below_a_link_has_two_paths(self) -> None:
        other = os.path.join(self.root, "other")
        os.symlink(self.worktree, other)
        for path in (self.worktree, other):
            self.write("node_modules/x", path)
            with self.assertRaises(NotStored):
                check_relocatable(other, "node_modules")

    def test_binaries_large_files_and_what_builds_leave_are_not_searched(self) -> None:
        path = self.worktree
        self.write("node_modules/a/build/Release/a.node", b"\x7fELF\0" + path.encode())
        self.write("node_modules/a/build/Makefile", path)
        self.write("node_modules/a/build/config.gypi", path)
        self.write("node_modules/a/build/Release/.deps/a.o.d", path)
        self.write("node_modules/a/large.js", path + " " * relocatable.TEXT_BYTES)
        os.mkdir(self.path("node_modules/a/build/node_gyp_bins"))
        os.symlink("/usr/bin/python3", self.path("node_modules/a/build/node_gyp_bins/python3"))
        self.assertEqual(self.why(), "")

    def test_links_that_lead_out_of_the_worktree(self) -> None:
        link = self.path("node_modules/link")
        os.symlink("../..", self.path("packages/up"))
        for target in ("/etc", self.path("packages"), "../..", "../packages/up/x", "../.git"):
            os.symlink(target, link)
            with self.subTest(target=target):
                self.assertEqual(
                    self.why(),
                    f"node_modules/link is a link to {target}, outside of the worktree",
                )
            os.unlink(link)

    def test_virtual_environments_and_repositories(self) -> None:
        self.write("node_modules/env/pyvenv.cfg", "home = /usr/bin\n")
        self.assertIn("node_modules/env is a virtual environment", self.why())
        os.unlink(self.path("node_modules/env/pyvenv.cfg"))
        os.mkdir(self.path("node_modules/env/.git"))
        self.assertEqual(self.why(), "node_modules/env is a git repository")

    def test_pipes_and_sockets(self) -> None:
        os.mkfifo(self.path("node_modules/special"))
        self.assertEqual(self.why(), "node_modules/special is a pipe, a socket or a device")
        os.unlink(self.path("node_modules/special"))
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(os.path.relpath(self.path("node_modules/special")))
        self.assertEqual(self.why(), "node_modules/special is a pipe, a socket or a device")

    def test_files_of_others_and_unreadable_folders(self) -> None:
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            self.assertRegex(self.why(), "^node_modules/.* belongs to another user$")
        with mock.patch("os.scandir", side_effect=PermissionError(13, "Permission denied")):
            self.assertEqual(self.why(), "node_modules can't be read: Permission denied")
