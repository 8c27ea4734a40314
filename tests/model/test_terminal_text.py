"""The door to a terminal: our own colours pass, and nothing else that steers it."""

from __future__ import annotations

import subprocess
import unittest

from core.model.terminal_text import ERASE_LINE, clean, harmless, painted, shell_word
from core.reporter.style import Style


class TheDoor(unittest.TestCase):
    def test_what_we_painted_and_erase_passes(self) -> None:
        for text in (
            ERASE_LINE,
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
            (f"x{ERASE_LINE}y", "x\ufffdy"),
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
        for word in ("a\nb\x1b[31m 'c' \\ $HOME", "é\udcff\u202e"):
            quoted = shell_word(word)
            self.assertTrue(quoted.isprintable())
            line = ["bash", "-c", f"printf %s {quoted}"]
            said = subprocess.run(line, stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(said, word.encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    unittest.main()
