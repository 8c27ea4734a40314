"""A review as lines for a terminal, from typed values."""

from __future__ import annotations

import re
import unittest

from core.git.patches import FileDiff
from core.model.attempt import Attempt
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Status
from core.model.review import Answer, Comment, Review
from core.model.state import FeatureState
from core.reporter.style import Style
from core.review import lines
from core.review.evidence import Evidence, Kind
from core.review.reading import FeatureReading, FileReading, Reading
from core.review.seen import Sight

STYLE = Style(unicode=False)


def file(path: str, sight: Sight = Sight.NEW, **more: object) -> FileReading:
    diff = FileDiff(path, insertions=2, deletions=1)
    made = FileReading(diff, sight, None if sight is Sight.SEEN else diff)
    return replace(made, **more)  # type: ignore[arg-type]


def attempt(said: str = "") -> Attempt:
    done = AttemptOutcome(Status.COMPLETED, cost_usd=0.5, result=said)
    return Attempt("r", 1, "s", 1.0, outcome=done)


AUTH = FeatureReading(
    FeatureState("auth", branch="feature/auth", attempts=(attempt(),)),
    *("Sign-in", ("base",), "c0ffee"),
    files=(file("a.py"),),
)


def reading(*features: FeatureReading, hardest: str = "") -> Reading:
    return Reading("Shop", "main", "ba5e", features, hardest)


