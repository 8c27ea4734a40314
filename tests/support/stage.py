"""An orchestrator on a stage: features end when the test says so."""

from __future__ import annotations

import asyncio
import tempfile
import unittest
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from core.dag import schedule
from core.dag.resolver import DAGResolver
from core.dag.schedule import Rank
from core.journal.journal import Journal
from core.journal.recorder import Recorder
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.feature import Feature
from core.model.fold import fold
from core.model.outcome import Fault, FeatureOutcome, Status, Work
from core.model.state import RunState
from core.orchestrator.backlog import Backlog
from core.orchestrator.loop import NO_BACKLOG, Orchestrator
from core.process.cancellation import Cancellation
from core.runner.context import RunContext
from core.runner.job import Job
from core.runner.slots import Turn

FAILED = FeatureOutcome(Status.FAILED, "it did not work")


INTERRUPTED = FeatureOutcome(Status.CANCELLED, "interrupted", Fault.INTERRUPTED)


DIAMOND = (
    Feature("model", "Model"),
    Feature("storage", "Storage", depends_on=("model",)),
    Feature("search", "Search", depends_on=("model",)),
    Feature("app", "App", depends_on=("storage", "search")),
)


class Stage:
    """An orchestrator, and features that end when the test says so."""

    def __init__(
        self,
        features: Sequence[Feature],
        slots: int = 3,
        *,
        rank: Callable[[DAGResolver], Rank] = schedule.longest_path_first,
        results: Mapping[str, str] | None = None,
        state: RunState | None = None,
        fail_fast: bool = False,
        drain_seconds: float = 60.0,
        outcomes: Mapping[str, FeatureOutcome] | None = None,
        backlog: Backlog = NO_BACKLOG,
    ) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.journal = Journal(self.folder.name)
        self.journal.open()
        self.dag = DAGResolver(features)
        self.stop = Cancellation()
        self.heard: list[Event] = []
        self.ready: list[str] = []
        self.started: list[str] = []
        self.jobs: dict[str, Job] = {}
        self.most = 0
        self.outcomes = dict(outcomes or {})
        self._ends: dict[str, asyncio.Future[FeatureOutcome]] = {}
        recorder = Recorder(self.journal, state or RunState(), [self._hear])
        self.orchestrator = Orchestrator(
            self.dag,
            rank(self.dag),
            slots,
            recorder,
            RunContext("r1", self.folder.name, lambda: 1000.0, recorder.emit, self.stop),
            base_commit="base",
            decisions={id: Decision(id, Action.START, "new") for id in self.dag.features},
            results=results or {},
            fail_fast=fail_fast,
            drain_seconds=drain_seconds,
            backlog=backlog,
        )

    def close(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    def _hear(self, state: RunState, event: Event) -> None:
        self.heard.append(event)

    async def run_all(self) -> None:
        """Every feature ends at once, as ``outcomes`` say, else with success."""
        await self.orchestrator.run(self._at_once)

    async def _at_once(self, job: Job, turn: Turn) -> FeatureOutcome:
        refused = await turn.begin()
        if refused:
            return FeatureOutcome(Status.CANCELLED, refused, Fault.INTERRUPTED)
        self._note(job)
        await asyncio.sleep(0)
        return self._outcome(job.feature.id)

    def start(self) -> asyncio.Task[None]:
        """Every feature ends when the test calls :meth:`end`."""
        return asyncio.create_task(self.orchestrator.run(self._when_told))

    async def _when_told(self, job: Job, turn: Turn) -> FeatureOutcome:
        self.ready.append(job.feature.id)
        refused = await turn.begin()
        if refused:
            return FeatureOutcome(Status.CANCELLED, refused, Fault.INTERRUPTED)
        self._note(job)
        end: asyncio.Future[FeatureOutcome] = asyncio.get_running_loop().create_future()
        self._ends[job.feature.id] = end
        self.most = max(self.most, len(self.running))
        return await end

    @property
    def running(self) -> set[str]:
        return {id for id, end in self._ends.items() if not end.done()}

    async def end(self, id: str) -> None:
        self._ends[id].set_result(self._outcome(id))
        await settle()

    def _note(self, job: Job) -> None:
        self.started.append(job.feature.id)
        self.jobs[job.feature.id] = job

    def _outcome(self, id: str) -> FeatureOutcome:
        outcome = self.outcomes.get(id, DONE)
        if outcome.status is not Status.COMPLETED:
            return outcome
        return FeatureOutcome(Status.COMPLETED, work=Work(f"commit of {id}", 1))

    def ended(self) -> dict[str, str]:
        """Status by feature, in the order in which they ended."""
        state = fold(self.journal.read())
        ids = [event.feature for event in self.heard if event.kind == "ended"]
        return {id: state.feature(id).status.value for id in ids}

    def reason(self, id: str) -> str:
        return fold(self.journal.read()).feature(id).reason


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


class StageTest(unittest.TestCase):
    def play(self, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(asyncio.wait_for(scene(), 20))

    def stage(self, features: Sequence[Feature], slots: int = 3, **more: Any) -> Stage:
        stage = Stage(features, slots, **more)
        self.addCleanup(stage.close)
        return stage


DONE = FeatureOutcome(Status.COMPLETED)
