"""What notifications say, and when."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

from core.model import events
from core.model.events import Event
from core.model.feature import Occasion
from core.model.fold import apply, fold
from core.model.mask import Mask
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Work
from core.model.provenance import Provenance
from core.model.state import RunState
from core.model.unreviewed import BACKLOG
from core.reporter.documents import RunReport
from core.views.notice import PROBLEMS_SHOWN, Notice, Notices, local_minute
from tests.support.lives import RUN, attempt, steered
from tests.support.notices import started

RESET = 1_700_000_000.0


def ended(id: str, status: Status, reason: str = "", fault: Fault = Fault.NONE) -> list[Event]:
    """A feature that took ten seconds and cost half a dollar."""
    work = Work("c0ffee", files_changed=3) if status is Status.COMPLETED else None
    done = AttemptOutcome(status, reason, fault, cost_usd=0.5)
    return [
        *attempt(id, at=10.0),
        events.attempt_ended(19.0, RUN, id, done),
        events.ended(20.0, RUN, id, FeatureOutcome(status, reason, fault, work)),
    ]


def told(story: Sequence[Event], environ: dict[str, str] | None = None) -> list[Notice]:
    """The notices of these events."""
    notices, state = Notices("Shop", Mask(environ or {})), RunState()
    found: list[Notice] = []
    for event in story:
        state = apply(state, event)
        found += notices.of(state, event)
    return found


def at_end(*story: Event, exit_code: int = 1) -> Notice:
    """The notice of a run's end."""
    state = fold([*story, events.run_ended(50.0, RUN, exit_code=exit_code)])
    assert state.run is not None
    report = RunReport(state, state.run, "Shop", (), (), ())
    return Notices("Shop", Mask({})).at_end(report)


class OfEvents(unittest.TestCase):
    def test_what_happens_to_a_run_is_told_once_each(self) -> None:
        story = [
            started("auth", "api"),
            events.paused(2.0, RUN, until=RESET),
            events.paused(3.0, RUN, until=RESET + 60),
            events.paused(4.0, RUN, until=0),
            steered(5.0, RUN, "pause"),
            steered(6.0, RUN, "pause"),
            steered(7.0, RUN, "resume"),
            events.unreviewed(7.2, RUN, count=3, limit=3),
            events.unreviewed(7.4, RUN, count=4, limit=3),
            events.unreviewed(7.6, RUN, count=0, limit=3),
            events.note(8.0, RUN, "nothing that anybody needs to know"),
        ]
        found = told(story)
        titles = ["run started", "waits for a usage limit", "run paused"]
        titles.append("waits for your review of 3 features")
        self.assertEqual([notice.title for notice in found], [f"Shop: {t}" for t in titles])
        self.assertEqual(
            [n.occasions[0].value for n in found], ["started", "limit", "paused", "review"]
        )
        self.assertEqual([notice.needs_you for notice in found], [False, True, True, True])
        self.assertEqual(found[0].lines, ("2 features, 2 slots, base main @ c0ffee0",))
        at = local_minute(events.timestamp(RESET))
        expected = f"The run waits for the reset, which is expected at {at}."
        self.assertEqual(found[1].lines, (expected,))
        self.assertEqual(found[2].commands, ("rorchestrator resume",))
        self.assertEqual(found[3].commands, ("rorchestrator review",))
        self.assertEqual(len({notice.id for notice in found}), 4)

    def test_an_event_outside_of_a_run_is_not_told(self) -> None:
        self.assertEqual(told(ended("auth", Status.COMPLETED)), [])

    def test_a_feature_that_ends_is_told_with_its_cost_and_its_reason(self) -> None:
        story = [
            started("auth", "api", "app"),
            *ended("auth", Status.COMPLETED),
            *ended("api", Status.FAILED, "the checks fail\nat line 3", Fault.CHECK),
            events.ended(21.0, RUN, "app", FeatureOutcome(Status.BLOCKED, "needs api")),
        ]
        _, auth, api = told(story)
        self.assertEqual(auth.title, "Shop: auth completed")
        self.assertEqual(auth.lines, ("$0.50, 10s, 3 files changed",))
        self.assertEqual((auth.completed, auth.total, auth.cost_usd), (1, 3, 0.5))
        self.assertEqual((api.title, api.feature), ("Shop: api failed", "api"))
        self.assertEqual(api.lines, ("the checks fail at line 3",))
        self.assertEqual(api.commands, ("rorchestrator logs api",))
        self.assertEqual((api.completed, api.cost_usd), (1, 1.0))

    def test_a_feature_that_completed_without_claude_has_fewer_facts(self) -> None:
        outcome = FeatureOutcome(Status.COMPLETED)
        story = [started("auth"), events.ended(21.0, RUN, "auth", outcome)]
        self.assertEqual(told(story)[1].lines, ("$0.00",))

    def test_a_budget_that_is_used_up_is_told_once(self) -> None:
        story = [started("auth", "api")]
        for id in ("auth", "api"):
            story += ended(id, Status.FAILED, "budget: nothing is left", Fault.BUDGET)
        found = [n for n in told(story) if Occasion.BUDGET in n.occasions]
        self.assertEqual([n.lines for n in found], [("auth: budget: nothing is left",)])
        self.assertEqual(found[0].commands, ("rorchestrator run --max-cost USD",))

    def test_texts_are_masked_cleaned_and_cut(self) -> None:
        reason = f"\x1b[31mred\x1b[0m hunter2hunter2\u202e {'long ' * 200}"
        story = [started("auth"), *ended("auth", Status.FAILED, reason)]
        line = told(story, {"API_KEY": "hunter2hunter2"})[1].lines[0]
        self.assertTrue(line.startswith("red [masked API_KEY]\ufffd long"), line)
        self.assertLess(len(line), 500)


