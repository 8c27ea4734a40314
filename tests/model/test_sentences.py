"""A recorded English sentence is found again among those of the catalogue."""

from __future__ import annotations

import unittest

from core.model import sentences
from core.model.sentences import Sentences, template
from tests.support.french import French

FRENCH = {
    "no space left": "plus de place",
    "{command} failed (exit {code})": "échec de {command} (code {code})",
    "{what}: nothing was changed": "{what} : rien n'a changé",
    "the budget of {usd} is spent after {time}": "après {time}, le budget de {usd} est épuisé",
    "{name} has {count} in {{braces}}": "{count} dans {name} {{accolades}}",
    "{a}: {b}": "fits everything",
    "{count} commit": "{count} commit",
}


def found() -> Sentences:
    """The sentences of :data:`FRENCH`."""

    def counted(one: str, many: str, count: int) -> str:
        return one if count < 2 else many

    return Sentences(FRENCH, lambda text: FRENCH.get(text, text), counted)


class Recognition(unittest.TestCase):
    def test_a_sentence_is_said_with_what_stood_in_its_fields(self) -> None:
        cases = {
            "no space left": "plus de place",
            "make test failed (exit 2)": "échec de make test (code 2)",
            "no space left: nothing was changed": "plus de place : rien n'a changé",
            "the budget of $4.05 is spent after 2m30s": (
                "après 2\u00a0min\u00a030\u00a0s, le budget de 4,05\u00a0$ est épuisé"
            ),
            "auth has 2 commits in {braces}": "2 commits dans auth {accolades}",
            "1 commit: nothing was changed": "1 commit : rien n'a changé",
            "make failed (exit 2)\nits last line": "échec de make (code 2)\nits last line",
        }
        all = found()
        with French():
            for text, expected in cases.items():
                with self.subTest(text):
                    self.assertEqual(found().shown(text), expected)
                    self.assertEqual(all.shown(text), all.shown(text))

    def test_what_no_sentence_fits_stays_as_it_is(self) -> None:
        for text in (
            "",
            "auth",
            "auth: no",
            "make failed (exit 2",
            "2 files",
            "12 345",
            "(exit 2)",
        ):
            self.assertEqual(found().shown(text), text)

    def test_the_fields_do_not_overlap_the_literals(self) -> None:
        made = template("abcdef {x} defghi")
        assert made is not None
        self.assertIsNone(made.values("abcdef defghi"))
        self.assertIsNone(made.values("abcdef  defgh"))
        self.assertEqual(made.values("abcdef  defghi"), {"x": ""})

    def test_a_sentence_without_fields_or_words_is_no_template(self) -> None:
        self.assertIsNone(template("no fields at all"))
        self.assertIsNone(template("{a}: {b}"))

    def test_only_some_texts_are_remembered(self) -> None:
        all = found()
        for number in range(sentences.KEPT + 1):
            all.shown(f"text {number}")
        self.assertEqual(len(all._known), 1)


if __name__ == "__main__":
    unittest.main()
