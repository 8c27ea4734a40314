"""What a run spent without a result, and what would have saved most."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

from core.model import events, events_review
from core.model.control_action import ControlAction
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.ledger import Ledger, ledger
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Usage
from core.model.review import Comment

RUN = "r1"
DONE = AttemptOutcome(Status.COMPLETED, cost_usd=0.5, usage=Usage(0, 0, 1000, 0))


def attempts(id: str, at: float, *outcomes: AttemptOutcome) -> list[Event]:
    """Attempts of ten seconds each, resumed after the first one."""
    decision = Decision(id, Action.START, "new", "key")
    found = [
        events.preparing(at, RUN, decision, branch=f"f/{id}", worktree="/w", name=id),
        events.based(at, RUN, decision, start_commit="s", base_commit="b"),
    ]
    for number, outcome in enumerate(outcomes):
        begun = at + 10 * number
        found.append(
            events.attempt_started(
                begun, RUN, id, attempt=number, session_id="s", resumed=number > 0, log="l"
            )
        )
        found.append(events.attempt_ended(begun + 10, RUN, id, outcome))
    return found


def ended(id: str, at: float, status: Status, fault: Fault = Fault.NONE) -> Event:
    return events.ended(at, RUN, id, FeatureOutcome(status, fault=fault))


def made(ids: Sequence[str], *story: Event, end: float = 100.0, slots: int = 1) -> Ledger:
    """The ledger of a run of these features."""
    begun = events.run_started(
        0.0, RUN, pid=1, base_branch="m", base_commit="b", features=ids, max_parallel=slots
    )
    state = fold([begun, *story, events.run_ended(end, RUN, exit_code=0)])
    assert state.run is not None
    return ledger(state, state.run)


def entries(given: Ledger) -> dict[str, tuple[int, float | None, float]]:
    return {entry.kind: (entry.count, entry.cost_usd, entry.seconds) for entry in given.entries}


class Entries(unittest.TestCase):
    def test_a_run_that_wasted_nothing_has_none(self) -> None:
        story = [*attempts("a", 0.0, DONE), ended("a", 10.0, Status.COMPLETED)]
        self.assertEqual(made(["a"], *story, end=10.0), Ledger((), ()))

    def test_attempts_after_failing_checks_count(self) -> None:
        cut = AttemptOutcome(Status.FAILED, fault=Fault.TRANSIENT, cost_usd=0.25)
        story = [*attempts("a", 0.0, cut, DONE, DONE), ended("a", 30.0, Status.COMPLETED)]
        found = made(["a"], *story, end=30.0)
        self.assertEqual(entries(found), {"failing_checks": (1, 0.5, 10.0)})
        self.assertIn("1 attempt came after failing ones", found.advice[0].text)
        self.assertEqual(found.advice[0].to_json()["cost_usd"], 0.5)

    def test_attempts_that_got_comments_repair_nothing(self) -> None:
        said = Comment("c1", "Shorter.")
        asked = [
            ended("a", 10.0, Status.COMPLETED),
            events_review.commented(11.0, "a", comment=said),
            events.steered(
                12.0, RUN, "a", action=ControlAction.RETRY, request="q", done=True, text="t"
            ),
            events.queued(12.0, RUN, "a"),
        ]
        answered = [
            *attempts("a", 20.0, DONE)[2:],
            events_review.comments_sent(30.0, RUN, "a", comments=["c1"]),
            *attempts("a", 30.0, DONE)[2:],
            ended("a", 40.0, Status.COMPLETED),
        ]
        found = made(["a"], *attempts("a", 0.0, DONE), *asked, *answered, end=40.0)
        self.assertEqual(entries(found)["failing_checks"], (1, 0.5, 10.0))

    def test_what_nobody_continues_is_thrown_away_and_counts_once(self) -> None:
        story = [
            *attempts("a", 0.0, DONE),
            *attempts("a", 10.0, DONE),
            ended("a", 20.0, Status.COMPLETED),
            *attempts("b", 20.0, DONE, DONE),
            ended("b", 40.0, Status.FAILED, Fault.CHECK),
            *attempts("c", 40.0, DONE),
            ended("c", 50.0, Status.CANCELLED, Fault.INTERRUPTED),
        ]
        found = made(["a", "b", "c", "never"], *story, end=60.0)
        self.assertEqual(entries(found)["thrown_away"], (2, 1.0, 20.0))
        self.assertEqual(entries(found)["failing_checks"], (1, 0.5, 10.0))
        texts = [advice.text for advice in found.advice]
        self.assertIn("split b: it did not complete", texts)
        self.assertEqual(found.entries[0].to_json()["seconds"], 20)

    def test_waits_are_no_idle_slots(self) -> None:
        story = [
            *attempts("a", 0.0, DONE),
            ended("a", 10.0, Status.COMPLETED),
            *attempts("b", 0.0, DONE),
            ended("b", 10.0, Status.COMPLETED),
            events.paused(20.0, RUN, until=60.0),
            events.paused(60.0, RUN, until=0.0),
            events.steered(
                60.0, RUN, "", action=ControlAction.PAUSE, request="q", done=True, text="t"
            ),
            events.steered(
                70.0, RUN, "", action=ControlAction.RESUME, request="q", done=True, text="t"
            ),
        ]
        found = entries(made(["a", "b"], *story, slots=4))
        self.assertEqual(found["limits"], (0, None, 40.0))
        self.assertEqual(found["idle_slots"], (2, None, 80.0))

    def test_a_run_that_was_killed_has_no_idle_slots(self) -> None:
        begun = events.run_started(
            0.0, RUN, pid=1, base_branch="m", base_commit="b", features=["a"], max_parallel=1
        )
        state = fold([begun, *attempts("a", 0.0)])
        assert state.run is not None
        self.assertEqual(ledger(state, state.run), Ledger((), ()))

    def test_starts_of_sessions_cost_what_the_smallest_one_read(self) -> None:
        def read(tokens: int) -> AttemptOutcome:
            usage = Usage(0, 0, tokens, 0)
            paid = {"opus": Paid(0.5, 1000)}
            return AttemptOutcome(Status.COMPLETED, cost_usd=0.5, usage=usage, paid=paid)

        story = [
            *attempts("a", 0.0, read(400)),
            ended("a", 10.0, Status.COMPLETED),
            *attempts("b", 10.0, read(900)),
            ended("b", 20.0, Status.COMPLETED),
        ]
        found = made(["a", "b"], *story, end=20.0)
        self.assertEqual(entries(found), {"starts": (2, 0.4, 0.0)})
        text = "join small features: each session reads the same before it begins"
        self.assertEqual([advice.text for advice in found.advice], [text])


class Changes(unittest.TestCase):
    def test_the_feature_that_the_run_waited_for_is_named(self) -> None:
        story = [
            *attempts("a", 0.0, DONE),
            ended("a", 10.0, Status.COMPLETED),
            *attempts("b", 0.0, DONE),
            ended("b", 90.0, Status.COMPLETED),
        ]
        found = made(["a", "b"], *story, slots=2)
        self.assertEqual([a.text for a in found.advice], ["split b: the run waited for it"])
        self.assertEqual(found.advice[0].seconds, 45.0)


if __name__ == "__main__":
    unittest.main()
