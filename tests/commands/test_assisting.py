"""The questions of `assist`."""

from __future__ import annotations

import io
import unittest

from core.commands.assisting import Decided, ask_each
from core.model.feature import Feature
from core.reporter.style import Style
from core.start.assisting.finding import Knowledge
from tests.support.commands import streams
from tests.support.dependencies import brief, one

WRITES = "Extend `src/app.py`."
LIST = (
    one("auth", prompt=WRITES, creates=["symbol:Auth"]),
    one("api", uses=["symbol:Auth"]),
    one("web", "api auth"),
    one("mail", prompt=WRITES),
)


class AskTest(unittest.TestCase):
    def asked(self, answers: str, features: tuple[Feature, ...] = LIST) -> tuple[Decided, str]:
        said = io.StringIO()
        with streams(None, said, io.StringIO(answers)):
            decided = ask_each(features, Knowledge(), Style(unicode=False))
        return decided, said.getvalue()

    def test_each_finding_is_accepted_or_skipped_also_those_that_an_answer_made(self) -> None:
        decided, said = self.asked("y\nN\nyes\n")
        self.assertEqual(
            [brief(each) for each in decided.accepted],
            ["missing api +auth!", "needless web -auth!"],
        )
        self.assertEqual([brief(each) for each in decided.left], ["risky mail +auth"])
        self.assertEqual(
            {each.id: each.depends_on for each in decided.features},
            {"auth": (), "api": ("auth",), "web": ("api",), "mail": ()},
        )
        self.assertIn("Accept? [y]es, [n]o, [e]xplain, [q]uit (1 more) ", said)

    def test_an_explanation_and_an_unknown_answer_ask_again(self) -> None:
        decided, said = self.asked("e\nwhat\n\ny\nq\n")
        self.assertEqual(len(decided.accepted), 1)
        self.assertIn("api starts when auth is completed", said)
        self.assertEqual(said.count("(1 more)"), 5)

    def test_what_was_accepted_before_the_end_stays_accepted(self) -> None:
        for answers in ("y\nq\n", "y\n"):
            decided, _ = self.asked(answers)
            self.assertEqual([brief(each) for each in decided.accepted], ["missing api +auth!"])
        self.assertEqual(self.asked("")[0].accepted, [])

    def test_what_is_no_text_ends_the_questions(self) -> None:
        given = io.TextIOWrapper(io.BytesIO(b"\xff\n"), encoding="utf-8")
        with streams(None, io.StringIO(), given):
            decided = ask_each(LIST, Knowledge(), Style())
        self.assertEqual(decided.accepted, [])

    def test_what_cannot_be_accepted_is_shown_without_a_question(self) -> None:
        both = [
            one(id, uses=[f"symbol:{other}"], creates=[f"symbol:{id}"])
            for id, other in ("ab", "ba")
        ]
        said = self.asked("n\n", tuple(both))[1]
        self.assertEqual(said.count("Accept?"), 1)
        self.assertIn("b and a need each other", said)
