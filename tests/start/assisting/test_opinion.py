"""What Claude is asked about dependencies, and which of its answers count."""

from __future__ import annotations

import unittest

from core.start.assisting.assistant import findings
from core.start.assisting.finding import Evidence, Finding, Kind, Opinion, Rule
from core.start.assisting.opinion import LONGEST_REASON, MOST, ROOM, Heard, heard, question
from tests.support.dependencies import one

LIST = (one("auth"), one("api", "auth"), one("web", "api"), one("mail"))


def said(kind: str, feature: str, other: str, reason: str = "Because.") -> dict[str, object]:
    return {"kind": kind, "feature": feature, "other": other, "reason": reason}


class HeardTest(unittest.TestCase):
    def heard(self, *opinions: object) -> Heard:
        return heard({"opinions": [*opinions]}, LIST)

    def test_opinions_that_the_list_allows_are_heard(self) -> None:
        self.assertEqual(
            self.heard(
                said("missing", "mail", "auth", "It\nsigns\x1b[31m in."),
                said("needless", "web", "api"),
                said("risky", "web", "mail"),
            ),
            Heard(
                (
                    Opinion(Kind.MISSING, "mail", "auth", "It signs in."),
                    Opinion(Kind.NEEDLESS, "web", "api", "Because."),
                    Opinion(Kind.RISKY, "web", "mail", "Because."),
                )
            ),
        )

    def test_what_cannot_be_right_is_dropped_and_counted(self) -> None:
        for opinion in (
            said("missing", "auth", "web"),
            said("missing", "api", "auth"),
            said("missing", "api", "api"),
            said("missing", "api", "gone"),
            said("missing", "gone", "api"),
            said("risky", "web", "auth"),
            said("needless", "web", "auth"),
            said("wrong", "web", "mail"),
            said("missing", "web", "mail", " \n"),
            {"kind": "missing", "feature": "web", "other": "mail"},
            {**said("missing", "web", "mail"), "feature": ["web"]},
            "words",
            None,
        ):
            self.assertEqual(self.heard(opinion), Heard(dropped=1), opinion)

    def test_opinions_that_contradict_each_other_make_no_cycle(self) -> None:
        found = self.heard(
            said("missing", "mail", "web"),
            said("missing", "web", "mail"),
            said("risky", "mail", "web"),
        )
        self.assertEqual((len(found.opinions), found.dropped), (1, 2))
        twice = self.heard(said("needless", "web", "api"), said("needless", "web", "api"))
        self.assertEqual((len(twice.opinions), twice.dropped), (1, 1))

    def test_five_hundred_opinions_are_too_many(self) -> None:
        features = [one(f"f{number}") for number in range(501)]
        answer = [said("missing", f"f{number}", "f500", "x" * 9000) for number in range(500)]
        found = heard({"opinions": answer}, features)
        self.assertEqual((len(found.opinions), found.dropped), (MOST, 500 - MOST))
        self.assertEqual({len(each.reason) for each in found.opinions}, {LONGEST_REASON})
        self.assertEqual(len([f for f in findings(features) if f.evidence]), 0)

    def test_an_answer_of_another_form_is_none(self) -> None:
        for answer in (None, [], "words", {}, {"opinions": "many"}, {"opinions": {}}):
            self.assertIn("does not have the form", heard(answer, LIST).fault)


class QuestionTest(unittest.TestCase):
    def test_it_has_every_feature_and_what_was_found(self) -> None:
        api = one("api", "auth", "Write it.\n````\n```", creates=["symbol:Api"], description="Why.")
        found = Finding(Kind.RISKY, "web", ("mail",), (Evidence(Rule.FILE, ""),), ("mail",))
        text = question([one("auth"), api], [found])
        self.assertIn(
            "### api: The api\ndepends_on: auth\ncreates: symbol:Api\n`````\nWhy.\n", text
        )
        self.assertTrue(text.endswith("- risky: web, mail\n"))
        self.assertNotIn("was found without you", question(LIST, []))

    def test_long_prompts_are_cut(self) -> None:
        features = [one(f"f{number}", prompt="x" * 9000) for number in range(100)]
        text = question(features, [])
        self.assertLess(len(text), 2 * ROOM)
        self.assertIn("(cut: 7800 more characters)", text)
