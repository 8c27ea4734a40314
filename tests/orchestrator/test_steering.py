"""Control requests, decided and carried out."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Sequence
from typing import Any
from unittest import mock

from core.dag import schedule
from core.journal.control import Request, Requests
from core.model import events, events_review, review
from core.model.again import Again
from core.model.attempt import Attempt
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.errors import StateError
from core.model.events import Event
from core.model.feature import Feature
from core.model.fold import fold
from core.model.outcome import AttemptOutcome, Status, Work
from core.model.state import FeatureState, RunState, Skip
from core.orchestrator.loop import STANDSTILL
from core.orchestrator.steering import Answer, Steering
from tests.support.stage import DIAMOND, FAILED, INTERRUPTED, Stage, StageTest, settle
from tests.support.workspace import Workspace, feature


class Steered:
    """A stage, and who steers it."""

    def __init__(self, stage: Stage, features: Sequence[Feature]) -> None:
        self.stage = stage
        requests = Requests(stage.folder.name)
        self.steering = Steering(stage.orchestrator, requests, features, stage.stop)
        self.requests = requests
        self.number = 0

    async def __call__(self, action: str, id: str = "", *, force: bool = False) -> Answer:
        self.number += 1
        asked = Request(f"q{self.number}", "r1", ControlAction(action), id, force)
        answer = self.steering.take(asked)
        await settle()
        return answer

    async def stop(self, id: str) -> Answer:
        """As its agent does: it ends on that wish."""
        answer = await self("stop", id)
        self.stage.outcomes[id] = INTERRUPTED
        await self.stage.end(id)
        del self.stage.outcomes[id]
        return answer

    def state(self) -> RunState:
        return fold(self.stage.journal.read())

    def status(self, id: str) -> str:
        return self.state().feature(id).status.value


class SteeringTest(StageTest):
    def steered(self, features: Sequence[Feature], slots: int = 3, **more: Any) -> Steered:
        return Steered(self.stage(features, slots, **more), features)

    def test_while_checks_run_after_the_last_feature_reviews_are_recorded_and_a_stop_ends_them(
        self,
    ) -> None:
        said = events_review.reviewed(1, "one", answer=review.Answer.ACCEPTED, commit="c0ffee")

        async def scene() -> None:
            ror = self.steered([Feature("one", "")])
            run = ror.stage.start()
            await settle()
            await ror.stage.end("one")
            await run
            asked = Request("q", "r1", ControlAction.RECORD, events=(said,))
            self.assertTrue(ror.steering.take(asked).done)
            self.assertTrue(ror.state().feature("one").review.is_accepted("c0ffee"))
            self.assertTrue((await ror("stop")).done)
            self.assertTrue(ror.stage.stop.is_set())

        self.play(scene)

    def test_a_run_records_what_a_review_says_and_nothing_else(self) -> None:
        accepted = events_review.reviewed(
            1, "model", answer=review.Answer.ACCEPTED, commit="c0ffee"
        )
        ended = events.run_ended(1, "r1", exit_code=0)

        async def scene() -> None:
            ror = self.steered(DIAMOND)
            run = ror.stage.start()
            await settle()
            for made, is_done in (((accepted,), True), ((accepted, ended), False)):
                asked = Request("q", "r1", ControlAction.RECORD, events=made)
                self.assertIs(ror.steering.take(asked).done, is_done)
            self.assertTrue(ror.state().feature("model").review.is_accepted("c0ffee"))
            self.assertIsNone(ror.state().run and ror.state().run.ended_at)  # type: ignore[union-attr]
            for id in ("model", "storage", "search", "app"):
                await ror.stage.end(id)
            await run

        asyncio.run(scene())

    def test_a_paused_run_starts_nothing_new_and_running_features_continue(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND)
            run = ror.stage.start()
            await settle()
            self.assertTrue((await ror("pause")).done)
            await ror.stage.end("model")
            self.assertEqual((ror.stage.ready, run.done()), (["model"], False))
            self.assertEqual(await ror("pause"), Answer(True, "the run is already paused"))
            self.assertEqual(
                [e.data["text"] for e in ror.stage.heard if e.kind == "note"], [STANDSTILL]
            )
            await ror("resume")
            self.assertEqual(ror.stage.running, {"storage", "search"})
            self.assertEqual(await ror("resume"), Answer(True, "the run is not paused"))
            for id in ("storage", "search", "app"):
                await ror.stage.end(id)
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_a_run_is_at_a_standstill_even_if_a_feature_is_ready_and_waiting(self) -> None:
        async def scene() -> None:
            ror = self.steered([Feature("a", ""), Feature("b", "")], 1)
            run = ror.stage.start()
            await settle()
            self.assertEqual(ror.stage.ready, ["a", "b"])
            for _ in range(2):
                await ror("pause")
                if "a" in ror.stage.running:
                    await ror.stage.end("a")
                await ror("resume")
            told = [event.kind for event in ror.stage.heard if event.kind == "note"]
            self.assertEqual((len(told), ror.stage.running), (1, {"b"}))
            await ror.stage.end("b")
            await run

        self.play(scene)

    def test_a_run_that_was_given_no_way_to_reload_keeps_its_list(self) -> None:
        async def scene() -> None:
            answer = await self.steered(DIAMOND)("reload")
            self.assertEqual(answer, Answer(False, "this run keeps its list"))

        self.play(scene)

    def test_a_paused_run_in_which_nothing_is_left_to_do_ends(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND[:1])
            run = ror.stage.start()
            await settle()
            await ror("pause")
            await ror.stage.end("model")
            await run

        self.play(scene)

    def test_a_paused_run_ends_on_a_stop_or_at_its_time_limit(self) -> None:
        async def scene() -> None:
            for end in ("stop", "time"):
                ror = self.steered(DIAMOND)
                await ror("pause")
                run = ror.stage.start()
                await settle()
                self.assertEqual((ror.stage.ready, run.done()), ([], False))
                if end == "stop":
                    told = [
                        ror.steering.take(Request(n, "r1", ControlAction.STOP)).text for n in "ab"
                    ]
                    self.assertEqual(told[1], "the run is already ending")
                else:
                    ror.stage.orchestrator.slots.close("the time is over")
                await run
                self.assertEqual(set(ror.stage.ended().values()), {"cancelled"})
                over = Answer(False, "the run is over", "rorchestrator stop")
                self.assertEqual(await ror("resume"), over)
                self.assertEqual(await ror("stop", "model"), over)

        self.play(scene)

    def test_a_stopped_feature_blocks_its_dependents_until_a_retry(self) -> None:
        async def scene() -> None:
            ror = self.steered((*DIAMOND, Feature("lone", "")))
            run = ror.stage.start()
            await settle()
            answer = await ror("stop", "model")
            self.assertIn("blocked: storage, search, app", answer.text)
            self.assertTrue(ror.stage.stop.of("model").is_set())
            ending = {action: await ror(action, "model") for action in ("stop", "skip", "retry")}
            self.assertEqual({a.text for a in ending.values()}, {"model is just ending"})
            ror.stage.outcomes["model"] = INTERRUPTED
            await ror.stage.end("model")
            self.assertEqual(ror.status("app"), "blocked")
            self.assertEqual(ror.state().feature("model").reason, "stopped by the user")
            late = await ror("retry", "app")
            self.assertEqual(late.hint, "rorchestrator retry storage")
            self.assertFalse((await ror("stop", "model")).done)
            del ror.stage.outcomes["model"]
            self.assertTrue((await ror("retry", "model")).done)
            self.assertFalse(ror.stage.stop.of("model").is_set())
            self.assertEqual((ror.status("app"), ror.stage.running), ("pending", {"model", "lone"}))
            for id in ("model", "storage", "search", "app", "lone"):
                await ror.stage.end(id)
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_a_stopped_feature_that_still_completes_is_completed(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND[:2], fail_fast=True)
            run = ror.stage.start()
            await settle()
            await ror("stop", "model")
            await ror.stage.end("model")
            await ror.stop("storage")
            await run
            self.assertEqual(ror.stage.ended(), {"model": "completed", "storage": "cancelled"})
            self.assertEqual(ror.stage.orchestrator.slots.closed, "")

        self.play(scene)

    def test_a_waiting_feature_can_be_stopped_and_queued_again(self) -> None:
        async def scene() -> None:
            # With one slot: one works, the next is ready for it, the others wait.
            ror = self.steered([Feature(f"f{n}", "") for n in range(4)], 1)
            run = ror.stage.start()
            await settle()
            self.assertEqual(ror.stage.ready, ["f0", "f1"])
            for id in ("f1", "f3"):
                self.assertIn(f"{id} does not start", (await ror("stop", id)).text)
                self.assertEqual(ror.status(id), "cancelled")
                self.assertEqual(ror.stage.reason(id), "stopped by the user before it started")
            await ror("retry", "f3")
            self.assertEqual((await ror("retry", "f3")).text, "f3 is waiting for its turn")
            for id in ("f0", "f2", "f3"):
                await ror.stage.end(id)
            await run
            done = dict.fromkeys(("f0", "f2", "f3"), "completed")
            self.assertEqual(ror.stage.ended(), {**done, "f1": "cancelled"})

        self.play(scene)

    def test_the_reply_names_what_a_stopped_waiting_feature_blocks(self) -> None:
        async def scene() -> None:
            needs = {"a": (), "b": ("a",), "c": ("b",), "waits": (), "after": ("waits",)}
            listed = [Feature(id, "", depends_on=needed) for id, needed in needs.items()]
            ror = self.steered(listed, 1)
            run = ror.stage.start()
            await settle()
            self.assertEqual(
                (await ror("stop", "waits")).text,
                "waits does not start; blocked: after. To continue: rorchestrator retry waits",
            )
            for id in ("a", "b", "c"):
                await ror.stage.end(id)
            await run
            self.assertEqual(ror.status("after"), "blocked")

        self.play(scene)

    def test_a_feature_that_just_ended_is_not_shown_as_running(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND[:1])
            run = ror.stage.start()
            await settle()
            ror.stage._ends["model"].set_result(ror.stage._outcome("model"))
            await asyncio.sleep(0)  # its task is over, and the loop has not seen it yet
            answers = [
                ror.steering.take(Request(a, "r1", ControlAction(a), "model"))
                for a in ("stop", "skip")
            ]
            self.assertEqual({answer.text for answer in answers}, {"model is just ending"})
            await run
            self.assertEqual(ror.stage.ended(), {"model": "completed"})

        self.play(scene)

    def test_a_skipped_feature_blocks_its_dependents(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND, 1)
            run = ror.stage.start()
            await settle()
            refused = await ror("skip", "model")
            self.assertEqual(refused, Answer(False, "model is running", "rorchestrator stop model"))
            self.assertEqual((await ror("skip", "search")).text, "search is skipped; blocked: app")
            await ror.stage.end("model")
            self.assertFalse((await ror("skip", "model")).done)
            self.assertEqual((await ror("skip", "storage")).text, "storage is running")
            await ror.stage.end("storage")
            await run
            self.assertEqual((ror.status("search"), ror.status("app")), ("skipped", "blocked"))
            self.assertEqual(ror.stage.reason("app"), "search is skipped")
            self.assertEqual(ror.stage.started, ["model", "storage"])

        self.play(scene)

    def test_skip_with_force_lets_dependents_run(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND)
            run = ror.stage.start()
            await settle()
            before = ror.stage.orchestrator.decisions["app"]
            await ror("skip", "search", force=True)
            await ror.stage.end("model")
            self.assertEqual(ror.stage.running, {"storage"})
            await ror.stage.end("storage")
            job = ror.stage.jobs["app"]
            self.assertEqual(job.feature.depends_on, ("storage",))
            self.assertEqual(job.results, {"storage": "commit of storage"})
            self.assertNotEqual(job.decision.key, before.key)
            await ror.stage.end("app")
            await run
            self.assertEqual(ror.status("search"), "skipped")

        self.play(scene)

    def test_a_feature_in_preparation_can_be_skipped_and_retried(self) -> None:
        async def scene() -> None:
            features = (Feature("a", ""), Feature("b", ""), Feature("c", "", depends_on=("b",)))
            ror = self.steered(features, 1, rank=schedule.wave_order)
            run = ror.stage.start()
            await settle()
            self.assertEqual((ror.stage.started, ror.stage.ready), (["a"], ["a", "b"]))
            await ror("skip", "b", force=True)
            self.assertEqual((ror.status("b"), ror.stage.ready), ("skipped", ["a", "b", "c"]))
            # Without force after all, and then not skipped at all: who has begun goes on so.
            await ror("skip", "b")
            await ror("retry", "b")
            self.assertEqual(ror.status("b"), "pending")
            for id in ("a", "b", "c"):
                await ror.stage.end(id)
            await run
            self.assertEqual(ror.stage.jobs["c"].feature.depends_on, ())
            self.assertEqual(ror.stage.ended(), dict.fromkeys("abc", "completed"))

        self.play(scene)

    def test_dependents_of_a_skipped_feature_get_it_back_before_they_begin(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND)
            run = ror.stage.start()
            await settle()
            key = ror.stage.orchestrator.decisions["app"].key
            await ror("skip", "search", force=True)
            await ror("skip", "search")
            self.assertEqual(ror.status("app"), "blocked")
            await ror("retry", "search")
            self.assertEqual((ror.status("search"), ror.status("app")), ("pending", "pending"))
            for id in ("model", "storage", "search", "app"):
                await ror.stage.end(id)
            await run
            job = ror.stage.jobs["app"]
            self.assertEqual(job.feature.depends_on, ("storage", "search"))
            self.assertNotEqual(job.decision.key, key)  # which was of no inputs at all
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_retry_queues_a_failed_feature_and_its_blocked_dependents_during_the_run(self) -> None:
        async def scene() -> None:
            ror = self.steered((*DIAMOND, Feature("lone", "")), outcomes={"search": FAILED})
            run = ror.stage.start()
            await settle()
            for id in ("model", "search"):
                await ror.stage.end(id)
            self.assertEqual(ror.status("app"), "blocked")
            del ror.stage.outcomes["search"]
            await ror("retry", "search")
            self.assertEqual((ror.status("search"), ror.status("app")), ("pending", "pending"))
            self.assertIn("search", ror.stage.running)
            again = await ror("retry", "model")
            self.assertIn("rorchestrator run --only model --fresh", again.hint)
            for id in ("search", "storage", "app"):
                await ror.stage.end(id)
            ror.stage.orchestrator.slots.close("the time is over")
            await ror.stage.end("lone")
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_a_forced_skip_of_a_failed_feature_lets_its_dependents_run(self) -> None:
        async def scene() -> None:
            ror = self.steered((*DIAMOND, Feature("lone", "")), outcomes={"search": FAILED})
            run = ror.stage.start()
            await settle()
            for id in ("model", "search", "storage"):
                await ror.stage.end(id)
            await ror("skip", "search", force=True)
            self.assertEqual(ror.stage.running, {"app", "lone"})
            # What has begun without it goes on so; only what has not gets it back.
            del ror.stage.outcomes["search"]
            await ror("retry", "search")
            for id in ("app", "search", "lone"):
                await ror.stage.end(id)
            await run
            self.assertEqual(ror.stage.jobs["app"].feature.depends_on, ("storage",))
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_a_run_that_starts_nothing_more_queues_nothing(self) -> None:
        async def scene() -> None:
            ror = self.steered([Feature(id, "") for id in "ab"], outcomes={"a": FAILED})
            run = ror.stage.start()
            await settle()
            await ror.stage.end("a")
            ror.stage.orchestrator.slots.close("the time is over")
            answer = await ror("retry", "a")
            self.assertEqual(answer.text, "the run starts nothing more: the time is over")
            await ror.stage.end("b")
            await run

        self.play(scene)

    def test_features_that_are_no_part_of_the_run_are_skipped_for_the_next_one(self) -> None:
        async def scene() -> None:
            ror = Steered(self.stage(DIAMOND[:1]), DIAMOND)
            decisions = {**ror.stage.orchestrator.decisions}
            decisions["storage"] = Decision("storage", Action.SKIP, "up to date")
            decisions["search"] = Decision("search", Action.START, "new")
            ror.stage.orchestrator.decisions = decisions
            up_to_date = await ror("skip", "storage")
            self.assertEqual(up_to_date.text, "storage is up to date: there is nothing to skip")
            self.assertFalse((await ror("retry", "search")).done)
            self.assertFalse((await ror("stop", "search")).done)
            self.assertTrue((await ror("skip", "search", force=True)).done)
            self.assertEqual(ror.state().feature("search").skip, Skip.FORCED)
            self.assertTrue((await ror("retry", "search")).done)
            self.assertEqual(ror.state().feature("search").skip, None)
            self.assertTrue((await ror("attach", "search")).done)

        self.play(scene)

    def test_a_senseless_request_is_refused_and_recorded(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND, 1)
            run = ror.stage.start()
            await settle()
            for action, id in (
                ("retry", ""),
                ("pause", "model"),
                ("skip", "nobody"),
                ("attach", "model"),
                ("attach", "app"),
                ("retry", "model"),
            ):
                self.assertFalse((await ror(action, id)).done, (action, id))
            told = [e for e in ror.stage.journal.read() if e.kind == "steered"]
            self.assertEqual([e.data["done"] for e in told], [False] * 6)
            self.assertEqual([e.feature for e in told], ["", "model", "", "model", "app", "model"])
            ror.stage.stop.set()
            await ror.stage.end("model")
            await run

        self.play(scene)

    def test_a_watcher_takes_the_requests_for_its_run(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND)
            ror.requests.leave("dead", ControlAction.STOP)
            asked = ror.requests.leave("r1", ControlAction.PAUSE)
            watcher = asyncio.create_task(ror.steering.watch())
            await settle()
            watcher.cancel()
            told = [e.data["request"] for e in ror.stage.heard if e.kind == "steered"]
            self.assertEqual((told, ror.stage.stop.is_set()), ([asked.id], False))
            self.assertTrue(ror.stage.orchestrator.slots.paused)

        self.play(scene)


class GateTest(StageTest):
    def test_a_feature_with_a_slot_waits_for_the_resume_or_the_end_of_the_run(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND)
            slots, stop = stage.orchestrator.slots, asyncio.Event()
            turn = slots.turn((0.0, 0, 0))
            self.assertEqual(await turn.until_resumed(stop), "")
            for act, said in (
                (lambda: slots.pause(False), ""),
                (stop.set, "interrupted"),
                (lambda: slots.close("the time is over"), "the time is over"),
            ):
                stop.clear()
                slots.pause(True)
                waits = asyncio.create_task(turn.until_resumed(stop))
                await settle()
                slots.pause(True)  # woken, and still paused
                await settle()
                self.assertEqual((waits.done(), turn.held), (False, True))
                act()
                self.assertEqual((await waits, turn.held), (said, False))

        self.play(scene)

    def test_a_feature_refused_before_it_is_ready_takes_no_slot(self) -> None:
        async def scene() -> None:
            slots = self.stage(DIAMOND, 1).orchestrator.slots
            first, second = slots.turn((0.0, 0, 0)), slots.turn((0.0, 0, 1))
            first.refuse("stopped")
            self.assertEqual((await first.begin(), first.works), ("stopped", False))
            self.assertEqual((await second.begin(), second.works), ("", True))
            slots.close("over")
            self.assertEqual((first.refused, second.refused), ("stopped", ""))

        self.play(scene)


class LostTest(unittest.TestCase):
    def test_a_run_ends_with_a_message_if_a_control_request_cannot_be_recorded(self) -> None:
        space = Workspace([feature("auth", {"sleep": 60})])
        self.addCleanup(space.close)
        broken = StateError("the journal can't be written", hint="free some space")
        with mock.patch.object(Steering, "look", side_effect=[broken]):
            said = space.main("run", "--yes")
        self.assertEqual(said.code, 1)
        self.assertIn("rorchestrator: the journal can't be written\n  next: free some", said.err)
        self.assertEqual(space.state().feature("auth").status, Status.CANCELLED)


class GoesOn(StageTest):
    """A retry of a completed feature, while its dependents are waiting, running or done."""

    def steered(self, features: Sequence[Feature], slots: int = 3, **more: Any) -> Steered:
        return Steered(self.stage(features, slots, **more), features)

    def said(self, id: str, text: str = "More.") -> Event:
        return events_review.commented(1.0, id, comment=review.Comment(f"c-{text}", text))

    async def asks(
        self, ror: Steered, id: str, *made: Event, attempts: int | None = None
    ) -> Answer:
        ror.number += 1
        number = f"q{ror.number}"
        asked = Request(number, "r1", ControlAction.RETRY, id, events=made, attempts=attempts)
        answer = ror.steering.take(asked)
        await settle()
        return answer

    def lives(self, *ids: str) -> RunState:
        """Features that completed in an earlier run, each with an attempt."""
        attempt = Attempt("r0", 1, "s1", 1.0, outcome=AttemptOutcome(Status.COMPLETED))
        work = Work("c0ffee")
        return RunState({id: FeatureState(id, attempts=(attempt,), work=work) for id in ids})

    def test_who_waits_starts_from_the_new_result_and_who_has_begun_goes_on(self) -> None:
        async def scene() -> None:
            listed = (*DIAMOND, Feature("late", "", depends_on=("model",)))
            ror = self.steered(listed, 2, state=self.lives("model"))
            run = ror.stage.start()
            await settle()
            await ror.stage.end("model")
            self.assertEqual(ror.stage.running, {"storage", "search"})
            await ror.stage.end("storage")
            self.assertIn("late", ror.stage.ready)
            answer = await self.asks(ror, "model", self.said("model"))
            self.assertEqual(answer, Answer(True, "model is queued again"))
            decision = ror.stage.orchestrator.decisions["model"]
            self.assertEqual((decision.action, decision.reason), (Action.RESUME, "comments"))
            self.assertEqual(len(ror.state().feature("model").review.open_comments), 1)
            await ror.stage.end("search")
            await ror.stage.end("late")
            self.assertIn("app", ror.stage.running | {"model"})
            for id in ("model", "app"):
                await ror.stage.end(id)
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_if_it_fails_only_those_are_blocked_that_need_its_new_result(self) -> None:
        async def scene() -> None:
            needs = {"a": (), "b": ("a",), "c": ("b",), "d": ("a", "lone"), "lone": ()}
            listed = [Feature(id, "", depends_on=needed) for id, needed in needs.items()]
            ror = self.steered(listed, 3, state=self.lives("a"))
            run = ror.stage.start()
            await settle()
            await ror.stage.end("a")
            await self.asks(ror, "a", self.said("a"))
            ror.stage.outcomes["a"] = FAILED
            await ror.stage.end("a")
            statuses = {id: ror.status(id) for id in "abcd"}
            self.assertEqual(statuses["a"], "failed")
            self.assertEqual((statuses["d"], statuses["b"]), ("blocked", "pending"))
            await ror.stage.end("b")
            await ror.stage.end("c")
            del ror.stage.outcomes["a"]
            await self.asks(ror, "a", attempts=2)
            self.assertEqual(ror.stage.orchestrator.state.feature("a").again, Again(2))
            for id in ("a", "lone", "d"):
                await ror.stage.end(id)
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_what_was_rejected_starts_over_with_another_key(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND, state=self.lives("model"))
            run = ror.stage.start()
            await settle()
            keys = {id: d.key for id, d in ror.stage.orchestrator.decisions.items()}
            await ror.stage.end("model")
            no = events_review.reviewed(
                1.0, "model", answer=review.Answer.REJECTED, commit="commit of model"
            )
            ror.steering.take(Request("q", "r1", ControlAction.RECORD, events=(no,)))
            self.assertTrue((await self.asks(ror, "model")).done)
            now = ror.stage.orchestrator.decisions
            self.assertEqual((now["model"].action, now["model"].reason), (Action.START, "rejected"))
            self.assertNotEqual(now["app"].key, keys["app"])
            ror.stage.stop.set()
            for id in set(ror.stage.running):
                await ror.stage.end(id)
            await run

        self.play(scene)

    def test_a_feature_of_an_earlier_run_is_left_to_the_next_one(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND[:1], state=self.lives("old"))
            ror = Steered(stage, (DIAMOND[0], Feature("old", "")))
            run = ror.stage.start()
            await settle()
            silent = await self.asks(ror, "old")
            self.assertEqual(silent.text, "old is not part of this run")
            answer = await self.asks(ror, "old", self.said("old"))
            self.assertIn("the next run goes on with it", answer.text)
            self.assertEqual(ror.stage.orchestrator.state.feature("old").again, Again())
            await ror.stage.end("model")
            await run

        self.play(scene)

    def test_nothing_but_comments_on_the_feature_comes_with_a_retry(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND[:1])
            run = ror.stage.start()
            await settle()
            for made in (events.run_ended(1.0, "r1", exit_code=0), self.said("other")):
                self.assertFalse((await self.asks(ror, "model", made)).done)
            await ror.stage.end("model")
            await run

        self.play(scene)
