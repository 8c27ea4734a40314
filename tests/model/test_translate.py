"""The language of the sentences: English without a catalogue, else what the catalogue has."""

from __future__ import annotations

import unittest

from core.model import translate
from core.model.translate import N_, _, language, ngettext, shown, use
from tests.support.french import French


class TheLanguage(unittest.TestCase):
    def test_without_a_catalogue_a_sentence_is_english(self) -> None:
        self.assertEqual(language(), "en")
        self.assertEqual((_("wave"), N_("wave"), shown("a wave")), ("wave", "wave", "a wave"))
        self.assertEqual(
            [ngettext("wave", "waves", n) for n in (0, 1, 2)], ["waves", "wave", "waves"]
        )

    def test_with_a_catalogue_it_is_what_the_catalogue_has(self) -> None:
        with French():
            self.assertEqual(language(), "fr")
            self.assertEqual(_("a command is missing"), "il manque une commande")
            self.assertEqual(_("no sentence of ours"), "no sentence of ours")
            self.assertEqual(N_("a command is missing"), "a command is missing")
            self.assertEqual(shown("unknown command 'x'"), "commande inconnue 'x'")
            one, many = "{count} feature", "{count} features"
            self.assertEqual(ngettext(one, many, 0), "{count} fonctionnalité")
            self.assertEqual(ngettext(one, many, 2), "{count} fonctionnalités")
        self.assertEqual(_("a command is missing"), "a command is missing")

    def test_a_catalogue_is_used_until_the_next(self) -> None:
        with French():
            use(None)
            self.assertIsNone(translate._catalogue)
            self.assertEqual(_("a command is missing"), "a command is missing")


if __name__ == "__main__":
    unittest.main()
