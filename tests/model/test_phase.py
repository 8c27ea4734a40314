"""Phases: what an active feature is doing, and since when."""

from __future__ import annotations

import unittest

from core.model import events, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.outcome import FeatureOutcome, Status
from core.model.phase import Phase
from tests.support.lives import DONE, WORK, auth, life


class Phases(unittest.TestCase):
    def test_each_event_of_a_feature_begins_the_next_phase(self) -> None:
        story = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        seen = [auth(story[: number + 1]) for number in range(len(story))]
        expected = [
            Phase.WORKTREE,
            Phase.WORKTREE,
            Phase.CLAUDE,
            Phase.BETWEEN,
            Phase.INSPECTION,
            Phase.COMMIT,
            Phase.NONE,
        ]
        self.assertEqual([known.phase for known in seen], expected)

    def test_its_time_is_that_of_the_event_that_began_it(self) -> None:
        story = [events.setting_up(5, "r1", "auth"), events.note(9, "r1", "still busy", "auth")]
        self.assertEqual((auth(story).phase, auth(story).phase_at), (Phase.SETUP, 5))

    def test_the_checks_end_with_a_verdict_that_claude_is_told_of(self) -> None:
        failed = events.checked(
            6, "r1", "auth", key="k", command="make", passed=False, ending="exit"
        )
        for verdict in Verdict:
            made = CheckVerdict("make", Scope.PROJECT, verdict)
            story = [events.checking(5, "r1", "auth"), failed]
            self.assertIs(auth(story).phase, Phase.CHECKS)
            phase = auth([*story, events_review.judged(7, "r1", "auth", verdict=made)]).phase
            self.assertIs(phase, Phase.BETWEEN if verdict.is_sent_back else Phase.CHECKS)


if __name__ == "__main__":
    unittest.main()
