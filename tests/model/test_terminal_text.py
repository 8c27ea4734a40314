"""The door to a terminal: our own colours pass, and nothing else that steers it."""

from __future__ import annotations

import subprocess
import unittest

from core.model import terminal_text
from core.model.terminal_text import clean, harmless, painted, shell_word
from core.reporter.style import Style
from tests.support.story import HOSTILE, is_safe


class TheDoor(unittest.TestCase):
    def test_our_own_colours_pass(self) -> None:
        for text in (
            painted("red", "red"),
            f"a {painted('b', 'bold')}\nc {Style(colour=True).paint('d', 'dim')}\n",
            "plain, \N{SMILING FACE WITH SMILING EYES} and 漢\n",
        ):
            self.assertEqual(harmless(text), text)

    def test_nothing_else_does_not_even_inside_of_a_colour(self) -> None:
        for text, shown in (
            ("\x1b[2Jx\x1b]0;title\x07", "x\ufffd]0;title\ufffd"),
            (painted("a\rb\x9b", "red"), painted("a\ufffdb\ufffd", "red")),
            (painted("a\x1b[8mb", "red"), "ab"),
            ("\x1b[31mnever ended\n", "never ended\n"),
            ("x\r\x1b[Ky", "x\ufffdy"),
            ("\u202egpj.exe\u2028\udcff\t|", "\ufffdgpj.exe\ufffd\ufffd    |"),
        ):
            self.assertEqual(harmless(text), shown)
            self.assertEqual(harmless(shown), shown)

    def test_a_line_end_costs_no_look_at_each_character(self) -> None:
        text = "a\nb\n"
        self.assertIs(clean(text), text)


class AWord(unittest.TestCase):
    def test_it_means_the_same_to_a_shell_and_shows_no_control_character(self) -> None:
        self.assertEqual(shell_word("it's"), "'it'\"'\"'s'")
        self.assertEqual([*map(shell_word, ("", "a/b.c", "a b"))], ["''", "a/b.c", "'a b'"])
        for word in ("a\nb\x1b[31m 'c' \\ $HOME", "é\udcff\u202e"):
            quoted = shell_word(word)
            self.assertTrue(quoted.isprintable())
            line = ["bash", "-c", f"printf %s {quoted}"]
            said = subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(said, word.encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    unittest.main()


class Hostile(unittest.TestCase):
    def test_terminal_control_sequences_are_removed(self) -> None:
        cases = {
            "plain": "plain",
            "Übergrößenträger 日本 🚀 👩‍🚀": "Übergrößenträger 日本 🚀 👩‍🚀",
            "two\nlines\tand a tab": "two\nlines    and a tab",
            "dos\r\nline ends": "dos\nline ends",
            "\x1b[1;31mbold red\x1b[0m": "bold red",
            "\x1b[2Jgone": "gone",
            "\x1b\x1b[31m[31mtwice": "�[31mtwice",
            "\x1b]0;title\x07": "�]0;title�",
            "50 %\rover": "50 %�over",
            "user\u202egpj.exe": "user�gpj.exe",
            "half \udc80 pair": "half � pair",
            "a\x00b\x7fc\x9bd": "a�b�c�d",
            "no\u00a0break,\u3000wide": "no break, wide",
            "line\u2028separator": "line�separator",
        }
        for given, expected in cases.items():
            with self.subTest(given):
                self.assertEqual(terminal_text.clean(given), expected)
        self.assertTrue(is_safe(terminal_text.clean(HOSTILE)))

    def test_the_pieces_of_a_text_have_our_colours(self) -> None:
        red, plain = terminal_text.painted("no", "red"), "yes"
        cases = {
            "": [],
            plain: [("", "yes")],
            red: [("red", "no")],
            f"{plain}{red}{red}{plain}": [("", "yes"), ("red", "no"), ("red", "no"), ("", "yes")],
            "\x1b[7mno": [("", "\x1b[7mno")],
        }
        for given, expected in cases.items():
            with self.subTest(given):
                self.assertEqual(list(terminal_text.pieces(given)), expected)

    def test_one_line_is_one_line(self) -> None:
        self.assertEqual(terminal_text.one_line("  a\n b\t\tc \x1b[1m "), "a b c")
