"""The language is that of the command line, else of the environment, as gettext reads it."""

from __future__ import annotations

import unittest
from unittest import mock

from core.process import language
from core.process.language import catalogue, language_of


class TheChoice(unittest.TestCase):
    def test_the_environment_decides_as_it_does_for_gettext(self) -> None:
        for environ, expected in (
            ({}, "en"),
            ({"LANG": "fr_FR.UTF-8"}, "fr"),
            ({"LANG": "fr"}, "fr"),
            ({"LANG": "fr@euro"}, "fr"),
            ({"LANG": "frr_DE.UTF-8"}, "en"),
            ({"LANG": "de_DE.UTF-8"}, "en"),
            ({"LANG": "C.UTF-8"}, "en"),
            ({"LANG": "fr_CA.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
            ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_BE.UTF-8"}, "fr"),
            ({"LC_MESSAGES": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
            ({"LC_ALL": "fr_CH.UTF-8", "LANG": "C"}, "fr"),
            ({"LC_ALL": "", "LANG": "fr_FR.UTF-8"}, "fr"),
            ({"LANGUAGE": "fr", "LANG": "en_US.UTF-8"}, "fr"),
            ({"LANGUAGE": "de:fr:en"}, "fr"),
            ({"LANGUAGE": "en:fr"}, "en"),
            ({"LANGUAGE": "C:fr"}, "en"),
            ({"LANGUAGE": "fr", "LC_ALL": "C"}, "en"),
            ({"LANGUAGE": "fr", "LC_ALL": "POSIX"}, "en"),
        ):
            with self.subTest(environ):
                self.assertEqual(language_of(["plan"], environ), expected)

    def test_the_command_line_decides_before_it(self) -> None:
        french = {"LANG": "fr_FR.UTF-8"}
        for words, environ, expected in (
            (["--lang", "fr", "plan"], {}, "fr"),
            (["plan", "--lang=fr"], {}, "fr"),
            (["plan", "--lang", "en"], french, "en"),
            (["plan", "--lang", "de"], french, "fr"),
            (["plan", "--lang"], french, "fr"),
            (["attach", "--", "--lang", "en"], french, "fr"),
        ):
            with self.subTest(words):
                self.assertEqual(language_of(words, environ), expected)


class TheCatalogue(unittest.TestCase):
    def test_neither_english_nor_a_damaged_installation_has_a_catalogue(self) -> None:
        self.assertIsNone(catalogue("en"))
        with mock.patch.object(language, "FOLDER", "/nonexistent"):
            self.assertIsNone(catalogue("fr"))


if __name__ == "__main__":
    unittest.main()