class AtTheEnd(unittest.TestCase):
    def test_a_whole_success_is_finished_and_needs_nobody(self) -> None:
        notice = at_end(started("auth"), *ended("auth", Status.COMPLETED), exit_code=0)
        self.assertEqual(notice.title, "Shop: 1 of 1 feature completed")
        self.assertEqual(notice.occasions, (Occasion.FINISHED,))
        self.assertFalse(notice.needs_you)
        self.assertEqual(notice.lines, ("$0.50 in 49s",))
        self.assertEqual(notice.commands, ("rorchestrator review",))

    def test_what_the_run_lands_itself_needs_no_review(self) -> None:
        told = Provenance(command="rorchestrator run --merge")
        begun = events.run_started(
            1.0,
            RUN,
            pid=7,
            base_branch="main",
            base_commit="ba5e",
            base_option="",
            owner="l.json",
            features=["auth"],
            max_parallel=1,
            provenance=told,
        )
        notice = at_end(begun, *ended("auth", Status.COMPLETED), exit_code=0)
        self.assertEqual(notice.commands, ("rorchestrator status",))

    def test_failures_are_named_and_need_somebody(self) -> None:
        notice = at_end(
            started("auth", "api", "app"),
            *ended("auth", Status.COMPLETED),
            *ended("api", Status.TIMED_OUT, "no result within 30 s", Fault.TIMEOUT),
            events.ended(21.0, RUN, "app", FeatureOutcome(Status.BLOCKED, "needs api")),
        )
        self.assertEqual(notice.title, "Shop: 1 of 3 features completed")
        self.assertEqual(notice.occasions, (Occasion.FAILED, Occasion.FINISHED))
        self.assertTrue(notice.needs_you)
        self.assertEqual(notice.lines[0], "api timed out: no result within 30 s")
        self.assertEqual(notice.lines[1], "1 feature blocked, stopped or skipped")
        self.assertEqual(notice.commands, ("rorchestrator logs api",))

    def test_a_stopped_run_says_so_and_what_continues_it(self) -> None:
        cancelled = FeatureOutcome(Status.CANCELLED, "stopped", Fault.INTERRUPTED)
        story = [started("auth"), events.ended(21.0, RUN, "auth", cancelled)]
        notice = at_end(*story, exit_code=130)
        self.assertEqual(notice.title, "Shop: 0 of 1 feature completed, the run was stopped")
        self.assertEqual(notice.commands, ("rorchestrator run",))

    def test_a_run_that_waited_for_a_review_leads_to_it(self) -> None:
        notice = at_end(started("auth"), *ended("auth", Status.CANCELLED, BACKLOG))
        self.assertEqual(notice.commands, ("rorchestrator review",))

    def test_many_failures_are_counted(self) -> None:
        ids = [f"f{number}" for number in range(PROBLEMS_SHOWN + 2)]
        story = [event for id in ids for event in ended(id, Status.FAILED, "no")]
        notice = at_end(started(*ids), *story)
        self.assertEqual(notice.lines[PROBLEMS_SHOWN], "and 2 more failed")
        self.assertEqual(len(notice.commands), 3)


class AsJson(unittest.TestCase):
    def test_programs_get_every_fact(self) -> None:
        story = [started("auth"), *ended("auth", Status.FAILED, "no")]
        document = told(story)[1].to_json()
        self.assertTrue(document.pop("host"))
        self.assertTrue(str(document.pop("at")).endswith("+00:00"))
        self.assertEqual(
            document,
            {
                "version": 1,
                "id": f"{RUN}-2",
                "event": "feature_failed",
                "occasions": ["feature_failed"],
                "needs_you": False,
                "title": "Shop: auth failed",
                "text": "no",
                "next": ["rorchestrator logs auth"],
                "project": "Shop",
                "run": RUN,
                "feature": "auth",
                "completed": 0,
                "total": 1,
                "cost_usd": 0.5,
            },
        )

    def test_a_test_is_about_nothing(self) -> None:
        document = Notices("Shop", Mask({})).test().to_json()
        facts = [document[name] for name in ("event", "occasions", "needs_you", "run")]
        self.assertEqual(facts, ["test", [], False, None])

    def test_a_killed_run_has_its_last_words_ready(self) -> None:
        notice = Notices("Shop", Mask({})).killed(fold([started("auth")]))
        self.assertEqual(notice.title, "Shop: run killed")
        self.assertTrue(notice.needs_you)


if __name__ == "__main__":
    unittest.main()
