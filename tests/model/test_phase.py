"""Phases: what an active feature is doing, and since when."""

from __future__ import annotations

import unittest

from core.model import events
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

    def test_a_check_that_fails_ends_the_checks(self) -> None:
        for passed, phase in ((True, Phase.CHECKS), (False, Phase.BETWEEN)):
            ended = events.checked(
                6, "r1", "auth", key="k", command="make", passed=passed, ending="exit"
            )
            self.assertIs(auth([events.checking(5, "r1", "auth"), ended]).phase, phase)


if __name__ == "__main__":
    unittest.main()
