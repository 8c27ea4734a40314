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
    "check": "vérification",
    "`{command}` ended with exit {code}": "`{command}` a fini avec le code {code}",
    "`creates` names {contract}, but {what}": "`creates` nomme {contract}, mais {what}",
    "fix it, or skip it": "corrigez-la, ou écartez-la",
    "free some of {path} first": "libérez d'abord {path}",
    "{name} was changed": "{name} a changé",
    "{input} changed{names}": "{input} modifié{names}",
    "settings changed: {details}": "réglages changés : {details}",
    "{conflict}\nmerge them, then run again": "{conflict}\nfusionnez-les, puis relancez",
    "{id} did not complete ({status})": "{id} n'a pas abouti ({status})",
    "timed out": "délai dépassé",
    "failed": "échec",
    "5-hour window": "fenêtre de 5 heures",
    "{path} has {faults}": "{path} a {faults}",
    "{window} is too full": "{window} : trop pleine",
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

    def test_several_sentences_in_one_text_are_each_said(self) -> None:
        for text, expected in (
            (
                "no space left; fix it, or skip it",
                "plus de place\u00a0; corrigez-la, ou écartez-la",
            ),
            ("a changed; who knows", "a modifié\u00a0; who knows"),
            ("a.py was changed; b was changed", "a.py a changé\u00a0; b a changé"),
            ("who knows; no space left", "who knows\u00a0; plus de place"),
            ("who knows; nobody knows", "who knows; nobody knows"),
            (
                "settings changed: a was changed; b was changed",
                "réglages changés : a a changé\u00a0; b a changé",
            ),
            ("check: a was changed", "vérification\u00a0: a a changé"),
            ("check: no space left", "vérification\u00a0: plus de place"),
            ("no space left (in /tmp)", "plus de place (in /tmp)"),
            ("no space left (in /tmp", "no space left (in /tmp"),
        ):
            with self.subTest(text):
                self.assertEqual(found().shown(text), expected)

    def test_a_sentence_in_a_field_is_said_and_a_quoted_command_has_no_quotes(self) -> None:
        self.assertEqual(
            found().shown("`creates` names command:x, but check: `cd x; make` ended with exit 1"),
            "`creates` nomme command:x, mais vérification\u00a0: "
            "`cd x; make` a fini avec le code 1",
        )

    def test_only_the_first_lines_are_ours_and_the_output_of_programs_stays(self) -> None:
        for text, expected in (
            (
                "no space left\nfix it, or skip it\nok",
                "plus de place\ncorrigez-la, ou écartez-la\nok",
            ),
            ("no space left\nfree some of /tmp first", "plus de place\nlibérez d'abord /tmp"),
            ("no space left\na was changed", "plus de place\na was changed"),
            (
                "no space left\nmerge them, then run again",
                "plus de place\nfusionnez-les, puis relancez",
            ),
            ("`a\nb` ended with exit 1", "`a\nb` a fini avec le code 1"),
            ("said\nno more", "said\nno more"),
        ):
            with self.subTest(text):
                self.assertEqual(found().shown(text), expected)
        self.assertEqual(
            Sentences(["a\nb"], lambda _: "c", lambda one, many, count: one).shown("a\nb"), "c"
        )

    def test_a_word_of_ours_in_a_field_is_said_and_a_name_stays(self) -> None:
        for text, expected in (
            ("a did not complete (failed)", "a n'a pas abouti (échec)"),
            ("failed did not complete (timed out)", "failed n'a pas abouti (délai dépassé)"),
            ("5-hour window 91 % is too full", "fenêtre de 5 heures 91\u00a0% : trop pleine"),
        ):
            self.assertEqual(found().shown(text), expected)

    def test_a_count_is_a_number(self) -> None:
        made = template("{count} changed")
        assert made is not None
        self.assertEqual(made.values("1,234 changed"), {"count": "1,234"})
        self.assertIsNone(made.values("a changed"))

    def test_a_fault_at_its_path_in_a_list_is_said(self) -> None:
        self.assertEqual(
            found().shown("features[0].id: no space left"), "features[0].id\u00a0: plus de place"
        )

    def test_a_hostile_text_costs_neither_the_stack_nor_much_time(self) -> None:
        for text in (
            *(": " * 50_000, "; " * 50_000, "check: " * 9_000, "check: check" * 30),
            "x: nothing was changed" * 900,
            "make failed (exit " * 9_000 + ")",
        ):
            self.assertIsInstance(found().shown(text), str)

    def test_a_sentence_of_few_letters_is_meant_where_another_is_in_a_field(self) -> None:
        self.assertEqual(found().shown("a.json has no space left"), "a.json a plus de place")
        self.assertEqual(found().shown("nobody has time"), "nobody has time")

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
