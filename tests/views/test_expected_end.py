"""When a run is expected to end."""

from __future__ import annotations

import unittest
from collections.abc import Mapping

from core.model import events
from core.model.control_action import ControlAction
from core.model.events import Event
from core.model.provenance import Estimate, Provenance
from core.model.state import RunState
from core.views.expected_end import ExpectedEnd, expected_end
from core.views.live import Prediction
from tests.support import live_runs
from tests.support.live_runs import CUT, NOW, RUN, START, after, at_work, begun, completed

IDS = ("auth", "api", "web", "docs")
SECONDS = {"auth": 300.0, "api": 600.0, "web": 400.0, "docs": 100.0}


def run_of(
    *story: Event | list[Event], seconds: Mapping[str, float] = SECONDS, slots: int = 2
) -> RunState:
    """A run in which `api` and `web` need `auth`, and `docs` needs what is not part of it."""
    given = Provenance(
        depends_on={"api": ("auth",), "web": ("auth",), "docs": ("old",)},
        estimates={id: Estimate(each, 1.0) for id, each in seconds.items()},
    )
    return live_runs.state_of(begun(IDS, slots, given), *story)


def left(state: RunState, now: float) -> float | None:
    """The expected seconds from ``now`` to the end."""
    assert state.run is not None
    end = expected_end(state, state.run, now)
    return None if end is None else end - now


class TheExpectedEnd(unittest.TestCase):
    def test_it_begins_with_the_estimates_and_follows_what_the_run_does(self) -> None:
        self.assertEqual(left(run_of(), START), 900)
        slow = run_of(at_work("auth", START + 8))
        self.assertEqual(left(slow, START + 100), 800)
        self.assertEqual(left(slow, START + 500), 800, "auth is 200 seconds overdue")
        fast = run_of(completed("auth", START + 210), at_work("api", START + 219))
        self.assertEqual(left(fast, START + 211), 600, "auth was over earlier")
        self.assertEqual(left(fast, START + 311), 500)

    def test_one_slot_takes_the_sum(self) -> None:
        self.assertEqual(left(run_of(slots=1), START), 1400)

    def test_it_is_unknown_once_only_overdue_features_are_left(self) -> None:
        over = [event for id in ("auth", "web", "docs") for event in completed(id, START + 300)]
        late = run_of(over, at_work("api", START + 308))
        self.assertEqual(left(late, START + 700), 200)
        self.assertIsNone(left(late, START + 1000))
        self.assertIsNone(left(run_of(over, completed("api", START + 310)), START + 311))

    def test_it_is_unknown_without_an_estimate_of_each(self) -> None:
        self.assertIsNone(left(run_of(seconds={}), START))
        self.assertIsNone(left(run_of(seconds={"auth": 5.0}), START))

    def test_a_pause_hides_it_if_something_is_still_to_start(self) -> None:
        pause = live_runs.steered(ControlAction.PAUSE, START + 50)
        self.assertIsNone(left(run_of(at_work("auth", START + 8), pause), START + 100))
        over = [event for id in ("auth", "web", "docs") for event in completed(id, START + 300)]
        last = run_of(over, at_work("api", START + 308), pause)
        self.assertEqual(left(last, START + 400), 500)

    def test_what_waits_for_a_review_hides_it_too(self) -> None:
        full = events.unreviewed(START + 50, RUN, count=3, limit=3)
        self.assertIsNone(left(run_of(at_work("auth", START + 8), full), START + 100))

    def test_at_a_usage_limit_the_rest_begins_with_its_reset(self) -> None:
        waits = events.paused(START + 208, RUN, until=START + 1000)
        state = run_of(after("auth", START + 208, CUT), waits)
        self.assertEqual(left(state, START + 500), 500 + 692)

    def test_a_cycle_that_nobody_should_have_recorded_ends_nothing(self) -> None:
        given = Provenance(
            depends_on={"auth": ("api",), "api": ("auth",)},
            estimates={id: Estimate(10.0, 1.0) for id in IDS},
        )
        self.assertEqual(left(live_runs.state_of(begun(IDS, 2, given)), START), 10)


class NowAndThen(unittest.TestCase):
    def test_it_is_computed_again_after_five_seconds(self) -> None:
        first, later = run_of(), run_of(completed("auth", NOW))
        expected = ExpectedEnd()
        self.assertIsNone(expected.at(RunState(), NOW, 4))
        self.assertIsNone(expected.at(first, NOW, 0), "a guess is none")
        self.assertEqual(expected.at(first, NOW, 4), Prediction(NOW + 900, 4))
        self.assertEqual(expected.at(later, NOW + 4, 4), Prediction(NOW + 900, 4))
        self.assertEqual(expected.at(later, NOW + 5, 4), Prediction(NOW + 605, 4))
        self.assertIsNone(ExpectedEnd().at(run_of(seconds={}), NOW, 4))


if __name__ == "__main__":
    unittest.main()
