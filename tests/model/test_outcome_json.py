"""Outcomes as the data of events, also of damaged ones."""

from __future__ import annotations

import unittest

from core.model import events, outcome_json
from core.model.costs import Paid
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Stage, Status, Usage
from core.model.outcome_json import attempt_outcome
from tests.support.every_event import AT, EVERY, OUTCOME, WORK


class Outcomes(unittest.TestCase):
    def test_an_attempts_outcome_comes_back_whole(self) -> None:
        self.assertEqual(outcome_json.attempt_outcome(EVERY["attempt_ended"].data), OUTCOME)

    def test_the_cost_per_model_is_read_if_it_is_an_amount_and_a_count(self) -> None:
        paid = AttemptOutcome(Status.COMPLETED, paid={"a": Paid(0.5, 7)}, tokens={"b": 3})
        event = events.attempt_ended(1, "r", "f", paid)
        self.assertEqual(attempt_outcome(event.data), paid)
        odd: dict[str, object] = {"a": [0.5, 7], "b": [0.5, 0], "c": [-1, 7], "d": [1], "e": 7}
        for given, expected in ((odd, {"a": Paid(0.5, 7)}), ([], {})):
            data = {**event.data, "paid": given, "tokens": given}
            self.assertEqual(attempt_outcome(data).paid, expected)

    def test_an_unknown_cost_stays_unknown(self) -> None:
        event = events.attempt_ended(AT, "r", "a", AttemptOutcome(Status.FAILED, "gone"))
        self.assertIsNone(outcome_json.attempt_outcome(event.data).cost_usd)

    def test_a_features_end_tells_status_reason_fault_and_work(self) -> None:
        cases = [
            FeatureOutcome(Status.COMPLETED, work=WORK),
            FeatureOutcome(Status.CONFLICT, "a.txt"),
            FeatureOutcome(Status.FAILED, "hook", Fault.COMMIT),
            FeatureOutcome(Status.FAILED, "setup: `x`", Fault.SETUP, stage=Stage.SETUP),
        ]
        for outcome in cases:
            with self.subTest(outcome=outcome):
                event = events.ended(AT, "r1", "auth", outcome)
                self.assertEqual(outcome_json.feature_outcome(event.data), outcome)

    def test_the_end_of_a_feature_in_an_earlier_journal_names_no_stage(self) -> None:
        data = {"status": "failed", "reason": "setup: `x`", "fault": "setup"}
        found = outcome_json.feature_outcome(data)
        self.assertEqual(found, FeatureOutcome(Status.FAILED, "setup: `x`", Fault.SETUP))

    def test_fields_of_another_type_are_as_good_as_missing(self) -> None:
        data = {
            "status": "failed",
            "cost_usd": "much",
            "usage": {"input_tokens": "many", "output_tokens": 5, "later": 1},
            "num_turns": None,
            "denied_tools": "Bash",
        }
        found = outcome_json.attempt_outcome(data)
        self.assertEqual(found, AttemptOutcome(Status.FAILED, usage=Usage(output_tokens=5)))

    def test_an_invalid_amount_is_unknown_and_an_invalid_count_is_0(self) -> None:
        for odd in (True, -1, -0.5, float("nan"), float("inf"), 10**400, 2**53 + 1):
            data = {"status": "failed", "cost_usd": odd, "num_turns": odd}
            with self.subTest(odd=str(odd)[:20]):
                found = outcome_json.attempt_outcome(data)
                self.assertEqual(found, AttemptOutcome(Status.FAILED))
