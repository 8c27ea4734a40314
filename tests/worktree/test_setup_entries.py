"""What the setup cache says of itself, also where somebody wrote into it."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest

from core.worktree.setup_entries import ABOUT, entries_in, entry_in, store_folder


class EntriesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        self.folder = store_folder(self.root)

    def entry(self, key: str, about: str, at: float) -> None:
        os.makedirs(os.path.join(self.folder, key))
        with open(os.path.join(self.folder, key, ABOUT), "w", encoding="utf-8") as file:
            file.write(about)
        os.utime(os.path.join(self.folder, key), (at, at))

    def test_the_one_used_last_is_first_and_what_is_half_written_is_none(self) -> None:
        about = '{"folders": ["node_modules"], "bytes": 4096, "files": 1}'
        for key, at in (("old", 1), ("new", 2), (".new-key-1-1", 3)):
            self.entry(key, about, at)
        self.assertEqual([entry.key for entry in entries_in(self.folder)], ["new", "old"])

    def test_nonsense_is_no_entry(self) -> None:
        nonsense = ("", "[]", "{}", '{"folders": 1, "bytes": 1, "files": 1}', "[" * 100_000)
        more = ('{"folders": [], "bytes": "x", "files": 1}', '{"folders": [], "bytes": 1e999}')
        for number, about in enumerate((*nonsense, *more)):
            self.entry(f"e{number}", about, 1)
        self.assertEqual(entries_in(self.folder), [])
        os.mkfifo(os.path.join(self.folder, "e0", "x"))
        self.assertIsNone(entry_in(self.folder, "gone"))

    def test_no_store_has_no_entries(self) -> None:
        self.assertEqual(entries_in(self.folder), [])
