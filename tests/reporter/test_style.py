"""Colours, widths, cuts and tables."""

from __future__ import annotations

import unittest

from core.model.outcome import Work
from core.reporter import style
from tests.support.story import ASCII, COLOUR, PLAIN

WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4)


class AStyle(unittest.TestCase):
    def test_width_is_counted_in_columns(self) -> None:
        for given, expected in {"abc": 3, "é": 1, "e\u0301": 1, "日本": 4, "✅": 2, "": 0}.items():
            with self.subTest(given):
                self.assertEqual(style.columns(given), expected)

    def test_a_cut_is_marked_and_fits(self) -> None:
        cases = [
            ("abcdef", 6, PLAIN, "abcdef"),
            ("abcdefg", 6, PLAIN, "abcde…"),
            ("abcdefg", 6, ASCII, "abc..."),
            ("日本語", 6, PLAIN, "日本語"),
            ("日本語です", 6, PLAIN, "日本…"),
            ("abc", 0, PLAIN, "…"),
            ("", 0, PLAIN, ""),
        ]
        for given, width, made, expected in cases:
            with self.subTest(given, width=width):
                self.assertEqual(style.shorten(given, width, made), expected)

    def test_lines_break_between_words_and_long_words_stay_whole(self) -> None:
        for given, width, expected in (
            ("", 5, [""]),
            ("one two three", 8, ["one two", "> three"]),
            ("one two three", 7, ["one two", "> three"]),
            ("a/long/path.py and more", 9, ["a/long/path.py", "> and", "> more"]),
            ("   longest", 4, ["   longest"]),
            ("\x1b[1mone\x1b[0m two", 7, ["\x1b[1mone\x1b[0m two"]),
            ("日本 日本", 8, ["日本", "> 日本"]),
        ):
            with self.subTest(given, width=width):
                self.assertEqual(style.wrapped(given, width, indent="> "), expected)

    def test_colours_are_there_only_where_they_are_wanted(self) -> None:
        self.assertEqual(COLOUR.paint("x", "red"), "\x1b[31mx\x1b[0m")
        self.assertEqual(COLOUR.paint("", "red"), "")
        self.assertEqual(PLAIN.paint("x", "red"), "x")

    def test_columns_line_up_whatever_is_in_them(self) -> None:
        rows = [["NAME", "B"], ["日本", "x"], ["longer", ""]]
        self.assertEqual(list(style.table_lines(rows)), ["NAME    B", "日本    x", "longer"])

    def test_a_table_that_is_too_wide_has_shorter_cells_where_most_is_to_spare(self) -> None:
        rows = [["ID", "CHECK", "NOW"], ["a", "x" * 30, "y" * 12], ["b", "short", "z"]]
        for width, lengths in ((60, (30, 12)), (40, (22, 12)), (28, (11, 11)), (5, (10, 10))):
            fitted = style.fitted(rows, style.Style(width), {1: 10, 2: 10})
            with self.subTest(width):
                self.assertEqual(tuple(map(len, fitted[1][1:])), lengths)
                self.assertEqual((fitted[0], fitted[2]), (rows[0], rows[2]))
                self.assertTrue(width < 28 or style.table_width(fitted) <= width)


if __name__ == "__main__":
    unittest.main()
