"""Temporary folders: removed at the end, and after a kill."""

from __future__ import annotations

import os
import stat
import tempfile
import unittest
from types import ModuleType
from unittest import mock

from core.model.errors import UserError
from core.process import temporary_folder
from core.process.temporary_folder import PREFIX, find
from tests.support.own_tmpdir import OwnTmpdirTest


class ThrowawayTest(OwnTmpdirTest):
    def left(self, name: str) -> str:
        """A folder that somebody left, with a file that is not easily removed."""
        path = os.path.join(self.parent, name)
        os.makedirs(os.path.join(path, "cache"))
        with open(os.path.join(path, "cache", "file"), "w"):
            pass
        os.chmod(os.path.join(path, "cache"), 0o500)
        self.addCleanup(lambda: os.path.exists(path) and os.chmod(f"{path}/cache", 0o700))
        return path

    def test_it_is_below_tmpdir_for_us_alone_and_gone_afterwards(self) -> None:
        with self.assertRaises(ValueError), temporary_folder.temporary_folder() as path:
            self.assertEqual(os.path.dirname(path), self.parent)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o700)
            with open(os.path.join(path, "file"), "w"):
                raise ValueError
        self.assertEqual(os.listdir(self.parent), [])

    def test_leftovers_of_a_killed_owner_are_removed_and_nothing_else(self) -> None:
        killed = self.left(f"{PREFIX}killed")
        others = self.left("others")
        os.symlink(others, os.path.join(self.parent, f"{PREFIX}link"))
        with (
            temporary_folder.temporary_folder() as in_use,
            temporary_folder.temporary_folder() as path,
        ):
            self.assertFalse(os.path.exists(killed))
            self.assertTrue(os.path.exists(in_use))
            self.assertEqual(find(self.parent), sorted((in_use, path)))
        self.assertEqual(sorted(os.listdir(self.parent)), ["others", f"{PREFIX}link"])
        self.assertEqual(os.listdir(others), ["cache"])

    def test_a_temporary_folder_that_disappears_during_the_search_is_ignored(self) -> None:
        gone = os.path.join(self.parent, f"{PREFIX}gone")
        looked = mock.patch.object(temporary_folder, "find", return_value=[gone])
        with looked, temporary_folder.temporary_folder() as path:
            self.assertTrue(os.path.isdir(path))
        with mock.patch("os.listdir", return_value=[f"{PREFIX}gone"]):
            self.assertEqual(find(self.parent), [])

    def removed_at(self, place: ModuleType, function: str) -> None:
        """Make one that somebody else removes when ``function`` is called."""
        removed: list[str] = []
        real = getattr(place, function)

        def quicker(*given: object, **named: object) -> object:
            if not removed:
                removed.extend(find(self.parent))
                os.rmdir(removed[0])
            return real(*given, **named)

        with (
            mock.patch.object(place, function, quicker),
            temporary_folder.temporary_folder() as path,
        ):
            self.assertNotEqual([path], removed)
            self.assertTrue(os.path.isdir(path))
        self.assertEqual(os.listdir(self.parent), [])

    def test_a_temporary_folder_removed_before_its_lock_is_made_again(self) -> None:
        tempfile.gettempdir()  # it tries the folder with a file of its own
        self.removed_at(os, "open")
        self.removed_at(temporary_folder.fcntl, "flock")

    def test_an_error_names_the_place_where_no_temporary_folder_can_be_made(self) -> None:
        refused = mock.patch.object(
            temporary_folder, "_make", side_effect=PermissionError(13, "no")
        )
        with refused, self.assertRaises(UserError) as caught, temporary_folder.temporary_folder():
            self.fail("there is no folder")
        self.assertIn(f"no folder can be created in {self.parent}", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
