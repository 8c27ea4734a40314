"""Options of the command line, and the questions of commands."""

from __future__ import annotations

import io
import unittest

from core.commands.options import agrees
from tests.support.commands import streams
from tests.support.french import French


class Question(unittest.TestCase):
    def test_without_a_terminal_it_stays_on_one_line(self) -> None:
        question = "Run 3 features " + "in a folder with a long name " * 5
        for answer, agreed in (("y\n", True), ("Yes\n", True), ("\n", False), ("", False)):
            said = io.StringIO()
            with streams(None, said, io.StringIO(answer)):
                self.assertIs(agrees(question), agreed)
            self.assertEqual(said.getvalue(), f"{question.strip()} [y/N] ")

    def test_french_asks_in_french_and_both_languages_take_all_answers(self) -> None:
        for answer in ("o\n", "OUI\n", "y\n", "yes\n"):
            said = io.StringIO()
            with streams(None, said, io.StringIO(answer)), French():
                self.assertTrue(agrees("Lancer ?"))
            self.assertEqual(said.getvalue(), "Lancer ? [o/N] ")
            with streams(None, said, io.StringIO(answer)):
                self.assertTrue(agrees("Run?"))


if __name__ == "__main__":
    unittest.main()
