"""The verdict on a check, as event data and back."""

from __future__ import annotations

import unittest
from itertools import product

from core.model.check_verdict import (
    CheckVerdict,
    Scope,
    Verdict,
    verdict_data,
    verdict_of,
    verdict_of_data,
)

OWN, PROJECT = Scope.OWN, Scope.PROJECT
FLAKY, MISSING, BROKEN = Verdict.FLAKY, Verdict.MISSING, Verdict.BROKEN
NOT_YOURS, PROVED, KEPT = Verdict.NOT_YOURS, Verdict.PROVED, Verdict.KEPT
NOT_LOOKED_AT = Verdict.NOT_LOOKED_AT

MATRIX = {
    # (before, after, repeated): the verdict on an own check, and on one of the project
    (True, True, False): (KEPT, KEPT),
    (True, True, True): (KEPT, KEPT),
    (True, False, False): (MISSING, BROKEN),
    (True, False, True): (FLAKY, FLAKY),
    (False, True, False): (PROVED, PROVED),
    (False, True, True): (PROVED, PROVED),
    (False, False, False): (MISSING, NOT_YOURS),
    (False, False, True): (FLAKY, FLAKY),
    (None, True, False): (NOT_LOOKED_AT, NOT_LOOKED_AT),
    (None, True, True): (NOT_LOOKED_AT, NOT_LOOKED_AT),
    (None, False, False): (MISSING, BROKEN),
    (None, False, True): (FLAKY, FLAKY),
}


class Matrix(unittest.TestCase):
    def test_every_result_before_after_and_repeated_has_its_verdict(self) -> None:
        every = set(product((True, False, None), (True, False), (True, False)))
        self.assertEqual(set(MATRIX), every)
        for (before, after, repeated), expected in MATRIX.items():
            with self.subTest(before=before, after=after, repeated=repeated):
                made = tuple(
                    verdict_of(scope, before=before, after=after, repeated=repeated)
                    for scope in (OWN, PROJECT)
                )
                self.assertEqual(made, expected)

    def test_only_missing_and_broken_cost_an_attempt(self) -> None:
        paid = {verdict for verdict in Verdict if verdict.is_sent_back}
        self.assertEqual(paid, {MISSING, BROKEN})


class CheckVerdictTest(unittest.TestCase):
    def test_its_data_lead_back_to_it(self) -> None:
        for verdict in Verdict:
            made = CheckVerdict("make test", Scope.OWN, verdict, "c0ffee", "exit code 1", "passed")
            self.assertEqual(verdict_of_data(verdict_data(made)), made)
        made = CheckVerdict("pytest", Scope.PROJECT, Verdict.KEPT, proves_nothing=("a_test.py",))
        self.assertEqual(verdict_of_data(verdict_data(made)), made)

    def test_one_of_a_newer_version_is_none(self) -> None:
        data = verdict_data(CheckVerdict("make", Scope.OWN, Verdict.KEPT))
        for odd in ({"verdict": "lucky"}, {"scope": "other"}, {"scope": None}):
            self.assertIsNone(verdict_of_data({**data, **odd}))


if __name__ == "__main__":
    unittest.main()
