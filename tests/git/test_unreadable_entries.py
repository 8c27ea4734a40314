"""`core.git.unreadable_entries`: FIFOs, unreadable folders, files that would be overwritten."""

from __future__ import annotations

import os
import socket
import tempfile
import unittest

from core.git import unreadable_entries
from core.git.unreadable_entries import UnreadableEntries
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

NAME = "d" * 200


class Finding(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(holder.cleanup)
        self.top = holder.name

    def path(self, *names: str) -> str:
        path = os.path.join(self.top, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def test_pipes_are_in_the_way_where_git_expects_a_file_of_its_own(self) -> None:
        for names in ((".gitignore",), ("a", "b", ".gitattributes"), ("pipe",), ("a", "x")):
            os.mkfifo(self.path(*names))
        with open(self.path(".gitattributes"), "w"), open(self.path("c", ".gitignore"), "w"):
            pass
        with socket.socket(socket.AF_UNIX) as plug:
            plug.bind(self.path("plug"))
            found = unreadable_entries.scan(self.top)
        self.assertEqual(found, UnreadableEntries(pipes=(".gitignore", "a/b/.gitattributes")))

    def test_untracked_files_that_a_merge_would_replace_are_found_everywhere(self) -> None:
        for name in ("file", "folder/mine", "folder/theirs", "blocked", "old/gone", "Case"):
            with open(self.path(*name.split("/")), "w"):
                pass
        os.symlink("folder", self.path("link"))
        os.symlink("folder", self.path("folder", "inner"))
        added = [
            "file",
            "folder",
            "blocked/new",
            "link/new",
            "old",
            "fresh/new",
            "case",
            "folder/x",
        ]
        found = unreadable_entries.colliding(self.top, added, {"folder/theirs", "old/gone"})
        self.assertEqual(found, ["blocked", "file", "folder/inner", "folder/mine", "link"])
        self.assertEqual(
            unreadable_entries.colliding(self.top, ["folder/theirs"], {"folder/theirs"}), []
        )

    def test_links_are_not_followed(self) -> None:
        os.mkfifo(self.path("a", ".gitignore"))
        for name, target in (("loop", "loop"), ("all", "/"), ("up", ".."), ("again", "a")):
            os.symlink(target, self.path("b", name))
        os.symlink("a/.gitignore", self.path(".gitignore"))
        self.assertEqual(
            unreadable_entries.scan(self.top), UnreadableEntries(pipes=("a/.gitignore",))
        )

    def test_a_folder_that_cannot_be_listed_is_named_and_the_others_are_looked_into(self) -> None:
        here = os.open(self.top, os.O_RDONLY)
        for _ in range(25):  # as deep as no path can name
            os.mkdir(NAME, dir_fd=here)
            deeper = os.open(NAME, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(here)
        os.mkfifo(self.path("z", ".gitignore"))
        found = unreadable_entries.scan(self.top)
        self.assertEqual(found.pipes, ("z/.gitignore",))
        (unreadable,) = found.unreadable
        self.assertEqual(unreadable, f"{NAME}/" * unreadable.count("/"))

    def test_a_folder_that_is_not_there_is_named_too(self) -> None:
        self.assertEqual(
            unreadable_entries.scan(self.path("gone")), UnreadableEntries(unreadable=("",))
        )

    def test_thousands_of_levels_are_no_trouble(self) -> None:
        here = os.open(self.top, os.O_RDONLY)
        for _ in range(1100):
            os.mkdir("d", dir_fd=here)
            deeper = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.mkfifo(".gitignore", dir_fd=here)
        os.close(here)
        self.addCleanup(self._remove_deep)
        self.assertEqual(unreadable_entries.scan(self.top).pipes, ("d/" * 1100 + ".gitignore",))

    def _remove_deep(self) -> None:
        """From the deepest folder up: each Python before 3.13 gives up on the way down."""
        path = os.path.join(self.top, *["d"] * 1100)
        os.unlink(os.path.join(path, ".gitignore"))
        while path != self.top:
            os.rmdir(path)
            path = os.path.dirname(path)


if __name__ == "__main__":
    unittest.main()
