"""What ``prove`` found, as values and as lines."""

from __future__ import annotations

import json
import unittest

from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.reporter.style import Style
from core.review.proof import Proof, ProvedCheck, ProvedFeature
from core.review.proof_text import proof_lines

GOOD = "ended with exit 0"


def check(passes: bool | None, kind: Verdict = Verdict.KEPT, *, flaky: bool = False) -> ProvedCheck:
    recorded = CheckVerdict("make\n<b>\x1b[31m", Scope.OWN, kind, "c0ffee", GOOD, GOOD)
    return ProvedCheck(recorded, passes, GOOD if passes else "ended with exit 2", flaky)


class Differences(unittest.TestCase):
    def test_a_check_differs_if_it_does_not_end_as_the_journal_says(self) -> None:
        for passes, kind, expected in (
            (True, Verdict.KEPT, False),
            (True, Verdict.FLAKY, False),
            (False, Verdict.KEPT, True),
            (None, Verdict.KEPT, True),
            (False, Verdict.NOT_YOURS, False),
            (True, Verdict.BROKEN, True),
            (None, Verdict.MISSING, True),
        ):
            with self.subTest(passes=passes, kind=kind):
                made = check(passes, kind)
                self.assertEqual(made.differs, expected)
                self.assertEqual(ProvedFeature("a", "c0ffee", (made,)).differs, expected)

    def test_json_has_all_of_it(self) -> None:
        made = Proof(
            [ProvedFeature("a", "c0ffee", (check(False),)), ProvedFeature("b", "", (), "x")]
        )
        document = json.loads(json.dumps(made.to_json()))
        self.assertTrue(document["differs"])
        self.assertEqual(document["features"][0]["branch_tip"], "c0ffee")
        self.assertEqual(
            document["features"][0]["checks"][0],
            {
                "check": "make\n<b>\x1b[31m",
                "scope": "own",
                "verdict": "kept",
                "recorded": GOOD,
                "passes": False,
                "now": "ended with exit 2",
                "flaky": False,
                "differs": True,
            },
        )
        self.assertEqual(document["features"][1]["fault"], "x")


class Lines(unittest.TestCase):
    def test_a_row_is_a_check_and_steers_no_terminal(self) -> None:
        proof = Proof([ProvedFeature("a", "c0ffee" * 6, (check(True), check(False)), log="/l")])
        lines = list(proof_lines(proof, Style()))
        self.assertEqual(
            lines,
            [
                "feature  commit      result       verdict  check     recorded  now",
                "a        c0ffeec0ff  as recorded  kept     make <b>  passed    passed",
                "a        c0ffeec0ff  differs      kept     make <b>  passed    ended with exit 2",
                "a: the output is in /l",
                "2 recorded checks: 1 not as recorded",
            ],
        )

    def test_without_a_recorded_check_nothing_is_proved(self) -> None:
        lines = list(proof_lines(Proof([ProvedFeature("a", "c0ffee", ())]), Style(colour=True)))
        self.assertEqual(
            lines,
            ["a: no check is recorded", "Nothing is proved: there are no recorded checks."],
        )

    def test_colours_tell_what_differs(self) -> None:
        checks = (check(True), check(True, flaky=True), check(False))
        lines = list(proof_lines(Proof([ProvedFeature("a", "c", checks)]), Style(colour=True)))
        for line, colour, word in zip(lines[1:], (32, 33, 31), ("as recorded", "flaky", "differs")):
            self.assertIn(f"\x1b[{colour}m{word}", line)


if __name__ == "__main__":
    unittest.main()
