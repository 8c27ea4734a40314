"""Lines that a CI system obeys: only ours, with what they quote escaped."""

from __future__ import annotations

import itertools
import json
import re
import unittest

from core.model.ci_commands import CiCommand, CommandGuard, annotation, group
from core.model.ci_systems import Ci

OBEYED = re.compile(r"^\s*::|##\w*\[|^\s*section_", re.MULTILINE)
"""What runners obey."""


def through(*parts: str) -> str:
    guard = CommandGuard()
    return "".join(
        guard.begin_line() + part if guard.is_ours(part) else guard(part) for part in parts
    )


class GuardTest(unittest.TestCase):
    def test_no_line_from_outside_is_obeyed(self) -> None:
        for text, expected in (
            ("::error::x\n", "\\::error::x\n"),
            ("a\n \t\u2003::add-mask::x\n::\n", "a\n \t\u2003\\::add-mask::x\n\\::\n"),
            ("a\r::set-env name=A::b\r\n", "a\r\\::set-env name=A::b\r\n"),
            ("\x1b[31m::error::x\x1b[0m\n", "\x1b[31m\\::error::x\x1b[0m\n"),
            ("##[error]x ##[group]\n", "## [error]x ## [group]\n"),
            ("a ##vso[task.x] b\n", "a ##vso [task.x] b\n"),
            ("section_start:1:a\n", "\\section\\_start:1:a\n"),
            (" section_x\na section_end:1:a\n", " \\section_x\na section\\_end:1:a\n"),
            ("\ufeff\0::error::x", "\ufeff\0\\::error::x"),
        ):
            with self.subTest(text):
                self.assertEqual(through(text), expected)
                self.assertIsNone(OBEYED.search(through(text)))

    def test_other_lines_stay_as_they_are(self) -> None:
        text = "a::b\n[12:00:00] std::move\n## Title\n#[x]\n\n - section_start\n : :\n"
        self.assertEqual(through(text), text)
        self.assertEqual(through(*text), text)

    def test_however_a_line_is_written(self) -> None:
        for line in ("::error::x", "  ::x::", "##[error]x", "a ##vso[x]", "section_start:1:a"):
            for at in itertools.combinations(range(len(line) + 1), 2):
                parts = line[: at[0]], line[at[0] : at[1]], line[at[1] :]
                with self.subTest(parts):
                    shown = through("before\n", *parts, "\n")
                    self.assertIsNone(OBEYED.search(shown), shown)

    def test_json_has_the_same_meaning(self) -> None:
        value = {"a": "::error::x", "b": ["##[error]x", "section_start:1:a", "##vso[x]"]}
        for text in (json.dumps(value), json.dumps(value, indent=2), json.dumps([value])):
            for parts in ((text,), text):
                shown = through(*parts)
                self.assertEqual(json.loads(shown), json.loads(text))
                self.assertIsNone(OBEYED.search(shown), shown)


class OursTest(unittest.TestCase):
    def test_our_own_lines_pass_and_begin_a_line(self) -> None:
        ours = CiCommand("::error::x\n")
        self.assertEqual(through("a", ours, ours, "::b\n"), "a\n::error::x\n::error::x\n\\::b\n")

    def test_an_annotation_quotes_what_could_end_it(self) -> None:
        made = annotation(
            "error", "100 %\n::b::\x1b[1m", title="a: b, c\nd", file="x,y.json", line=3
        )
        self.assertEqual(
            made, "::error file=x%2Cy.json,line=3,title=a%3A b%2C c d::100 %25%0A::b::\n"
        )
        self.assertIsInstance(made, CiCommand)
        self.assertEqual(annotation("warning", "b", title="a"), "::warning title=a::b\n")

    def test_a_group_encloses_a_text_in_the_words_of_each_system(self) -> None:
        for ci, expected in (
            (Ci.GITHUB, "::group::a %25 b\n::c\n::endgroup::\n"),
            (
                Ci.GITLAB,
                "\x1b[0Ksection_start:1700000000:plan\r\x1b[0Ka % b\n::c\n"
                "\x1b[0Ksection_end:1700000000:plan\r\x1b[0K\n",
            ),
            (Ci.NONE, "::c\n"),
        ):
            made = group(ci, "a %\nb", "::c\n", "plan", 1.7e9)
            self.assertEqual("".join(made), expected)
            shown = through(*made)
            self.assertEqual(shown, expected.replace("::c\n", "\\::c\n"))


if __name__ == "__main__":
    unittest.main()
