"""Steering a run: from other terminals, while it goes on and in between."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import stat
import threading
import time
import unittest
from collections.abc import Sequence
from typing import Any
from unittest import mock

from core import cli
from core.commands import steer as wishes
from core.dag import schedule
from core.journal.control import LARGEST_BYTES, Request, Requests
from core.journal.lock import Holder, RunLock
from core.model import events
from core.model.decision import Action, Decision
from core.model.errors import StateError, UserError
from core.model.feature import Feature
from core.model.fold import fold
from core.model.outcome import Outcome, Status
from core.model.state import RunState
from core.orchestrator.loop import STANDSTILL
from core.orchestrator.steering import Answer, Steering
from core.process.cancellation import Stop
from core.process.spawner import become
from tests.orchestrator.test_loop import DIAMOND, FAILED, INTERRUPTED, Stage, StageTest, settle
from tests.support.playground import PlaygroundTest, feature, terminal, wait_until
from tests.support.scratch import RUN, Said, Terminal, Workspace, attempt, standing_in, streams
from tests.support.scratch import feature as entry


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        import tempfile

        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.requests = Requests(self.folder)

    def put(self, name: str, content: str | bytes) -> None:
        os.makedirs(self.requests.folder, exist_ok=True)
        with open(os.path.join(self.requests.folder, name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def left(self) -> list[str]:
        return sorted(os.listdir(self.requests.folder))


class RequestsTest(Scratch):
    def test_requests_are_taken_once_and_in_the_order_in_which_they_were_left(self) -> None:
        self.assertEqual(list(self.requests.take("r1")), [])
        asked = [
            self.requests.leave("r1", "pause"),
            self.requests.leave("r1", "skip", "auth", force=True),
            self.requests.leave("r1", "stop", "auth"),
        ]
        path = os.path.join(self.requests.folder, f"{asked[0].id}.json")
        modes = [stat.S_IMODE(os.stat(each).st_mode) for each in (self.requests.folder, path)]
        self.assertEqual(modes, [0o700, 0o600])
        self.assertEqual(list(self.requests.take("r1")), asked)
        self.assertEqual((asked[1].feature, asked[1].force), ("auth", True))
        self.assertEqual((self.left(), list(self.requests.take("r1"))), ([], []))

    def test_what_was_left_for_another_run_is_removed_and_never_taken(self) -> None:
        self.requests.leave("dead", "stop")
        self.put(".half.tmp", "{")
        self.assertEqual(list(self.requests.take("r2")), [])
        self.assertEqual(self.left(), [".half.tmp"])  # somebody may be writing it
        self.requests.leave("dead", "stop")
        self.requests.clear()
        self.assertEqual(self.left(), [])

    def test_a_request_is_withdrawn_unless_it_was_taken(self) -> None:
        asked = self.requests.leave("r1", "pause")
        self.assertTrue(self.requests.withdraw(asked))
        self.assertEqual(list(self.requests.take("r1")), [])
        taken = self.requests.leave("r1", "pause")
        self.assertEqual(list(self.requests.take("r1")), [taken])
        self.assertFalse(self.requests.withdraw(taken))

    def test_files_that_are_no_requests_are_removed_and_harm_nobody(self) -> None:
        good = {"id": "a", "run": "r1", "action": "pause", "feature": ""}
        hostile: dict[str, str | bytes] = {
            "garbled": "{",
            "binary": b"\xff\x00\xfe",
            "deep": "[" * LARGEST_BYTES,
            "list": "[]",
            "huge": json.dumps({**good, "id": "huge", "more": "x" * LARGEST_BYTES}),
            "unknown": json.dumps({**good, "id": "unknown", "action": "rm"}),
            "unhashable": json.dumps({**good, "id": "unhashable", "action": []}),
            "renamed": json.dumps(good),
            "control": json.dumps({**good, "id": "control", "feature": "a\x1b[2J"}),
            "number": json.dumps({**good, "id": "number", "run": 7}),
        }
        for name, content in hostile.items():
            self.put(f"{name}.json", content)
        outside = os.path.join(self.folder, "outside")
        with open(outside, "w", encoding="utf-8") as file:
            json.dump({**good, "id": "link"}, file)
        os.symlink(outside, os.path.join(self.requests.folder, "link.json"))
        os.mkfifo(os.path.join(self.requests.folder, "pipe.json"))
        os.mkdir(os.path.join(self.requests.folder, "folder.json"))
        before = len(os.listdir("/dev/fd"))
        for _ in range(2):
            self.assertEqual(list(self.requests.take("r1")), [])
        self.assertEqual(len(os.listdir("/dev/fd")), before)
        self.assertEqual(self.left(), ["folder.json"])
        self.assertTrue(os.path.exists(outside))

    def test_where_nothing_can_be_written_that_is_said(self) -> None:
        self.put("x", "")
        nowhere = Requests(os.path.join(self.requests.folder, "x"))
        with self.assertRaises(StateError):
            nowhere.leave("r1", "pause")


class StopTest(unittest.TestCase):
    def test_one_feature_ends_alone_and_all_end_with_the_run(self) -> None:
        async def scene() -> None:
            stop = Stop()
            one, other = stop.of("one"), stop.of("other")
            stop.of("one").set()
            self.assertEqual((one.is_set(), other.is_set(), stop.is_set()), (True, False, False))
            stop.forget("one")
            self.assertFalse(stop.of("one").is_set())
            stop.set()
            late = stop.of("late")
            self.assertTrue(other.is_set() and stop.of("one").is_set() and late.is_set())

        asyncio.run(scene())

    def test_a_thread_may_ask_also_for_a_feature_of_which_nobody_spoke(self) -> None:
        async def scene() -> None:
            stop, loop = Stop(), asyncio.get_running_loop()
            stop.of("one").set()
            asked = ("one", "other")
            found = [await loop.run_in_executor(None, stop.is_for, each) for each in asked]
            stop.set()
            found.append(stop.is_for("other"))
            self.assertEqual(found, [True, False, True])

        asyncio.run(scene())


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
        asked = Request(f"q{self.number}", "r1", action, id, force)
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

    def test_a_paused_run_starts_nothing_new_and_lets_go_on_what_runs(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND)
            run = ror.stage.start()
            await settle()
            self.assertTrue((await ror("pause")).done)
            await ror.stage.end("model")
            self.assertEqual((ror.stage.ready, run.done()), (["model"], False))
            self.assertEqual(await ror("pause"), Answer(True, "it is paused already"))
            self.assertEqual(
                [e.data["text"] for e in ror.stage.heard if e.kind == "note"], [STANDSTILL]
            )
            await ror("resume")
            self.assertEqual(ror.stage.running, {"storage", "search"})
            self.assertEqual(await ror("resume"), Answer(True, "it is not paused"))
            for id in ("storage", "search", "app"):
                await ror.stage.end(id)
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_that_one_is_ready_and_waits_is_a_standstill_too(self) -> None:
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

    def test_a_paused_run_in_which_nothing_is_left_to_do_ends(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND[:1])
            run = ror.stage.start()
            await settle()
            await ror("pause")
            await ror.stage.end("model")
            await run

        self.play(scene)

    def test_a_paused_run_ends_when_it_is_told_to_or_its_time_is_over(self) -> None:
        async def scene() -> None:
            for end in ("stop", "time"):
                ror = self.steered(DIAMOND)
                await ror("pause")
                run = ror.stage.start()
                await settle()
                self.assertEqual((ror.stage.ready, run.done()), ([], False))
                if end == "stop":
                    told = [ror.steering.take(Request(n, "r1", "stop")).text for n in "ab"]
                    self.assertEqual(told[1], "it is ending already")
                else:
                    ror.stage.orchestrator.slots.close("the time is over")
                await run
                self.assertEqual(set(ror.stage.ended().values()), {"cancelled"})
                self.assertEqual(await ror("resume"), Answer(False, "the run is over"))

        self.play(scene)

    def test_a_stopped_feature_blocks_what_needs_it_and_a_retry_takes_that_back(self) -> None:
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

    def test_one_that_completes_although_it_was_stopped_is_completed(self) -> None:
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

    def test_one_that_waits_is_cancelled_and_may_be_queued_again(self) -> None:
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
            self.assertEqual((await ror("retry", "f3")).text, "f3 waits for its turn")
            for id in ("f0", "f2", "f3"):
                await ror.stage.end(id)
            await run
            done = dict.fromkeys(("f0", "f2", "f3"), "completed")
            self.assertEqual(ror.stage.ended(), {**done, "f1": "cancelled"})

        self.play(scene)

    def test_a_feature_that_just_ended_is_not_taken_for_one_at_work(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND[:1])
            run = ror.stage.start()
            await settle()
            ror.stage._ends["model"].set_result(ror.stage._outcome("model"))
            await asyncio.sleep(0)  # its task is over, and the loop has not seen it yet
            answers = [ror.steering.take(Request(a, "r1", a, "model")) for a in ("stop", "skip")]
            self.assertEqual({answer.text for answer in answers}, {"model is just ending"})
            await run
            self.assertEqual(ror.stage.ended(), {"model": "completed"})

        self.play(scene)

    def test_a_skipped_feature_blocks_what_needs_it(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND, 1)
            run = ror.stage.start()
            await settle()
            refused = await ror("skip", "model")
            self.assertEqual(refused, Answer(False, "model is at work", "rorchestrator stop model"))
            self.assertEqual((await ror("skip", "search")).text, "search is skipped; blocked: app")
            await ror.stage.end("model")
            self.assertFalse((await ror("skip", "model")).done)
            self.assertEqual((await ror("skip", "storage")).text, "storage is at work")
            await ror.stage.end("storage")
            await run
            self.assertEqual((ror.status("search"), ror.status("app")), ("skipped", "blocked"))
            self.assertEqual(ror.stage.reason("app"), "search is skipped")
            self.assertEqual(ror.stage.started, ["model", "storage"])

        self.play(scene)

    def test_with_force_what_needs_it_runs_without_it(self) -> None:
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

    def test_one_that_gets_ready_can_be_skipped_and_taken_back(self) -> None:
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

    def test_what_needs_a_skipped_one_gets_it_back_before_it_has_begun(self) -> None:
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

    def test_what_failed_is_queued_again_with_what_it_blocked_while_the_run_goes_on(self) -> None:
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
            self.assertEqual(again.hint, "rorchestrator run --only model --fresh")
            for id in ("search", "storage", "app"):
                await ror.stage.end(id)
            ror.stage.orchestrator.slots.close("the time is over")
            await ror.stage.end("lone")
            await run
            self.assertEqual(set(ror.stage.ended().values()), {"completed"})

        self.play(scene)

    def test_where_the_failed_one_is_skipped_with_force_what_it_blocked_runs(self) -> None:
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
            self.assertEqual(ror.state().feature("search").skip, "forced")
            self.assertTrue((await ror("retry", "search")).done)
            self.assertEqual(ror.state().feature("search").skip, "")
            self.assertTrue((await ror("attach", "search")).done)

        self.play(scene)

    def test_what_makes_no_sense_is_refused_and_journalled(self) -> None:
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

    def test_whoever_watches_takes_what_is_left_for_this_run(self) -> None:
        async def scene() -> None:
            ror = self.steered(DIAMOND)
            ror.requests.leave("dead", "stop")
            asked = ror.requests.leave("r1", "pause")
            watcher = asyncio.create_task(ror.steering.watch())
            await settle()
            watcher.cancel()
            told = [e.data["request"] for e in ror.stage.heard if e.kind == "steered"]
            self.assertEqual((told, ror.stage.stop.is_set()), ([asked.id], False))
            self.assertTrue(ror.stage.orchestrator.slots.paused)

        self.play(scene)


class GateTest(StageTest):
    def test_one_with_a_slot_waits_for_the_resume_or_the_end(self) -> None:
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

    def test_one_that_is_turned_away_before_it_is_ready_takes_no_slot(self) -> None:
        async def scene() -> None:
            slots = self.stage(DIAMOND, 1).orchestrator.slots
            first, second = slots.turn((0.0, 0, 0)), slots.turn((0.0, 0, 1))
            first.refuse("stopped")
            self.assertEqual((await first.begin(), first.works), ("stopped", False))
            self.assertEqual((await second.begin(), second.works), ("", True))
            slots.close("over")
            self.assertEqual((first.refused, second.refused), ("stopped", ""))

        self.play(scene)


def started(run: str, pid: int) -> events.Event:
    """That a run began."""
    return events.run_started(
        time.time(),
        run,
        pid=pid,
        base_branch="main",
        base_commit="c0ffee",
        features=["auth"],
        max_parallel=1,
    )


class Run(threading.Thread):
    """A run that answers the first request, or only takes it."""

    def __init__(self, space: Workspace, *, answers: bool = True, done: bool = True) -> None:
        super().__init__()
        self.space = space
        self.answers = answers
        self.done = done
        self.over = threading.Event()

    def run(self) -> None:
        """Wait for it."""
        requests = Requests(self.space.state_folder)
        while not self.over.wait(0.01):
            for asked in requests.take("r1"):
                if self.answers:
                    self._answer(asked)

    def _answer(self, asked: Request) -> None:
        for id in ("another", asked.id):
            answer = events.steered(
                *(time.time(), "r1", asked.feature),
                action=asked.action,
                request=id,
                done=self.done,
                text=f"{asked.action} of {id == asked.id}",
                hint="type it again",
            )
            self.space.record(answer)


class AnswerTest(unittest.TestCase):
    """What a command does from the other terminal; the run is played by a thread."""

    space: Workspace

    def setUp(self) -> None:
        self.space = Workspace([entry("auth"), entry("api", depends_on=["auth"])])
        self.addCleanup(self.space.close)

    def ask(self, *words: str, run: Run | None = None, pid: int = 0) -> Said:
        """Type a command while a run is on."""
        with self.space.at_work(started("r1", pid or os.getpid())):
            if run is not None:
                run.start()
            said = self.space.main(*words)
            if run is not None:
                run.over.set()
                run.join()
        return said

    def test_the_answer_of_the_run_is_shown_whatever_it_is(self) -> None:
        said = self.ask("pause", run=Run(self.space))
        self.assertEqual(said, Said(0, "pause of True\n", ""))
        said = self.ask("stop", "auth", "--json", run=Run(self.space, done=False))
        expected = {"action": "stop", "feature": "auth", "done": False, "run": "r1"}
        self.assertEqual(said.code, 1)
        self.assertEqual(said.json, {**expected, "text": "stop of True", "hint": "type it again"})
        said = self.ask("retry", "api", run=Run(self.space, done=False))
        self.assertEqual(said, Said(1, "", "rorchestrator: retry of True\n  next: type it again\n"))
        said = self.ask("skip", "api", "--force", run=Run(self.space))
        self.assertEqual((said.code, said.out), (0, "skip of True\n"))

    def test_where_no_run_is_on_the_next_step_is_told(self) -> None:
        for words in (("pause",), ("resume",), ("stop",), ("stop", "auth")):
            said = self.space.main(*words)
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn(f"there is nothing to {words[0]}\n  next: ", said.err)
        lock = RunLock(self.space.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "merge"))
        self.addCleanup(lock.release)
        self.assertIn("rorchestrator merge (pid ", self.space.main("stop").err)
        self.assertIn("rorchestrator merge is at work", self.space.main("skip", "auth").err)

    def test_a_run_that_has_not_begun_is_no_run_of_before(self) -> None:
        # Its journal ends with a run that was killed, or with one that is over.
        said = self.ask("stop", pid=1)
        self.assertEqual(said.code, 2)
        self.assertIn("has not begun yet, or is just over", said.err)
        self.space.record(events.run_ended(time.time(), "r1", exit_code=0))
        with self.space.at_work():
            self.assertIn("has not begun yet", self.space.main("retry", "auth").err)

    def test_a_feature_that_nobody_knows_is_refused_by_each_of_them(self) -> None:
        for words in (("stop",), ("skip",), ("retry", "--yes"), ("attach",)):
            said = self.space.main(words[0], "auht", *words[1:])
            self.assertEqual(said.code, 2)
            self.assertIn("unknown feature 'auht' (did you mean 'auth'?)", said.err)

    def ask_silently(self, run: Run | None, seconds: float) -> str:
        with self.space.at_work(started("r1", os.getpid())), self.opened() as place:
            if run is not None:
                run.start()
            with self.assertRaises(UserError) as caught:
                wishes.ask(place, "r1", "pause", answer_seconds=seconds)
            if run is not None:
                run.over.set()
                run.join()
        self.assertEqual(caught.exception.exit_code, 1)
        self.assertEqual(os.listdir(os.path.join(self.space.state_folder, "requests")), [])
        return caught.exception.message

    def opened(self) -> Any:
        """The workspace as a command opens it."""
        from contextlib import contextmanager

        @contextmanager
        def place() -> Any:
            with standing_in(self.space.path, self.space.environ):
                from core.model.mask import Mask
                from core.project.open import open_project

                yield open_project("", "", Mask({}))

        return place()

    def test_a_run_that_does_not_answer_has_not_heard_of_it(self) -> None:
        said = self.ask_silently(None, 0.0)
        self.assertEqual(
            said, f"the run (pid {os.getpid()}) did not answer within 0 s: nothing was changed"
        )

    def test_a_run_that_took_it_and_says_nothing_is_not_waited_for_for_ever(self) -> None:
        said = self.ask_silently(Run(self.space, answers=False), 0.3)
        self.assertEqual(said, "the run took the request up, but did not answer")

    def test_a_run_that_ends_meanwhile_has_not_heard_of_it(self) -> None:
        ended = "the run ended meanwhile: nothing was changed"
        with self.opened() as place, self.assertRaises(UserError) as caught:
            wishes.ask(place, "r1", "pause")
        self.assertEqual(caught.exception.message, ended)
        # Also where the next one has begun by then.
        with self.space.at_work(started("r1", os.getpid())), self.opened() as place:
            next_run = threading.Timer(0.1, self.space.record, [started("r2", os.getpid())])
            next_run.start()
            with self.assertRaises(UserError) as caught:
                wishes.ask(place, "r1", "pause")
            next_run.join()
        self.assertEqual(caught.exception.message, ended)


class SkipTest(unittest.TestCase):
    """Without a run, between two of them."""

    def test_a_skip_is_valid_until_it_is_taken_back(self) -> None:
        space = Workspace([entry("auth"), entry("api", depends_on=["auth"]), entry("docs")])
        self.addCleanup(space.close)
        space.finished("docs")
        said = space.main("skip", "auth", "--json")
        self.assertEqual((said.code, said.json["done"], said.json["run"]), (0, True, None))
        features = {f["id"]: f for f in space.main("status", "--json").json["features"]}
        self.assertEqual([features[id]["status"] for id in ("auth", "api")], ["skipped", "pending"])
        plan = space.main("plan", "--json").json
        actions = {f["id"]: (f["action"], f["reason"]) for f in plan["features"]}
        self.assertEqual(actions["auth"], ("leave", "skipped, and what needs it does not run"))
        self.assertEqual(actions["api"], ("leave", "needs auth, which does not run"))
        shown = space.main("plan").out
        self.assertIn("[needs auth, which does not run]", shown)
        # The list of this workspace says something else than its one finished feature was made of.
        self.assertEqual(plan["features_to_run"], ["docs"])
        done = space.main("run", "--yes", "--only", "api", "--json")
        self.assertEqual((done.code, done.json["left_out"]), (1, ["auth", "api"]))
        self.assertIn("Nothing is left to run but what is skipped, or needs it", done.err)
        space.main("skip", "auth", "--force")
        plan = space.main("plan", "--json").json
        self.assertEqual(plan["features_to_run"], ["api", "docs"])
        self.assertEqual(space.main("run", "--yes", "--only", "api").code, 0)
        self.assertEqual(set(space.files("feature/api")) - set(space.files("main")), {"api.txt"})
        self.assertEqual(space.state().feature("auth").skip, "forced")

    def test_what_is_done_is_not_skipped(self) -> None:
        space = Workspace([entry("auth")])
        self.addCleanup(space.close)
        space.run()
        for action, hint in (("skip", "status"), ("retry", "run --only auth --fresh")):
            said = space.main(action, "auth", *(["--yes"] if action == "retry" else []))
            self.assertEqual(said.code, 1)
            self.assertIn(f"auth is up to date: there is nothing to {action}", said.err)
            self.assertIn(f"next: rorchestrator {hint}", said.err)
        # As a run leaves it that is killed between the commit point and the journal.
        run = space.state().feature("auth").run
        story = [e for e in attempt("auth") if e.kind == "preparing"]
        space.record(*(events.Event(e.kind, e.at, run, e.feature, e.data) for e in story))
        said = space.main("skip", "auth")
        self.assertIn("completed, though its run was killed", said.err)

    def test_a_torn_journal_is_mended_before_anything_is_added(self) -> None:
        space = Workspace([entry("auth")])
        self.addCleanup(space.close)
        space.main("skip", "auth")
        with open(os.path.join(space.state_folder, "journal.jsonl"), "a") as file:
            file.write('{"v":1')
        self.assertIn("cut off 6 bytes", space.main("skip", "auth", "--force").err)
        self.assertEqual(space.state().feature("auth").skip, "forced")


class LostTest(unittest.TestCase):
    def test_where_a_wish_cannot_be_recorded_the_run_ends_and_says_so(self) -> None:
        space = Workspace([entry("auth", {"sleep": 60})])
        self.addCleanup(space.close)
        broken = StateError("the journal can't be written", hint="free some space")
        with mock.patch.object(Steering, "look", side_effect=[broken]):
            said = space.main("run", "--yes")
        self.assertEqual(said.code, 1)
        self.assertIn("rorchestrator: the journal can't be written\n  next: free some", said.err)
        self.assertEqual(space.state().feature("auth").status, Status.CANCELLED)


class AttachTest(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([entry("auth"), entry("api")])
        self.addCleanup(self.space.close)
        self.script = os.path.join(self.space.root, "claude")

    def has_session(self, id: str = "auth") -> str:
        """As an attempt leaves it, that failed."""
        worktree = self.space.worktree(id)
        os.makedirs(worktree)
        ended = events.ended(time.time(), RUN, id, Outcome(Status.FAILED, "it did not work"))
        self.space.record(*attempt(id, worktree=worktree), ended)
        return worktree

    def claude(self, text: str) -> None:
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.script, 0o755)
        options = {"command": [self.script], "model": "opus", "max_turns": 3}
        self.space.document["claude"] = options
        self.space.change()

    def attach(self, *words: str) -> Said:
        """Type it on a terminal, in this process."""
        self.space.agree("attach")
        with standing_in(self.space.path, self.space.environ):
            out, err = io.StringIO(), io.StringIO()
            with streams(out, err, Terminal(io.BytesIO())):  # type: ignore[arg-type]
                code = cli.main(("attach", *words))
        return Said(code, out.getvalue(), err.getvalue())

    def attached(self) -> list[str]:
        from core.journal.journal import Journal

        told = [e for e in Journal(self.space.state_folder).read() if e.kind == "steered"]
        return [str(e.data["text"]) for e in told if e.data["action"] == "attach"]

    def test_the_session_is_opened_in_its_worktree_with_the_rules_of_the_list(self) -> None:
        worktree = self.has_session()
        self.claude(
            '#!/bin/sh\npwd\nprintf "%s\\n" "$@"\necho "$CLAUDE_CODE_MAX_RETRIES$CLAUDECODE"\n'
        )
        printed = self.space.main("attach", "auth", "--print").out
        self.assertTrue(printed.startswith(f"cd {worktree} && {self.script} "), printed)
        self.assertEqual(self.attached(), [])
        with terminal() as (ours, theirs):
            done = self._on_terminal(theirs, {"CLAUDECODE": "1"})
            said = os.read(ours, 65536).decode().split()
        self.assertEqual(done, 0)
        self.assertEqual(said[0], worktree)
        self.assertIn("--resume=s1", said)
        self.assertIn("--model=opus", said)
        self.assertFalse([word for word in said if word == "-p" or "max-turns" in word])
        self.assertEqual(said[-1], "3")
        self.assertEqual(self.attached(), ["auth: its session was opened"])
        self.assertIsNone(RunLock(self.space.state_folder).holder())

    def _on_terminal(self, theirs: int, env: dict[str, str]) -> int:
        import subprocess

        return subprocess.run(
            self.space.argv("attach", "auth"),
            cwd=self.space.path,
            env={**self.space.environ, **env},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            timeout=60,
            check=False,
        ).returncode

    def test_where_there_is_nothing_to_open_the_next_step_is_told(self) -> None:
        for said, words in (
            (self.attach("auth"), "auth has no session yet"),
            (
                self.has_session() and self.space.main("attach", "auth"),
                "there is none\n  next: rorch",
            ),
        ):
            self.assertEqual(said.code, 2)
            self.assertIn(words, said.err)
        os.rmdir(self.space.worktree("auth"))
        self.assertIn("the worktree of auth is gone", self.attach("auth").err)
        self.assertEqual(self.attached(), [])

    def test_a_claude_that_does_not_start_is_told(self) -> None:
        self.has_session()
        self.claude("\x00 is no program")
        before = signal.getsignal(signal.SIGPIPE)
        said = self.attach("auth")
        self.assertIn("could not be started: Exec format error", said.err)
        self.assertIs(signal.getsignal(signal.SIGPIPE), before)
        with self.assertRaises(UserError):
            become([self.script], {}, self.space.path + "/nowhere")

    def test_a_list_that_bypasses_permissions_needs_the_users_word(self) -> None:
        self.has_session()
        self.claude("#!/bin/sh\n")
        self.space.document["claude"] = {
            "command": [self.script],
            "permission_mode": "bypassPermissions",
        }
        self.space.change()
        refused = self.space.main("attach", "auth", "--print")
        self.assertEqual(refused.code, 2)
        self.assertIn("rorchestrator attach ID --allow-bypass", refused.err)
        self.assertEqual(self.space.main("attach", "auth", "--print", "--allow-bypass").code, 0)

    def test_while_a_run_is_on_it_is_asked(self) -> None:
        self.has_session()
        self.claude("\x00")
        for done, words in ((True, "Exec format error"), (False, "attach of True\n  next: type")):
            run = Run(self.space, done=done)
            with self.space.at_work(started("r1", os.getpid())):
                run.start()
                said = self.attach("auth")
                run.over.set()
                run.join()
            self.assertIn(words, said.err)
        begun = attempt("auth", worktree=self.space.worktree("auth"))
        with self.space.at_work(started("r1", os.getpid()), *begun):
            said = self.attach("auth")
        self.assertEqual(said.code, 1)
        self.assertIn("auth is at work\n  next: rorchestrator stop auth", said.err)


class SteeredRunTest(PlaygroundTest):
    """Whole commands, real processes."""

    def ror(self, *words: str) -> Any:
        """What a command answers that has to work."""
        done = self.playground.command(*words, "--json")
        self.assertEqual((done.code, done.err), (0, ""), words)
        return json.loads(done.out)

    def status(self) -> dict[str, Any]:
        document = json.loads(self.playground.command("status", "--json").out)
        self.paused = document["paused"]
        return {f["id"]: f["status"] for f in document["features"]}

    def waits_for(self, id: str, kind: str, count: int = 1) -> None:
        def there() -> bool:
            return len([e for e in self.playground.journal(id) if e["event"] == kind]) >= count

        wait_until(there, f"{kind} of {id}")

    def test_a_run_is_steered_from_other_terminals(self) -> None:
        go = self.playground.path("go")
        self.playground.features(
            feature("auth", {"write": "auth.md"}, {"wait": go}),
            feature("search", {"write": "search.md"}, {"wait": go}),
            feature("api", depends_on=["auth"]),
            feature("ui", depends_on=["auth", "extra"]),
            feature("extra", depends_on=["search"]),
            max_parallel=2,
        )
        run = self.playground.start("run", "--yes", "--json")
        for id in ("auth", "search"):
            self.waits_for(id, "attempt_started")
        both = [self.playground.start("pause"), self.playground.start("pause")]
        self.assertEqual([each.end().code for each in both], [0, 0])
        self.assertEqual((self.status()["auth"], self.paused), ("running", True))
        self.assertEqual(self.playground.command("attach", "auth", "--print").code, 1)
        self.assertIn("blocked: api, ui", self.ror("stop", "auth")["text"])
        self.waits_for("auth", "ended")
        status = self.status()
        self.assertEqual([status[id] for id in ("auth", "api")], ["cancelled", "blocked"])
        self.assertEqual(status["search"], "running")
        self.ror("skip", "extra", "--force")
        self.ror("retry", "auth")
        self.assertEqual(len(self.playground.attempts("auth")), 1)  # it is paused
        self.ror("resume")
        self.waits_for("auth", "attempt_started", 2)
        self.assertEqual(self.playground.command("skip", "search").code, 1)
        self.playground.touch("go")
        done = run.end()
        self.assertEqual(done.code, 1)
        self.assertEqual(self.status()["extra"], "skipped")
        self.assertFalse(self.paused)
        self.assert_statuses(**dict.fromkeys(("auth", "search", "api", "ui"), "completed"))
        (first, session, _), again = self.playground.attempts("auth")
        self.assertEqual((first, again), (1, (2, session, True)))
        self.assertEqual(self.playground.files("feature/ui"), {"auth.md", "ui.md"})
        with open(self.playground.last("ui", "attempt_started")["log"][:-5] + "prompt") as file:
            self.assertNotIn("extra", file.read())
        document = done.lines[-1]
        self.assertEqual((document["successful"], document["total_features"]), (4, 5))
        self.assertEqual(os.listdir(os.path.join(self.playground.state, "requests")), [])
        # An older version knows no such status.
        self.assertNotIn("skipped", {e.get("status") for e in self.playground.journal()})
        # The skip is valid until it is taken back; then what ran without it is out of date.
        self.assertEqual(self.playground.run().code, 1)
        self.assertEqual(len(self.playground.attempts("ui")), 1)
        merged = self.playground.command("merge", "--json", "--dry-run")
        landed = {f["id"]: f["state"] for f in json.loads(merged.out)["features"]}
        self.assertEqual(landed["ui"], "would land")
        self.assertEqual(self.playground.command("retry", "extra", "--yes").code, 0)
        self.assertEqual(self.status()["extra"], "completed")
        plan = json.loads(self.playground.command("plan", "--json").out)
        self.assertEqual(plan["features_to_run"], ["ui"])

    def test_what_ended_by_its_own_result_starts_over_in_the_same_run_and_is_paid_for(self) -> None:
        go = self.playground.path("go")
        self.playground.features(
            feature("auth", {"bash": f"test -e {go} && echo 1 > auth.md"}),
            feature("slow", {"wait": go}, {"fail": "Overloaded", "status": 529}, {"write": "s"}),
            max_parallel=2,
            retry={"attempts": 2, "backoff_seconds": 0.01},
        )
        run = self.playground.start("run", "--yes", "--json")
        self.waits_for("auth", "ended")
        self.assertEqual(self.playground.last("auth")["status"], "empty")
        self.ror("pause")
        self.ror("retry", "auth")
        self.playground.touch("go")
        # Neither what is queued nor what is tried again starts.
        wait_until(self.standstills, "a standstill")
        self.assertEqual(self.kinds_of("auth", "slow"), (1, 1))
        self.ror("resume")
        done = run.end()
        self.assertEqual(done.code, 0, done.out)
        numbers = [number for number, _, _ in self.playground.attempts("auth")]
        self.assertEqual(numbers, [1, 2])
        result = self.playground.results()["auth"]
        self.assertEqual((len(result["attempts"]), result["cost_usd"]), (2, 0.1))
        self.assertAlmostEqual(self.playground.report()["total_cost_usd"], 0.15)
        self.assertEqual(len(self.playground.attempts("slow")), 2)
        logs = {attempt["log"] for attempt in result["attempts"]}
        self.assertEqual(len(logs), 2)
        first = self.playground.command("logs", "auth", "--attempt", "1")
        self.assertEqual(first.code, 0)

    def test_a_pause_does_not_outlive_its_run_however_that_ends(self) -> None:
        first, go = self.playground.path("first"), self.playground.path("go")
        overloaded = {"fail": "Overloaded", "status": 529}
        self.playground.features(
            feature("auth", {"wait": first}, overloaded, {"wait": go}, {"write": "auth.md"}),
            feature("api"),
            max_parallel=1,
            retry={"attempts": 2, "backoff_seconds": 0.01},
        )
        for end, expected in ((signal.SIGINT, 130), (signal.SIGKILL, -9), (None, 1)):
            before, still = len(self.playground.attempts("auth")), self.standstills()
            run = self.playground.start("run", "--yes")
            self.waits_for("auth", "attempt_started", before + 1)
            self.ror("pause")
            if end is signal.SIGINT:
                self.playground.touch("first")  # its next attempt waits for the resume
            else:
                self.ror("stop", "auth")
            wait_until(lambda: self.standstills() > still, "a standstill")  # noqa: B023
            if end is None:
                self.ror("stop")
            else:
                run.signal(end)
            self.assertEqual(run.end().code, expected)
            self.status()
            self.assertFalse(self.paused)
        self.assertEqual(len({session for _, session, _ in self.playground.attempts("auth")}), 1)
        run_id = self.playground.journal()[-1]["run"]
        Requests(self.playground.state).leave(run_id, "stop")
        self.playground.touch("go")
        self.assertEqual(self.playground.run().code, 0)
        self.assert_statuses(auth="completed", api="completed")
        self.assertEqual(os.listdir(os.path.join(self.playground.state, "requests")), [])

    def kinds_of(self, *ids: str) -> tuple[int, ...]:
        """How many attempts were made at each of them."""
        return tuple(len(self.playground.attempts(id)) for id in ids)

    def standstills(self) -> int:
        return sum(event.get("text") == STANDSTILL for event in self.playground.journal())


if __name__ == "__main__":
    unittest.main()
