"""The control sequences, and which terminals get which."""

from __future__ import annotations

import unittest

from core.views import terminal_codes as codes


class Sequences(unittest.TestCase):
    def test_a_block_is_written_over_what_is_there_and_does_not_wrap(self) -> None:
        self.assertEqual(codes.block(["a", "b"]), "\x1b[?7la\x1b[K\nb\x1b[K\n\x1b[J\x1b[?7h")
        self.assertEqual(codes.block([]), "")
        self.assertEqual((codes.up(0), codes.up(3)), ("\r", "\r\x1b[3A"))

    def test_lines_take_more_rows_once_the_terminal_is_narrower(self) -> None:
        cases = ((10, 4), (5, 5), (3, 9), (0, 20))
        for width, rows in cases:
            self.assertEqual(codes.rows_of(["0123456789", "検索", "01234", ""], width), rows, width)

    def test_some_terminals_would_print_or_announce_what_they_do_not_know(self) -> None:
        cases: list[tuple[dict[str, str], bool, bool]] = [
            ({"TERM": "xterm-256color"}, True, True),
            ({"TERM": "tmux-256color"}, True, True),
            ({"TERM": "linux"}, False, False),
            ({"TERM": "vt100"}, False, False),
            ({"TERM": "dumb"}, False, False),
            ({}, False, False),
            ({"TERM": "x", "TERM_PROGRAM": "iTerm.app"}, True, False),
            (
                {"TERM": "x", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.14"},
                True,
                False,
            ),
            (
                {"TERM": "x", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.6beta"},
                True,
                False,
            ),
            (
                {"TERM": "x", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.10"},
                True,
                True,
            ),
        ]
        for env, titles, progress in cases:
            with self.subTest(env=env):
                self.assertEqual(codes.knows_titles(env), titles)
                self.assertEqual(codes.knows_progress(env), progress)
                closing = codes.closing(env)
                self.assertEqual("\x1b]2;" in closing, titles)
                self.assertEqual("\x1b]9;4;0" in closing, progress)
                self.assertTrue(closing.startswith("\x1b[?7h"))

    def test_progress_and_title_end_as_the_standard_wants_it(self) -> None:
        self.assertEqual(codes.progress(40, codes.PAUSED), "\x1b]9;4;4;40\x1b\\")
        self.assertEqual(codes.title("3/10"), "\x1b]2;3/10\x1b\\")
