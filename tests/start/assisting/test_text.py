"""Findings in words and as JSON."""

from __future__ import annotations

import unittest

from core.reporter.style import Style
from core.start.assisting.finding import Evidence, Finding, Kind, Rule
from core.start.assisting.text import (
    Opinions,
    Result,
    document,
    done_words,
    explanation,
    finding_lines,
    headline,
    notes,
    proposal,
    summary,
)


def why(rule: Rule, text: str = "because") -> tuple[Evidence, ...]:
    return (Evidence(rule, text),)


MISSING = Finding(Kind.MISSING, "api", ("auth",), why(Rule.USES), adds=("auth",), is_safe=True)
IMPLIED = Finding(Kind.NEEDLESS, "web", ("auth",), why(Rule.IMPLIED), removes=("auth",))
PARALLEL = Finding(
    Kind.NEEDLESS, "web", ("b",), why(Rule.PARALLEL), ("a",), ("b",), saves_seconds=4.0
)
RISKY = Finding(Kind.RISKY, "web", ("mail",), why(Rule.FILE), adds=("mail",))
CLOSE = Finding(Kind.RISKY, "web", ("mail",), why(Rule.CLOSE))
CIRCLE = Finding(Kind.RISKY, "web", ("mail",), why(Rule.USES))
NOBODY = Finding(Kind.RISKY, "web", (), why(Rule.NOBODY))


class TextTest(unittest.TestCase):
    def test_a_finding_is_a_headline_its_evidence_and_a_proposal(self) -> None:
        hostile = Finding(Kind.RISKY, "a", ("b",), why(Rule.CLAUDE, "x\n\x1b[31mred"))
        self.assertEqual(
            list(finding_lines(MISSING, Style(unicode=False))),
            [
                "missing   api needs auth, but does not depend on it",
                "          because",
                "          -> add auth to depends_on of api",
            ],
        )
        self.assertEqual(list(finding_lines(hostile, Style()))[1], "          x red")

    def test_much_evidence_is_cut_until_it_is_explained(self) -> None:
        many = tuple(Evidence(Rule.PROMPT, f"line {number}") for number in range(6))
        claude = Evidence(Rule.CLAUDE, "I agree.")
        found = Finding(Kind.MISSING, "api", ("auth",), (*many, claude), adds=("auth",))
        lines = [line.strip() for line in finding_lines(found, Style())][1:-1]
        self.assertEqual(
            lines, ["line 0", "line 1", "line 2", "line 3", "I agree.", "and 2 more like these"]
        )
        self.assertEqual(explanation(found)[:2], ["line 4", "line 5"])

    def test_each_kind_has_its_words(self) -> None:
        for finding, head, what in (
            (IMPLIED, "web need not depend on auth", "remove auth from depends_on of web"),
            (PARALLEL, "web need not depend on b", "replace b with a in depends_on of web"),
            (RISKY, "web and mail may get in each other's way", "add mail to depends_on of web"),
            (CLOSE, "web uses what mail creates under another name", "correct the list by hand"),
            (CIRCLE, "web and mail need each other", "correct the list by hand"),
            (NOBODY, "web uses something that nothing creates", "correct the list by hand"),
        ):
            self.assertEqual((headline(finding), proposal(finding)), (head, what))

    def test_an_explanation_says_what_accepting_means(self) -> None:
        self.assertIn("its branch contains that work", explanation(MISSING)[0])
        self.assertIn("still waits for auth", explanation(IMPLIED)[0])
        first, second = explanation(PARALLEL)
        self.assertIn("no longer waits for b", first)
        self.assertIn("web starts when a is completed", second)
        self.assertEqual(explanation(NOBODY), [])
        begun = Finding(Kind.RISKY, "web", ("b",), why(Rule.FILE), ("b",), restarts=True)
        self.assertIn("it starts over", explanation(begun)[-1])

    def test_the_summary_counts_and_names_the_next_command(self) -> None:
        self.assertEqual(summary([]), "No findings.")
        self.assertEqual(summary([RISKY, CLOSE]), "2 findings.")
        self.assertEqual(
            summary([MISSING, RISKY]),
            "2 findings, 1 of them safe: rorchestrator assist --yes accepts these.",
        )

    def test_notes_say_what_else_to_know(self) -> None:
        self.assertEqual(list(notes(Result("x", ()))), [])
        result = Result("x", (), is_running=True, unknown=("no history",))
        self.assertEqual(
            list(notes(result)),
            [
                "A run is in progress: it keeps the list that it began with.",
                "Left out of the evidence: no history",
            ],
        )
        for opinions, expected in (
            (
                Opinions(1, 2, 0.25),
                "Claude gave 1 opinion, and 2 that can't be right ($0.25).",
            ),
            (
                Opinions(fault="not signed in"),
                "Claude gave no opinion: not signed in (cost unknown)",
            ),
        ):
            self.assertEqual(list(notes(Result("x", (), opinions=opinions))), [expected])

    def test_the_end_says_what_became_of_the_list(self) -> None:
        self.assertEqual(
            done_words(Result("x", ())), ["Nothing was accepted; the list is unchanged."]
        )
        changes = {"api": ("auth",), "web": ()}
        self.assertEqual(
            done_words(Result("x", (), changes=changes)),
            ["The patch changes depends_on of api, web."],
        )
        self.assertEqual(
            done_words(Result("x.json", (), changes=changes, is_written=True)),
            ["Changed depends_on of api, web in x.json, and nothing else."],
        )

    def test_the_document_has_everything(self) -> None:
        opinions = Opinions(1, 2, 0.25, "late")
        made = document(
            Result("x.json", [PARALLEL], [MISSING], {"api": ("auth",)}, True, opinions=opinions)
        )
        self.assertEqual(
            made["findings"],
            [
                {
                    "kind": "needless",
                    "feature": "web",
                    "others": ["b"],
                    "evidence": [{"rule": "parallel", "text": "because"}],
                    "add": ["a"],
                    "remove": ["b"],
                    "safe": False,
                    "saves_seconds": 4.0,
                    "restarts": False,
                }
            ],
        )
        self.assertEqual((made["version"], made["changes"]), (1, {"api": ["auth"]}))
        self.assertEqual((made["written"], made["run_in_progress"]), (True, False))
        self.assertEqual(
            made["claude"], {"opinions": 1, "dropped": 2, "cost_usd": 0.25, "fault": "late"}
        )
        self.assertIsNone(document(Result("x", ()))["claude"])
