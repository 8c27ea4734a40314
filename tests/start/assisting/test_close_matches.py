"""Close matches among many words."""

from __future__ import annotations

import unittest

from core.start.assisting.close_matches import COMMON, LONGEST, Words


class WordsTest(unittest.TestCase):
    def test_a_close_word_is_found_and_others_are_not(self) -> None:
        words = Words(["TaskStorage", "TaskModel", "src/storage.py", "Search"])
        for word, expected in (
            ("TaskStorag", ["TaskStorage"]),
            ("taskstorage", ["TaskStorage"]),
            ("TaskStorage2", []),
            ("src/storages.py", ["src/storage.py"]),
            ("TaskStorage", []),
            ("TaskView", []),
            ("x" * (LONGEST + 1), []),
        ):
            self.assertEqual(words.close_to(word), expected, word)

    def test_the_closest_comes_first(self) -> None:
        words = Words(["TaskStorages", "TaskStoragess", "y" * LONGEST + "TaskStorag"])
        self.assertEqual(words.close_to("TaskStorage"), ["TaskStorages", "TaskStoragess"])

    def test_parts_that_very_many_words_have_do_not_count(self) -> None:
        words = Words([f"task{number:04}" for number in range(COMMON + 1)])
        self.assertIn("task0001", words.close_to("tasks0001"))
        self.assertEqual(words.close_to("task"), [])
