"""The loop: what starts when, what is recorded, and how it stops. No git and no processes."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any

from core.dag import schedule
from core.dag.resolver import DAGResolver
from core.journal.journal import Journal
from core.model.attempt import Attempt
from core.model.decision import Action, Decision
from core.model.errors import StateError
from core.model.feature import Feature
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status
from core.model.state import FeatureState, RunState
from core.orchestrator.loop import REMOVED
from core.runner.job import Job
from core.runner.slots import Turn
from tests.support.stage import DIAMOND, DONE, FAILED, INTERRUPTED, Stage, StageTest, settle

LOGGED_OUT = FeatureOutcome(Status.FAILED, "Not logged in", Fault.ACCOUNT)


class OrderTest(StageTest):
    def order(self, *features: Feature, **more: Any) -> list[str]:
        """The order in which one slot takes them."""
        found: list[str] = []

        async def scene() -> None:
            stage = self.stage(features, 1, **more)
            await stage.run_all()
            found.extend(stage.started)

        self.play(scene)
        return found

    def test_nothing_to_do_is_done_at_once(self) -> None:
        self.assertEqual(self.order(), [])

    def test_the_feature_with_the_longest_remaining_path_goes_first(self) -> None:
        features = (
            Feature("lone", "", estimated_tokens=30),
            Feature("root", "", estimated_tokens=10),
            Feature("leaf", "", estimated_tokens=40, depends_on=("root",)),
        )
        self.assertEqual(self.order(*features), ["root", "leaf", "lone"])

    def test_among_equals_the_lower_priority_number_goes_first_then_the_order_of_the_list(
        self,
    ) -> None:
        features = (
            Feature("c", "", priority=1),
            Feature("b", ""),
            Feature("a", ""),
            Feature("d", "", priority=-1),
        )
        self.assertEqual(self.order(*features), ["d", "b", "a", "c"])

    def test_the_sequential_order_goes_wave_by_wave(self) -> None:
        features = (
            Feature("leaf", "", estimated_tokens=99, depends_on=("root",)),
            Feature("lone", "", estimated_tokens=1),
            Feature("root", "", estimated_tokens=1),
        )
        found = self.order(*features, rank=schedule.wave_order)
        self.assertEqual(found, ["lone", "root", "leaf"])


class ParallelTest(StageTest):
    def test_a_feature_starts_as_soon_as_its_own_dependencies_are_done(self) -> None:
        async def scene() -> None:
            features = (Feature("quick", ""), Feature("slow", ""))
            stage = self.stage((*features, Feature("next", "", depends_on=("quick",))))
            run = stage.start()
            await settle()
            self.assertEqual(stage.running, {"quick", "slow"})
            await stage.end("quick")
            self.assertEqual(stage.running, {"next", "slow"})
            await stage.end("next")
            await stage.end("slow")
            await run

        self.play(scene)

    def test_a_diamond_runs_its_middle_side_by_side(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND)
            run = stage.start()
            await settle()
            self.assertEqual(stage.running, {"model"})
            await stage.end("model")
            self.assertEqual(stage.running, {"storage", "search"})
            await stage.end("search")
            self.assertEqual(stage.running, {"storage"})
            await stage.end("storage")
            self.assertEqual(stage.running, {"app"})
            await stage.end("app")
            await run
            self.assertEqual(
                stage.ended(), dict.fromkeys(("model", "search", "storage", "app"), "completed")
            )

        self.play(scene)

    def test_no_more_run_at_once_than_there_are_slots(self) -> None:
        async def scene() -> None:
            stage = self.stage([Feature(f"f{n}", "") for n in range(7)], 2)
            run = stage.start()
            await settle()
            while stage.running:
                await stage.end(min(stage.running))
            await run
            self.assertEqual((stage.most, len(stage.started)), (2, 7))

        self.play(scene)

    def test_one_for_each_slot_gets_ready_while_all_slots_are_busy(self) -> None:
        async def scene() -> None:
            stage = self.stage([Feature(f"f{n}", "") for n in range(7)], 2)
            run = stage.start()
            await settle()
            self.assertEqual((stage.started, len(stage.ready)), (["f0", "f1"], 4))
            await stage.end("f1")
            self.assertEqual((stage.started, len(stage.ready)), (["f0", "f1", "f2"], 5))
            while stage.running:
                await stage.end(min(stage.running))
            await run

        self.play(scene)

    def test_a_free_slot_waits_for_a_more_urgent_feature_that_gets_ready(self) -> None:
        async def scene() -> None:
            features = (
                Feature("root", "", estimated_tokens=10),
                Feature("lone", "", estimated_tokens=30),
                Feature("leaf", "", estimated_tokens=40, depends_on=("root",)),
            )
            stage = self.stage(features, 1)
            made = asyncio.Event()

            async def run_feature(job: Job, turn: Turn) -> FeatureOutcome:
                if job.feature.id == "leaf":
                    await made.wait()
                return await stage._when_told(job, turn)

            run = asyncio.create_task(stage.orchestrator.run(run_feature))
            await settle()
            await stage.end("root")
            self.assertEqual((stage.ready, stage.running), (["root", "lone"], set()))
            made.set()
            await settle()
            self.assertEqual(stage.running, {"leaf"})
            await stage.end("leaf")
            await stage.end("lone")
            await run

        self.play(scene)

    def test_a_feature_that_could_not_get_ready_holds_up_nobody(self) -> None:
        async def scene() -> None:
            stage = self.stage([Feature(id, "") for id in ("bad", "good")], 1)

            async def run_feature(job: Job, turn: Turn) -> FeatureOutcome:
                return FAILED if job.feature.id == "bad" else await stage._at_once(job, turn)

            await stage.orchestrator.run(run_feature)
            self.assertEqual(stage.ended(), {"bad": "failed", "good": "completed"})

        self.play(scene)


class JobTest(StageTest):
    def test_a_feature_gets_the_results_of_its_dependencies_from_this_run_and_earlier_ones(
        self,
    ) -> None:
        async def scene() -> None:
            needs = ("early", "merged", "now")
            features = (Feature("now", ""), Feature("late", "", depends_on=needs))
            stage = self.stage(features, results={"early": "commit of early"})
            await stage.run_all()
            job = stage.jobs["late"]
            self.assertEqual(job.results, {"early": "commit of early", "now": "commit of now"})
            self.assertEqual(job.base_commit, "base")

        self.play(scene)

    def test_a_feature_gets_what_earlier_attempts_left(self) -> None:
        async def scene() -> None:
            attempts = (
                Attempt("r0", 1, "s1", 1.0, outcome=AttemptOutcome(Status.CANCELLED)),
                Attempt("r0", 2, "s2", 2.0, outcome=AttemptOutcome(Status.COMPLETED)),
            )
            known = FeatureState("a", start_commit="start", attempts=attempts)
            features = (Feature("a", ""), Feature("b", ""))
            stage = self.stage(features, state=RunState({"a": known}))
            await stage.run_all()
            job = stage.jobs["a"]
            self.assertEqual(
                (job.known, job.last_number, job.claude_is_done),
                (known, 2, True),
            )
            blank = stage.jobs["b"]
            self.assertEqual((blank.last_number, blank.claude_is_done), (0, False))

        self.play(scene)


class FailureTest(StageTest):
    def test_a_failed_feature_blocks_its_descendants_and_nothing_else(self) -> None:
        async def scene() -> None:
            features = (*DIAMOND, Feature("lone", ""))
            late = FeatureOutcome(
                Status.TIMED_OUT, "no result within the time limit", Fault.TIMEOUT
            )
            stage = self.stage(features, outcomes={"storage": late})
            await stage.run_all()
            self.assertEqual(
                stage.ended(),
                {
                    "model": "completed",
                    "lone": "completed",
                    "storage": "timed_out",
                    "search": "completed",
                    "app": "blocked",
                },
            )
            self.assertEqual(stage.reason("app"), "storage did not complete (timed out)")

        self.play(scene)

    def test_a_feature_that_two_failures_block_ends_once(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND, outcomes={"storage": FAILED, "search": FAILED})
            await stage.run_all()
            ends = [e.feature for e in stage.heard if e.kind == "ended"]
            self.assertEqual(ends.count("app"), 1)

        self.play(scene)

    def test_a_success_without_a_result_frees_nobody(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND)

            async def no_work(job: Job, turn: Turn) -> FeatureOutcome:
                return DONE

            await stage.orchestrator.run(no_work)
            self.assertEqual(stage.ended()["storage"], "blocked")

        self.play(scene)

    def test_fail_fast_starts_nothing_more_and_lets_running_features_end(self) -> None:
        async def scene() -> None:
            features = [Feature(id, "") for id in ("bad", "good", "never")]
            stage = self.stage(features, 2, fail_fast=True, outcomes={"bad": FAILED})
            run = stage.start()
            await settle()
            await stage.end("bad")
            self.assertEqual(stage.running, {"good"})
            await stage.end("good")
            await run
            expected = {"bad": "failed", "good": "completed", "never": "cancelled"}
            self.assertEqual(stage.ended(), expected)
            self.assertEqual(stage.reason("never"), "bad failed, and --fail-fast is set")

        self.play(scene)

    def test_a_fault_that_every_feature_would_meet_cancels_the_rest(self) -> None:
        async def scene() -> None:
            features = (*DIAMOND, Feature("lone", ""))
            stage = self.stage(features, 1, outcomes={"model": LOGGED_OUT})
            await stage.run_all()
            self.assertEqual(stage.started, ["model"])
            rest = dict.fromkeys(("storage", "search", "app", "lone"), "cancelled")
            self.assertEqual(stage.ended(), {"model": "failed", **rest})
            self.assertEqual(
                stage.reason("lone"),
                "stopped, the remaining features would fail the same way: Not logged in",
            )

        self.play(scene)

    def test_the_first_of_two_such_faults_is_named(self) -> None:
        async def scene() -> None:
            other = FeatureOutcome(Status.FAILED, "Credit balance is too low", Fault.ACCOUNT)
            features = [Feature(id, "") for id in ("one", "two", "three")]
            stage = self.stage(features, 2, outcomes={"one": LOGGED_OUT, "two": other})
            await stage.run_all()
            self.assertIn("Not logged in", stage.reason("three"))

        self.play(scene)


class StopTest(StageTest):
    def test_a_stopped_run_waits_for_running_features_and_cancels_the_others(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND, outcomes={"storage": INTERRUPTED})
            run = stage.start()
            await settle()
            await stage.end("model")
            stage.stop.set()
            await settle()
            self.assertFalse(run.done())
            await stage.end("storage")
            self.assertEqual(stage.ended(), {"model": "completed", "storage": "cancelled"})
            await stage.end("search")
            await run
            self.assertEqual(stage.ended()["search"], "completed")
            self.assertEqual(stage.ended()["app"], "cancelled")
            self.assertEqual(stage.reason("app"), "interrupted before it started")

        self.play(scene)

    def test_a_run_that_is_stopped_before_it_starts_starts_nothing(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND)
            stage.stop.set()
            await stage.run_all()
            self.assertEqual(stage.started, [])
            self.assertEqual(set(stage.ended().values()), {"cancelled"})

        self.play(scene)

    def test_features_that_do_not_end_in_time_are_cancelled(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND, drain_seconds=0.05)
            run = stage.start()
            await settle()
            stage.stop.set()
            await run
            self.assertEqual(stage.reason("model"), "interrupted")
            self.assertEqual(set(stage.ended().values()), {"cancelled"})

        self.play(scene)


class ChangedListTest(StageTest):
    """The graph of a run changes while it goes on."""

    def take_up(self, stage: Stage, *features: Feature, **keys: str) -> None:
        dag = DAGResolver(features)
        made = {id: Decision(id, Action.START, "new", keys.get(id, "")) for id in dag.features}
        rank = schedule.longest_path_first(dag)
        stage.orchestrator.take_up(dag, made, rank, {"below": "its commit"})

    def test_features_join_and_leave_and_are_blocked_and_freed(self) -> None:
        model, storage, search, app = DIAMOND

        async def scene() -> None:
            stage = self.stage(DIAMOND, outcomes={"search": FAILED})
            run = stage.start()
            await settle()
            await stage.end("model")
            await stage.end("search")
            self.assertEqual(stage.ended()["app"], "blocked")
            freed = replace(app, depends_on=("storage",))
            lost = Feature("lost", "", depends_on=("search",))
            more = Feature("more", "", depends_on=("model", "below"))
            self.take_up(stage, model, storage, search, freed, lost, more)
            await settle()
            self.assertEqual(stage.running, {"storage", "more"})
            self.assertEqual(stage.jobs["more"].results["below"], "its commit")
            self.assertEqual(stage.reason("lost"), "search did not complete (failed)")
            self.take_up(stage, model, storage, search, more)
            await stage.end("storage")
            await stage.end("more")
            await run
            self.assertNotIn("app", stage.started)

        self.play(scene)

    def test_what_is_in_preparation_prepares_again_with_its_new_entry(self) -> None:
        a, b, c = (Feature(id, "") for id in "abc")

        async def scene() -> None:
            stage = self.stage([a, b, c], 1)
            run = stage.start()
            await settle()
            self.assertEqual(stage.ready, ["a", "b"])
            self.take_up(stage, a, b, c)
            await settle()
            self.assertEqual(stage.ready, ["a", "b"])
            for changed in (replace(b, prompt="Other."), b):
                self.take_up(stage, a, changed, c)
                await settle()
            self.take_up(stage, a, b, c, b="its dependency has another key")
            await settle()
            self.assertEqual(stage.ready, ["a", "b", "b", "b", "b"])
            self.assertEqual([e.kind for e in stage.heard if e.feature == "b"], ["queued"] * 3)
            for id in "abc":
                await stage.end(id)
            await run
            self.assertEqual(stage.started, ["a", "b", "c"])

        self.play(scene)

    def test_what_is_in_preparation_and_removed_ends_and_may_come_back(self) -> None:
        a, b, c = (Feature(id, "") for id in "abc")

        async def scene() -> None:
            stage = self.stage([a, b, c], 1)
            run = stage.start()
            await settle()
            self.take_up(stage, a, c)
            await settle()
            self.assertEqual(stage.ended(), {"b": "cancelled"})
            self.assertEqual(stage.reason("b"), REMOVED)
            self.take_up(stage, a, b, c)  # c is in preparation: it goes, and comes back at once
            self.take_up(stage, a, b)
            self.take_up(stage, a, b, c)
            await stage.end("a")
            for id in "bc":
                await stage.end(id)
            await run
            self.assertEqual(stage.started, ["a", "b", "c"])
            self.assertEqual(stage.ended()["c"], "completed")

        self.play(scene)

    def test_a_stop_while_it_prepares_again_cancels_it(self) -> None:
        a, b = Feature("a", "", estimated_tokens=9), Feature("b", "", estimated_tokens=1)
        c = Feature("c", "", depends_on=("b",), estimated_tokens=1)

        async def scene() -> None:
            stage = self.stage([a, b, c], 1)
            run = stage.start()
            await settle()
            self.take_up(stage, a, replace(b, prompt="x"), c)
            stage.stop.set()
            stage.outcomes["a"] = INTERRUPTED
            await settle()
            await stage.end("a")
            await run
            self.assertEqual(set(stage.ended().values()), {"cancelled"})
            self.assertEqual(stage.reason("b"), "interrupted before it started")

        self.play(scene)

    def test_what_prepares_again_when_nothing_more_starts_ends(self) -> None:
        a, b = Feature("a", "", estimated_tokens=9), Feature("b", "", estimated_tokens=1)

        async def scene() -> None:
            stage = self.stage([a, b], 1)
            run = stage.start()
            await settle()
            self.take_up(stage, a, replace(b, prompt="x"))
            stage.orchestrator.slots.close("the budget is spent")
            await settle()
            await stage.end("a")
            await run
            self.assertEqual(stage.ended(), {"a": "completed", "b": "cancelled"})
            self.assertEqual(stage.reason("b"), "the budget is spent")

        self.play(scene)

    def test_the_list_is_looked_at_before_a_slot_is_given_out(self) -> None:
        a, b, c = (Feature(id, "") for id in "abc")

        async def scene() -> None:
            stage = self.stage([a, b], 1)

            def look() -> None:
                if "c" not in stage.orchestrator.dag.features:
                    self.take_up(stage, a, c)

            stage.orchestrator.at_free_slot = look
            run = stage.start()
            await settle()
            await stage.end("a")
            await stage.end("c")
            await run
            self.assertEqual(stage.started, ["a", "c"])

        self.play(scene)


class FaultOfOursTest(StageTest):
    def test_an_exception_ends_the_others_and_is_passed_on(self) -> None:
        async def scene() -> None:
            ended: list[str] = []

            async def run_feature(job: Job, turn: Turn) -> FeatureOutcome:
                if job.feature.id == "bad":
                    await settle()
                    raise ZeroDivisionError
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0)
                    ended.append(job.feature.id)
                return DONE

            stage = self.stage([Feature(id, "") for id in ("good", "bad")])
            with self.assertRaises(ZeroDivisionError):
                await stage.orchestrator.run(run_feature)
            self.assertEqual(ended, ["good"])

        self.play(scene)

    def test_an_event_that_cannot_be_recorded_ends_the_run_and_is_not_shown(self) -> None:
        async def scene() -> None:
            stage = self.stage(DIAMOND)
            broken = Journal(stage.folder.name)  # never opened
            stage.orchestrator.recorder.journal = broken
            with self.assertRaises(StateError):
                await stage.run_all()
            self.assertEqual(stage.started, ["model"])
            self.assertEqual(stage.heard, [])

        self.play(scene)


if __name__ == "__main__":
    unittest.main()
