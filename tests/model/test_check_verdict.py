"""The verdict on a check, as event data and back."""

from __future__ import annotations

import unittest

from core.model.check_verdict import CheckVerdict, Scope, Verdict, verdict_data, verdict_of_data


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
