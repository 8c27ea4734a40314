"""The verdict table says what each check proved, and no name can break it."""

from __future__ import annotations

import json
import re
import unittest

from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.frozen import replace
from core.reporter.markdown_text import code
from core.reporter.style import Style
from core.reporter.verdict_table import (
    COLOURS,
    MARKS,
    MEANINGS,
    ROWS,
    STYLE,
    ending_words,
    in_order,
    proving_nothing,
    run_verdict_lines,
    run_verdict_markdown,
    verdict_counts,
    verdict_document,
    verdict_lines,
    verdict_markdown,
)
from tests.support.french import French

PASSED = "ended with exit 0"
FAILED = "ended with exit 1"

PROVED = CheckVerdict("pytest -q", Scope.OWN, Verdict.PROVED, "c0ffee", FAILED, PASSED)
NOT_YOURS = CheckVerdict("make lint", Scope.PROJECT, Verdict.NOT_YOURS, "c0ffee", FAILED, FAILED)
KEPT = CheckVerdict("make build", Scope.PROJECT, Verdict.KEPT, "c0ffee", PASSED, PASSED)
NOT_LOOKED_AT = CheckVerdict(
    "path:src/a.py", Scope.OWN, Verdict.NOT_LOOKED_AT, "c0ffee", "", "passed"
)
ALL = (KEPT, PROVED, NOT_LOOKED_AT, NOT_YOURS)

EMPTY = CheckVerdict(
    "pytest -q", Scope.OWN, Verdict.KEPT, "c0ffee", PASSED, PASSED, ("tests/test_a.py",)
)

HOSTILE = "a|b `c`\n| d | <img onerror=x> @all \x1b[31m"


class Rows(unittest.TestCase):
    def test_what_needs_a_look_comes_first_and_own_checks_before_those_of_the_project(
        self,
    ) -> None:
        other = CheckVerdict("x", Scope.PROJECT, Verdict.PROVED)
        self.assertEqual(in_order([other, *ALL]), [NOT_YOURS, NOT_LOOKED_AT, PROVED, other, KEPT])

    def test_every_verdict_has_a_meaning_a_colour_and_a_mark(self) -> None:
        for table in (MEANINGS, COLOURS, MARKS):
            self.assertEqual(set(table), set(Verdict))

    def test_an_ending_is_short_and_translated(self) -> None:
        self.assertEqual(ending_words(PASSED, STYLE), "passed")
        self.assertEqual(ending_words("", STYLE), "–")
        self.assertEqual(ending_words("", Style(unicode=False)), "-")
        self.assertEqual(ending_words("two\nlines", STYLE), "two lines")
        self.assertEqual(ending_words("x" * 99, STYLE), "x" * 59 + "…")
        with French():
            self.assertEqual(ending_words(PASSED, STYLE), "réussie")

    def test_without_verdicts_there_is_no_table(self) -> None:
        self.assertEqual(list(verdict_lines((), STYLE)), [])
        self.assertEqual(list(run_verdict_lines([("auth", ())], STYLE, is_whole=True)), [])
        self.assertEqual(list(verdict_markdown(())), [])
        self.assertEqual(verdict_document(()), [])