class Lines(unittest.TestCase):
    def said(self, feature: FeatureReading) -> list[str]:
        return list(lines.feature_lines(feature, STYLE))

    def reviewed(self, **review: object) -> FeatureReading:
        given = replace(Review(), **review)  # type: ignore[arg-type]
        return replace(AUTH, known=replace(AUTH.known, review=given))

    def test_the_whole_review_says_what_waits_and_how_to_answer(self) -> None:
        why = (Evidence(Kind.SIZE, "large: 999 changed lines", 2),)
        found = reading(replace(AUTH, evidence=why), hardest="auth")
        self.assertEqual(
            [*lines.review_lines(found, STYLE), *lines.how_to_answer(found)],
            [
                "Waiting for your review, to land on main: 1 of 1 feature",
                "Spend most of your time on auth: large: 999 changed lines",
                "",
                "[1/1] auth Sign-in",
                "  1 file +2 -1 | 1 attempt | $0.50 | feature/auth",
                "  builds on base",
                "  - large: 999 changed lines",
                "  a.py  +2 -1",
                "",
                "To answer:",
                "  rorchestrator review auth --accept",
                "  rorchestrator review auth --comment TEXT",
                "  rorchestrator review auth --reject",
            ],
        )

    def test_nothing_to_review_needs_no_answer(self) -> None:
        self.assertIn("Nothing to review", lines.heading(reading()))
        accepted = self.reviewed(answer=Answer.ACCEPTED, commit="c0ffee")
        said = ["", "To land what is accepted: rorchestrator merge auth"]
        self.assertEqual(list(lines.how_to_answer(reading(accepted))), said)
        self.assertEqual(list(lines.how_to_answer(reading(AUTH, accepted)))[-2:], said)
        self.assertEqual(list(lines.how_to_answer(reading())), [])

    def test_an_answer_or_open_comments_are_said_with_the_feature(self) -> None:
        comment = Comment("1", "Why?", "a.py", 3)
        for review, expected in (
            ({"answer": Answer.ACCEPTED, "commit": "c0ffee"}, "auth (accepted) Sign-in"),
            ({"answer": Answer.REJECTED, "commit": "c0ffee"}, "auth (rejected) Sign-in"),
            ({"answer": Answer.ACCEPTED, "commit": "other"}, "auth Sign-in"),
            ({"comments": (comment,)}, "auth (1 open comment) Sign-in"),
        ):
            self.assertEqual(self.said(self.reviewed(**review))[0], expected)
        both = (comment, Comment("2", "Hm."), Comment("3", "x", is_sent=True))
        said = self.said(self.reviewed(comments=both))
        self.assertEqual(said[-2:], ["  comment: a.py:3: Why?", "  comment: Hm."])

    def test_files_say_what_is_notable_and_with_which_to_begin(self) -> None:
        renamed = FileDiff("new.py", "old.py", None, None)
        seen = tuple(file(f"s{n}", Sight.SEEN) for n in range(12))
        files = (
            file("plain"),
            file("c.py", Sight.CHANGED, is_named=False, others=("api", "ui")),
            replace(file("x"), whole=renamed, news=renamed),
            *(file(f"f{number:02}") for number in range(15)),
        )
        said = self.said(replace(AUTH, files=(*files, *seen), taken_back=("gone",)))[3:]
        self.assertEqual(said[0], "  begin with: c.py, plain, f00")
        self.assertEqual(
            said[2:4],
            [
                "  c.py  +2 -1  (changed since you saw it, not named, also changed by api, ui)",
                "  old.py → new.py  binary",
            ],
        )
        self.assertEqual(
            said[-4:],
            [
                "  and 3 more files",
                "  no longer changed: gone",
                "  unchanged since you saw them: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2",
                "    more",
            ],
        )

    def test_checks_notes_and_the_end_of_what_claude_said_are_shown(self) -> None:
        verdict = CheckVerdict("make", Scope.OWN, Verdict.KEPT, "c", "passed", "passed")
        said = "1\n\n2\n3\x1b[31m\n4\n5" + "long " * 40
        known = replace(
            AUTH.known, verdicts={"own make": verdict}, attempts=(attempt(said),), id="auth"
        )
        shown = self.said(replace(AUTH, known=known, notes=("a note",), fault="a fault"))
        self.assertEqual(shown[3:5], ["  a note", "  a fault"])
        self.assertTrue(any("kept" in line and "make" in line for line in shown))
        self.assertEqual(shown[-4:-1], ["  Claude: 2", "    3", "    4"])
        self.assertLessEqual(max(map(len, shown)), 80)
        colours = Style(colour=True)
        why = (Evidence(Kind.SIZE, "large", 2), Evidence(Kind.ATTEMPTS, "two", 1))
        painted = "\n".join(lines.feature_lines(replace(AUTH, evidence=why), colours))
        self.assertIn("\x1b[33m• large\x1b[0m", painted)
        self.assertIn("• two\n", painted)

    def test_sentences_break_between_words_at_the_edge_of_the_terminal(self) -> None:
        why = (Evidence(Kind.UNNAMED, "named nowhere: " + ", ".join(["src/file.py"] * 5), 3),)
        said = replace(AUTH, evidence=why, depends_on=("one",) * 30, notes=("a note " * 20,))
        comment = Comment("1", "a word " * 20)
        said = replace(said, known=replace(said.known, review=Review(comments=(comment,))))
        for colour in (False, True):
            shown = list(lines.feature_lines(said, Style(width=40, colour=colour)))[2:]
            plain = [re.sub(r"\x1b.*?m", "", line) for line in shown]
            self.assertLessEqual(max(map(len, plain)), 40)
            self.assertTrue(
                all(line.endswith("m") for line in shown if line.startswith("    \x1b"))
            )

    def test_what_to_type_next_depends_on_the_answers(self) -> None:
        accepted = self.reviewed(answer=Answer.ACCEPTED, commit="c0ffee")
        rejected = self.reviewed(answer=Answer.REJECTED, commit="c0ffee")
        self.assertEqual(
            list(lines.next_lines(reading(accepted, rejected, AUTH))),
            [
                "To let Claude work on auth: rorchestrator retry auth",
                "To land what is accepted: rorchestrator merge auth",
            ],
        )
        self.assertEqual(list(lines.next_lines(reading(AUTH))), [])


if __name__ == "__main__":
    unittest.main()
