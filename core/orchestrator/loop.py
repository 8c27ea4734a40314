"""The one loop: starts what is ready, records what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from enum import Enum
from heapq import heappop, heappush

from ..dag.resolver import DAGResolver
from ..dag.schedule import Rank
from ..journal.recorder import Recorder
from ..model import events
from ..model.decision import Decision
from ..model.events import Event
from ..model.feature import Feature
from ..model.frozen import dataclass, replace
from ..model.outcome import Fault, FeatureOutcome, Status
from ..model.state import RunState
from ..process.cancellation import first_of
from ..runner.context import RunContext
from ..runner.job import Job
from ..runner.slots import Place, Slots, Turn
from ..worktree.branch_content import Origin

DRAIN_SECONDS = 30.0
"""How long attempts may take to end by themselves once the run was told to stop."""

INTERRUPTED = "interrupted before it started"

SKIPPED = "skipped"

STANDSTILL = "paused, nothing is running. To continue: rorchestrator resume"


class Standing(Enum):
    """Where a feature is in a run."""

    ABSENT = "absent"
    WAITING = "waiting"
    """Maybe it gets ready; it has no slot."""
    WORKING = "working"
    ENDING = "ending"
    DONE = "done"
    OVER = "over"
    """Without a result."""


Listener = Callable[[RunState, Event], None]
RunFeature = Callable[[Job, Turn], Coroutine[object, object, FeatureOutcome]]


class Orchestrator:
    """Works on the features of ``dag`` in up to ``slots`` slots.

    ``rank`` orders what is ready; ``results`` are the commits of dependencies outside of
    ``dag``, ``merged`` those whose work is in the base.
    """

    def __init__(
        self,
        dag: DAGResolver,
        rank: Rank,
        slots: int,
        recorder: Recorder,
        context: RunContext,
        *,
        base_commit: str,
        decisions: Mapping[str, Decision],
        results: Mapping[str, str],
        fail_fast: bool = False,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self.dag = dag
        self.rank = rank
        self.slots = Slots(slots)
        self.recorder = recorder
        self.context = context
        self.base_commit = base_commit
        self.decisions = decisions
        self.results = dict(results)
        self.fail_fast = fail_fast
        self.drain_seconds = drain_seconds
        self.is_over = False
        """Whether nothing will be started any more, not even by somebody's wish."""
        self._over: set[str] = set()
        self._done: set[str] = set()
        """Those of them that have a result."""
        self._going: dict[str, _Going] = {}
        self._told_to_end: dict[str, str] = {}
        """Why, by id."""
        self._told_of_standstill = False
        self._sort()

    @property
    def state(self) -> RunState:
        """What is known of all features by now."""
        return self.recorder.state

    async def run(self, run_feature: RunFeature) -> None:
        """Work until nothing more can be started and nothing runs any more.

        What did not get its turn is recorded as ``blocked`` or ``cancelled``.
        """
        if self.context.stop.is_set():
            self.slots.close(INTERRUPTED)
        stopped = asyncio.create_task(self._stopped())
        try:
            self._start(run_feature)
            while self._going or self._is_held():
                self._tell_of_standstill()
                turns = [self._take(id) for id in await self._wait(stopped)]
                # What became ready just now may go before those that wait for these slots.
                self._start(run_feature)
                for turn in turns:
                    turn.end()
                self._start(run_feature)
        finally:
            stopped.cancel()
            await _end([going.task for going in self._going.values()])
        self._cancel_the_rest()

    def _start(self, run_feature: RunFeature) -> None:
        """Let get ready who is free to, as long as the slots want somebody."""
        self._free()
        while self._ready and self.slots.wants(self._ready[0][0]):
            place, id = heappop(self._ready)
            turn = self.slots.turn(place)
            self._going[id] = _going(run_feature(self._job(id), turn), turn)

    def _free(self) -> None:
        """Queue those who have all that they need."""
        given = self._sorter.get_ready()
        while given:
            for id in given:
                if id in self._done:
                    self._sorter.done(id)
                elif id not in self._over and id not in self._going:
                    heappush(self._ready, (self.rank(id), id))
            given = self._sorter.get_ready()

    def _take(self, id: str) -> Turn:
        """Record that a feature is over; its turn is to be ended."""
        going = self._going.pop(id)
        if self._record(id, _outcome(going.task)):
            self._sorter.done(id)
        return going.turn

    def _is_held(self) -> bool:
        """Whether only the user's pause keeps the run from its end."""
        waits = len(self._over) < len(self.dag.features)
        return self.slots.paused and waits and not self.slots.closed

    def _tell_of_standstill(self) -> None:
        """Say, once a pause, that nothing works any more: else it looks like a run that hangs."""
        turns = [going.turn for going in self._going.values()]
        idle = all(turn.held if turn.works else turn.ready for turn in turns)
        still = self._is_held() and idle
        if still and not self._told_of_standstill:
            self.context.note(STANDSTILL)
        self._told_of_standstill = still

    async def _stopped(self) -> float:
        """Wait for the wish to stop; when to give up on what runs, by the loop's clock."""
        await self.context.stop.wait()
        self.slots.close(INTERRUPTED)
        return asyncio.get_running_loop().time() + self.drain_seconds

    async def _wait(self, stopped: asyncio.Task[float]) -> list[str]:
        """Those who are over; a run that was told to stop does not wait for ever."""
        ended = [going.ended for going in self._going.values()]
        if not stopped.done():
            self.slots.full.clear()
            await first_of(self.slots.full, *ended)
        else:
            left = max(0.0, stopped.result() - asyncio.get_running_loop().time())
            if not await first_of(*ended, timeout_seconds=left):
                await _end([going.task for going in self._going.values()])
        return [id for id, going in self._going.items() if going.task.done()]

    def _job(self, id: str) -> Job:
        feature = self.dag.features[id]
        return Job(
            feature=feature,
            decision=self.decisions[id],
            known=self.state.feature(id),
            base_commit=self.base_commit,
            results={d: self.results[d] for d in feature.depends_on if d in self.results},
            origins=self._origins(feature),
        )

    def _origins(self, feature: Feature) -> dict[str, Origin]:
        """Where the work was made that a feature needs, less what the base holds already."""
        needed = [
            d for d in feature.depends_on if self.results.get(d, "") not in ("", self.base_commit)
        ]
        known = {id: self.state.feature(id) for id in needed}
        return {id: Origin(k.branch, k.work_start) for id, k in known.items() if k.branch}

    def _record(self, id: str, outcome: FeatureOutcome) -> bool:
        """Record how a feature ended; whether its dependents may start."""
        stopped = self._told_to_end.pop(id, "")
        if id in self._over:
            return False  # It was taken out while it got ready.
        if stopped and outcome.fault is Fault.INTERRUPTED:
            outcome = replace(outcome, reason=stopped)
        self._end(id, outcome)
        if outcome.status is Status.COMPLETED and outcome.work is not None:
            self._done.add(id)
            self.results[id] = outcome.work.commit
            return True
        if outcome.fault.fatal:
            self.slots.close(
                f"stopped, the remaining features would fail the same way: {outcome.reason}"
            )
        elif stopped or outcome.fault is not Fault.INTERRUPTED:
            self._block_dependents(id, outcome)
            if self.fail_fast and not stopped:
                self.slots.close(f"{id} failed, and --fail-fast was asked for")
        return False

    def _block_dependents(self, id: str, outcome: FeatureOutcome) -> None:
        self._block(id, f"{id} did not complete ({outcome.status.value.replace('_', ' ')})")

    def _block(self, id: str, reason: str) -> None:
        for blocked in self.dag.descendants(id):
            if blocked not in self._over:
                self._end(blocked, FeatureOutcome(Status.BLOCKED, reason))

    def _end(self, id: str, outcome: FeatureOutcome) -> None:
        self._over.add(id)
        self.context.record(events.ended, id, outcome)

    def _cancel_the_rest(self) -> None:
        self.is_over = True
        for id in self.dag.features:
            if id not in self._over:
                self._end(id, FeatureOutcome(Status.CANCELLED, self.slots.closed))

    # -- what a user may wish meanwhile -----------------------------------------------------

    def standing(self, id: str) -> Standing:
        """Where a feature is in this run."""
        going = self._going.get(id)
        if id not in self.dag.features:
            return Standing.ABSENT
        if going is not None:
            if id in self._told_to_end or going.task.done():
                return Standing.ENDING
            return Standing.WORKING if going.turn.works else Standing.WAITING
        if id in self._over:
            return Standing.DONE if id in self._done else Standing.OVER
        return Standing.WAITING

    def has_begun(self, id: str) -> bool:
        """Whether it is too late for a feature to need something else than before."""
        return id in self._going or id in self._done

    def lacking(self, id: str) -> list[str]:
        """What a feature needs and is over without a result."""
        return [d for d in self.dag.dependencies[id] if d in self._over and d not in self._done]

    def end_one(self, id: str, reason: str) -> None:
        """End a feature that works or waits; what needs it is blocked."""
        going = self._going.get(id)
        if going is not None:
            self._told_to_end[id] = reason
            if not going.turn.works:
                going.turn.refuse(reason)
            return
        self._end(id, FeatureOutcome(Status.CANCELLED, reason, Fault.INTERRUPTED))
        self._block(id, f"{id} did not complete (cancelled)")
        self._sort()

    def take_out(self, id: str, *, blocks: str) -> None:
        """Let a feature that does not work be over; ``blocks`` says why its dependents are."""
        self._over.add(id)
        going = self._going.get(id)
        if going is not None:
            self._told_to_end[id] = SKIPPED
            going.turn.refuse(SKIPPED)
        if blocks:
            self._block(id, blocks)
        self._sort()

    def change(self, features: Iterable[Feature], decisions: Mapping[str, Decision]) -> None:
        """Go on with features that need something else than before."""
        self.dag = DAGResolver(features)
        self.decisions = decisions
        self._sort()

    def queue(self, id: str, decision: Decision) -> None:
        """Let a feature that is over wait for its turn again."""
        self.decisions = {**self.decisions, id: decision}
        self._queue(id)
        self._sort()

    def unblock(self) -> list[str]:
        """Let those wait again whom nothing blocks any more; who they are."""
        freed = []
        for id in self.dag.order():
            blocked = id in self._over and self.state.feature(id).status is Status.BLOCKED
            if blocked and not self.lacking(id):
                self._queue(id)
                freed.append(id)
        self._sort()
        return freed

    def _queue(self, id: str) -> None:
        self.context.record(events.queued, id)
        self._over.discard(id)

    def _sort(self) -> None:
        """Look anew who is free to start, and let the loop know."""
        self._sorter = self.dag.sorter()
        self._ready: list[tuple[Place, str]] = []
        self._free()
        self.slots.full.set()


@dataclass(frozen=True)
class _Going:
    """A feature that works, or gets ready."""

    task: asyncio.Task[FeatureOutcome]
    turn: Turn
    ended: asyncio.Event
    """Set when the task is done."""


def _going(work: Coroutine[object, object, FeatureOutcome], turn: Turn) -> _Going:
    task, ended = asyncio.create_task(work), asyncio.Event()
    task.add_done_callback(lambda _: ended.set())
    return _Going(task, turn, ended)


def _outcome(task: asyncio.Task[FeatureOutcome]) -> FeatureOutcome:
    if task.cancelled():
        return FeatureOutcome(Status.CANCELLED, "interrupted", Fault.INTERRUPTED)
    return task.result()


async def _end(running: Sequence[asyncio.Task[FeatureOutcome]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