class Terminal(unittest.TestCase):
    def test_a_check_has_a_line_with_its_endings_before_and_now(self) -> None:
        self.assertEqual(
            list(verdict_lines(ALL, STYLE)),
            [
                "verdict        check                 at the start       now",
                "not yours      make lint (project)   ended with exit 1  ended with exit 1",
                "not looked at  path:src/a.py         –                  passed",
                "proved         pytest -q             ended with exit 1  passed",
                "kept           make build (project)  passed             passed",
            ],
        )

    def test_the_table_fits_the_terminal_and_still_says_whose_a_check_is(self) -> None:
        long = replace(NOT_YOURS, check="test ! -d tests || python3 -m unittest discover")
        with French():
            lines = list(verdict_lines([long, PROVED], Style(width=80)))
        self.assertEqual(
            lines,
            [
                "verdict            vérification         au départ            maintenant",
                "pas de votre fait  test ! -d… (projet)  a renvoyé le code 1  a renvoyé le code 1",
                "prouvée            pytest -q            a renvoyé le code 1  réussie",
            ],
        )

    def test_the_verdict_is_in_colour(self) -> None:
        heading, row = verdict_lines([PROVED], Style(colour=True))
        self.assertTrue(heading.startswith("\x1b[1mverdict\x1b[0m  \x1b[1mcheck"))
        self.assertTrue(row.startswith("\x1b[32mproved\x1b[0m   pytest -q  "))

    def test_added_tests_that_prove_nothing_are_named_below(self) -> None:
        *_, note = verdict_lines([EMPTY], STYLE)
        self.assertEqual(note, "tests/test_a.py proves nothing: it passes without the change, too")

    def test_of_many_such_tests_the_rest_is_counted(self) -> None:
        files = tuple(f"tests/test_{number}.py" for number in range(12))
        said = proving_nothing([replace(EMPTY, proves_nothing=files), EMPTY])
        self.assertEqual(len(said), 11)
        self.assertEqual(said[-1], "and 3 more files")

    def test_a_run_has_one_table_for_all_of_its_features(self) -> None:
        features = [("auth", [PROVED]), ("api", [KEPT])]
        heading, *rows = run_verdict_lines(features, STYLE, is_whole=True)
        self.assertTrue(heading.startswith("feature  verdict  check"))
        self.assertEqual([row.split()[:2] for row in rows], [["auth", "proved"], ["api", "kept"]])

    def test_the_end_of_a_run_shows_what_needs_a_look(self) -> None:
        features = [("auth", [PROVED, NOT_YOURS]), ("api", [EMPTY])]
        _heading, row, note = run_verdict_lines(features, STYLE, is_whole=False)
        self.assertTrue(row.startswith("auth     not yours  make lint (project)"), row)
        self.assertTrue(note.startswith("tests/test_a.py proves nothing"))
        self.assertEqual(list(run_verdict_lines([("a", [KEPT])], STYLE, is_whole=False)), [])

    def test_verdicts_are_counted(self) -> None:
        self.assertEqual(verdict_counts([KEPT, PROVED, EMPTY]), "1 proved, 2 kept")
        self.assertEqual(verdict_counts(()), "")

    def test_of_a_large_run_what_needs_no_look_is_counted(self) -> None:
        large = [(f"f{number}", ALL) for number in range(ROWS // 4 + 1)]
        lines = list(run_verdict_lines(large, STYLE, is_whole=True))
        self.assertEqual(lines[-1], "and 26 more checks: --json has all")
        self.assertFalse([line for line in lines if "proved" in line or "kept" in line])


class Markdown(unittest.TestCase):
    def test_the_table_is_for_a_pull_request(self) -> None:
        self.assertEqual(
            list(verdict_markdown([PROVED, NOT_YOURS])),
            [
                "| verdict | check | at the start | now |",
                "|---|---|---|---|",
                "| ➖ not yours | `make lint` (project) | ended with exit 1 | ended with exit 1 |",
                "| ✅ proved | `pytest -q` | ended with exit 1 | passed |",
            ],
        )

    def test_hostile_names_break_no_table(self) -> None:
        hostile = CheckVerdict(
            HOSTILE, Scope.OWN, Verdict.BROKEN, "c0ffee", PASSED, HOSTILE, (HOSTILE,)
        )
        *_, row, blank, words, blank_too, file = verdict_markdown([hostile])
        self.assertEqual([blank, blank_too], ["", ""])
        self.assertIn("prove nothing", words)
        for line in (row, file):
            self.assertNotIn("<img", line)
            self.assertNotIn("\x1b", line)
        self.assertEqual(len(re.findall(r"(?<!\\)\|", row)), 5)
        self.assertEqual(file, f"- {code(HOSTILE)}")
        for line in verdict_lines([hostile], STYLE):
            self.assertTrue(line.isprintable())

    def test_a_run_has_one_table_for_all_of_its_features(self) -> None:
        features = [("auth", [PROVED]), ("api", [NOT_YOURS, EMPTY])]
        self.assertEqual(
            list(run_verdict_markdown(features, characters=4_000)),
            [
                "| feature | verdict | check | at the start | now |",
                "|---|---|---|---|---|",
                "| `auth` | ✅ proved | `pytest -q` | ended with exit 1 | passed |",
                "| `api` | ➖ not yours | `make lint` (project) "
                "| ended with exit 1 | ended with exit 1 |",
                "| `api` | ✅ kept | `pytest -q` | passed | passed |",
                "",
                "These added tests prove nothing: they pass without the change, too.",
                "",
                "- `tests/test_a.py`",
            ],
        )
        self.assertEqual(list(run_verdict_markdown([("auth", ())], characters=4_000)), [])

    def test_where_there_is_no_room_for_a_run_what_needs_a_look_stays(self) -> None:
        features = [("auth", [PROVED, NOT_YOURS]), ("api", [NOT_YOURS])]
        __, __, row, more = run_verdict_markdown(features, characters=100)
        self.assertTrue(row.startswith("| `auth` | ➖ not yours"))
        self.assertEqual(more, "| 2 more checks | | | | |")

    def test_a_table_fits_into_a_comment_whatever_the_names_are(self) -> None:
        rows = [replace(PROVED, check=f"{number}{'|' * 999}") for number in range(ROWS)]
        self.assertLess(sum(map(len, verdict_markdown(rows))), 21_000)

    def test_a_long_table_and_a_long_list_are_cut(self) -> None:
        files = tuple(f"tests/test_{number}.py" for number in range(12))
        rows = [replace(PROVED, check=f"check {number}") for number in range(ROWS + 2)]
        lines = list(verdict_markdown([*rows, replace(EMPTY, proves_nothing=files)]))
        self.assertIn("| 3 more checks | | | |", lines)
        self.assertEqual(lines[-1], "- 2 more files")


class Document(unittest.TestCase):
    def test_json_has_all_of_a_verdict(self) -> None:
        self.assertEqual(
            json.loads(json.dumps(verdict_document([EMPTY]))),
            [
                {
                    "check": "pytest -q",
                    "scope": "own",
                    "verdict": "kept",
                    "commit": "c0ffee",
                    "before": PASSED,
                    "after": PASSED,
                    "proves_nothing": ["tests/test_a.py"],
                }
            ],
        )


if __name__ == "__main__":
    unittest.main()
