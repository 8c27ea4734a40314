"""Numbers as words."""

from __future__ import annotations

import unittest

from core.model import words
from core.model.outcome import Work
from tests.support.french import French

WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4)


class Numbers(unittest.TestCase):
    def test_money_has_as_many_digits_as_it_needs(self) -> None:
        cases = {5.4: "$5.40", 0.0: "$0.00", 0.01: "$0.01", 0.0042: "$0.0042", None: "cost unknown"}
        for usd, expected in cases.items():
            with self.subTest(usd):
                self.assertEqual(words.money(usd), expected)

    def test_a_duration_reads_as_a_person_says_it(self) -> None:
        cases = {
            -1.0: "0.0s",
            0.84: "0.8s",
            9.94: "9.9s",
            45.2: "45s",
            59.7: "1m00s",
            150.0: "2m30s",
            3599.0: "59m59s",
            3900.0: "1h05m",
            360000.0: "100h00m",
        }
        for seconds, expected in cases.items():
            with self.subTest(seconds):
                self.assertEqual(words.duration(seconds), expected)

    def test_tokens_are_rounded_only_where_nothing_is_lost(self) -> None:
        cases = {None: "? tokens", 0: "~0 tokens", 999: "~999 tokens", 40000: "~40k tokens"}
        for count, expected in cases.items():
            with self.subTest(count):
                self.assertEqual(words.tokens(count), expected)
        self.assertEqual(words.tokens(1500), "~1.5k tokens")

    def test_a_noun_agrees_with_its_number(self) -> None:
        self.assertEqual(
            [words.counted(number, "wave") for number in range(3)],
            ["0 waves", "1 wave", "2 waves"],
        )

    def test_other_numbers_are_english_too(self) -> None:
        self.assertEqual((words.whole(12345), words.decimal("1.5")), ("12345", "1.5"))
        self.assertEqual((words.limit(10), words.thousands(12345)), ("$10.00", "12,345"))
        self.assertEqual((words.percent(0.9), words.figure("2m30s")), ("90 %", "2m30s"))
        self.assertEqual(words.headed("auth", "completed"), "auth: completed")


class InFrench(unittest.TestCase):
    def setUp(self) -> None:
        french = French()
        french.__enter__()
        self.addCleanup(french.__exit__)

    def test_money_has_a_comma_and_its_sign_behind(self) -> None:
        cases = {5.4: "5,40\u00a0$", 0.0042: "0,0042\u00a0$", None: "coût inconnu"}
        for usd, expected in cases.items():
            self.assertEqual(words.money(usd), expected)

    def test_a_limit_of_whole_dollars_has_no_cents(self) -> None:
        said = [words.limit(usd) for usd in (10, 0.5, 1000)]
        self.assertEqual(said, ["10\u00a0$", "0,50\u00a0$", "1000\u00a0$"])

    def test_a_duration_has_the_units_of_the_si(self) -> None:
        cases = {0.84: "0,8 s", 45.2: "45 s", 150.0: "2 min 30 s", 3900.0: "1 h 05 min"}
        for seconds, expected in cases.items():
            self.assertEqual(words.duration(seconds), expected.replace(" ", "\u00a0"))

    def test_thousands_are_apart_and_a_noun_agrees(self) -> None:
        self.assertEqual(words.counted(12345, "wave"), "12\u202f345 vagues")
        self.assertEqual(words.counted(0, "wave"), "0 vague")
        self.assertEqual(words.tokens(1500), "~1,5\u00a0k tokens")
        self.assertEqual(words.percent(0.9), "90\u00a0%")

    def test_a_number_that_was_written_in_english_has_no_commas(self) -> None:
        self.assertEqual(words.figure("1,234,567"), "1\u202f234\u202f567")
        self.assertEqual(words.figure("1,2"), "1,2")

    def test_a_colon_has_a_space_before_it(self) -> None:
        self.assertEqual(words.headed("auth", "terminée"), "auth\u00a0: terminée")

    def test_text_that_is_not_a_figure_stays(self) -> None:
        for text in ("", "auth", "$5", "12", "m", "v1.2"):
            self.assertEqual(words.figure(text), text)


if __name__ == "__main__":
    unittest.main()
