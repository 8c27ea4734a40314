"""While too many completed features wait for a review, no feature gets its first attempt."""

from __future__ import annotations

import unittest
from typing import Any

from core.journal.control import Request, Requests
from core.model import events_review
from core.model.attempt import Attempt
from core.model.control_action import ControlAction
from core.model.feature import Feature
from core.model.outcome import Status, Work
from core.model.review import Answer
from core.model.state import FeatureState, RunState
from core.orchestrator.backlog import Backlog
from core.orchestrator.steering import Steering
from tests.support.stage import Stage, StageTest, settle

FEATURES = tuple(Feature(id, "") for id in ("old", "one", "two", "three"))
IDS = tuple(each.id for each in FEATURES)


def done(id: str) -> FeatureState:
    return FeatureState(id, status=Status.COMPLETED, work=Work(f"commit of {id}"))


def begun(id: str) -> FeatureState:
    return FeatureState(id, status=Status.FAILED, attempts=(Attempt("r0", 1, "s", 1.0),))


class BacklogTest(StageTest):
    def begin(
        self, known: tuple[FeatureState, ...], limit: int, slots: int = 2, **more: Any
    ) -> Stage:
        """Of these features, one is known from an earlier run, and not part of this one."""
        state = RunState({each.id: each for each in known})
        backlog = Backlog(limit, IDS, **more)
        return self.stage(FEATURES[1:], slots, state=state, backlog=backlog)

    def review(self, stage: Stage, id: str, answer: Answer) -> None:
        said = events_review.reviewed(1.0, id, answer=answer, commit="c0ffee")
        steering = Steering(stage.orchestrator, Requests(stage.folder.name), FEATURES, stage.stop)
        steering.take(Request("q", "r1", ControlAction.RECORD, events=(said,)))

    def told(self, stage: Stage) -> list[object]:
        return [event.data["count"] for event in stage.heard if event.kind == "unreviewed"]

    def test_a_retry_goes_on_and_an_answer_frees_the_next_slot(self) -> None:
        async def scene() -> None:
            stage = self.begin((done("old"), begun("three")), 1)
            run = stage.start()
            await settle()
            self.assertEqual(stage.running, {"three"})
            self.assertEqual(self.told(stage), [1])
            await stage.end("three")
            self.assertFalse(run.done())
            self.review(stage, "old", Answer.ACCEPTED)
            await settle()
            self.assertEqual((stage.running, self.told(stage)), ({"one", "two"}, [1, 0]))
            for id in ("one", "two"):
                await stage.end(id)
            await run
            self.assertEqual(set(stage.ended().values()), {"completed"})

        self.play(scene)

    def test_one_that_prepares_for_a_slot_does_not_get_it(self) -> None:
        async def scene() -> None:
            stage = self.begin((), 1, slots=1)
            run = stage.start()
            await settle()
            self.assertEqual((stage.running, stage.ready), ({"one"}, ["one", "two"]))
            state = stage.orchestrator.recorder
            state.state = RunState({**state.state.features, "old": done("old")}, state.state.run)
            await stage.end("one")
            self.assertEqual((stage.running, run.done()), (set(), False))
            stage.orchestrator.slots.close("the time is over")
            await run
            self.assertEqual(stage.reason("two"), "the time is over")

        self.play(scene)

    def test_a_feature_that_does_not_start_any_more_was_not_reviewed(self) -> None:
        async def scene() -> None:
            stage = self.stage([Feature("one", ""), Feature("two", "")], 1, backlog=Backlog(1, IDS))
            run = stage.start()
            await settle()
            state = stage.orchestrator.recorder
            state.state = RunState({**state.state.features, "old": done("old")}, state.state.run)
            await stage.end("one")
            stage.orchestrator.end_one("two", "stopped")
            await run
            told = [event.data for event in stage.heard if event.kind == "unreviewed"]
            self.assertEqual(told, [{"count": 1, "limit": 1}, {"count": 0, "limit": 0}])

        self.play(scene)

    def test_without_a_reader_the_run_ends(self) -> None:
        async def scene() -> None:
            stage = self.begin((done("old"),), 1, has_reader=False)
            await stage.start()
            self.assertIn("project.max_unreviewed", stage.reason("one"))
            self.assertEqual(set(stage.ended().values()), {"cancelled"})
            self.assertEqual(stage.started, [])

        self.play(scene)

    def test_a_paused_run_waits_even_without_a_reader(self) -> None:
        async def scene() -> None:
            stage = self.begin((done("old"),), 1, has_reader=False)
            stage.orchestrator.slots.pause(True)
            run = stage.start()
            await settle()
            self.assertFalse(run.done())
            stage.orchestrator.slots.pause(False)
            await run

        self.play(scene)

    def test_below_the_limit_and_without_one_everything_starts(self) -> None:
        for limit in (2, None):
            backlog = Backlog(limit, IDS)
            count = backlog.count(RunState({"old": done("old")}))
            self.assertEqual((count, backlog.is_full(count)), (1 if limit else 0, False))
        joined = RunState({"new": done("new")})
        self.assertEqual([Backlog(2, IDS).count(joined, ids) for ids in ((), ("new",))], [0, 1])

    def test_what_needs_a_rejected_feature_does_not_start(self) -> None:
        async def scene() -> None:
            needs = {"a": (), "b": ("a", "lone"), "c": ("b",), "lone": (), "d": ("old",)}
            listed = [Feature(id, "", depends_on=needed) for id, needed in needs.items()]
            stage = self.stage(listed, 1)
            run = stage.start()
            await settle()
            await stage.end("a")
            for id in ("a", "old"):
                self.review(stage, id, Answer.REJECTED)
            await settle()
            for id, words in (("b", "a was rejected"), ("c", "a was rejected"), ("d", "old was")):
                self.assertIn(words, stage.reason(id))
            self.assertEqual(stage.ended()["a"], "completed")
            await stage.end("lone")
            await run

        self.play(scene)


if __name__ == "__main__":
    unittest.main()
