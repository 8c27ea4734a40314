"""Scratch folders: made on first use, removed with their owner or by the command."""

from __future__ import annotations

import os
import unittest

from core.model.errors import UserError
from core.process.scratch_folder import ScratchFolder, remove_scratch_folders
from core.process.temporary_folder import clear
from tests.support.own_tmpdir import OwnTmpdirTest


class ScratchFolderTest(OwnTmpdirTest):
    def test_it_is_made_on_demand_and_removed_with_its_owner_or_at_the_end(self) -> None:
        aside = ScratchFolder()
        self.assertEqual((os.listdir(self.parent), aside.existing("a")), ([], ""))
        path = aside.write("a/b/file", b"1")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"1")
        self.assertEqual(aside.existing("a"), aside.folder("a"))
        self.assertEqual(aside.existing("other"), "")
        clear()
        self.assertTrue(os.path.exists(path))
        with self.assertRaisesRegex(UserError, "a/b/file/below could not be written in"):
            aside.write("a/b/file/below", b"")
        del aside
        self.assertEqual(os.listdir(self.parent), [])
        aside = ScratchFolder()
        aside.folder("a")
        remove_scratch_folders()
        self.assertEqual(os.listdir(self.parent), [])

    def test_whoever_reads_a_file_that_is_written_again_reads_all_of_it(self) -> None:
        aside = ScratchFolder()
        with open(aside.write("file", b"1"), "rb") as file:
            aside.write("file", b"2")
            self.assertEqual(file.read(), b"1")


if __name__ == "__main__":
    unittest.main()
