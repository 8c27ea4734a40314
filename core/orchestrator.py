"""The one loop: starts what is ready, records what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from heapq import heappop, heappush

from . import events
from .dag import DAGResolver
from .events import Event
from .journal import Journal
from .model import Decision, Fault, Outcome, Status
from .runner import Job
from .schedule import Rank
from .slots import Place, Slots, Turn
from .state import RunState, apply

DRAIN_SECONDS = 30.0
"""How long attempts may take to end by themselves once the run was told to stop."""

INTERRUPTED = "interrupted before it started"

Listener = Callable[[RunState, Event], None]
RunFeature = Callable[[Job, Turn], Coroutine[object, object, Outcome]]


class Orchestrator:
    """Works on the features of ``dag`` in up to ``slots`` slots.

    ``rank`` orders what is ready; ``results`` are the commits of dependencies outside of
    ``dag``, ``merged`` those whose work is in the base. Every event goes through
    :meth:`emit`: to the journal first, then into the state, then to the listeners.
    """

    def __init__(
        self,
        dag: DAGResolver,
        rank: Rank,
        slots: int,
        *,
        run: str,
        base_commit: str,
        decisions: Mapping[str, Decision],
        results: Mapping[str, str],
        state: RunState,
        journal: Journal,
        listeners: Iterable[Listener],
        clock: Callable[[], float],
        stop: asyncio.Event,
        fail_fast: bool = False,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self.dag = dag
        self.rank = rank
        self.slots = Slots(slots)
        self.run_id = run
        self.base_commit = base_commit
        self.decisions = decisions
        self.results = dict(results)
        self.state = state
        self.journal = journal
        self.listeners = tuple(listeners)
        self.clock = clock
        self.stop = stop
        self.fail_fast = fail_fast
        self.drain_seconds = drain_seconds
        self._over: set[str] = set()

    def emit(self, event: Event) -> None:
        """Record an event and show it. Raises where it can't be recorded."""
        event = self.journal.append(event)  # without the secrets that it came with
        self.state = apply(self.state, event)
        for listener in self.listeners:
            listener(self.state, event)

    async def run(self, run_feature: RunFeature) -> None:
        """Work until nothing more can be started and nothing runs any more.

        What did not get its turn is recorded as ``blocked`` or ``cancelled``.
        """
        if self.stop.is_set():
            self.slots.close(INTERRUPTED)
        sorter = self.dag.sorter()
        ready: list[tuple[Place, str]] = []
        running: dict[asyncio.Task[Outcome], tuple[str, Turn]] = {}

        def start() -> None:
            for id in sorter.get_ready():
                heappush(ready, (self.rank(id), id))
            while ready and self.slots.wants(ready[0][0]):
                place, id = heappop(ready)
                turn = self.slots.turn(place)
                running[asyncio.create_task(run_feature(self._job(id), turn))] = id, turn

        stopped = asyncio.create_task(self._stopped())
        try:
            start()
            while running:
                turns = []
                for task in await self._wait(running, stopped):
                    id, turn = running.pop(task)
                    turns.append(turn)
                    if self._record(id, _outcome(task)):
                        sorter.done(id)
                # What became ready just now may go before those that wait for these slots.
                start()
                for turn in turns:
                    turn.end()
                start()
        finally:
            stopped.cancel()
            await _end(running)
        self._cancel_the_rest()

    async def _stopped(self) -> float:
        """Wait for the wish to stop; when to give up on what runs, by the loop's clock."""
        await self.stop.wait()
        self.slots.close(INTERRUPTED)
        return asyncio.get_running_loop().time() + self.drain_seconds

    async def _wait(
        self, running: Collection[asyncio.Task[Outcome]], stopped: asyncio.Task[float]
    ) -> list[asyncio.Task[Outcome]]:
        """The tasks that are over; a run that was told to stop does not wait for ever."""
        if not stopped.done():
            self.slots.full.clear()
            full = asyncio.create_task(self.slots.full.wait())
            await asyncio.wait([*running, stopped, full], return_when=asyncio.FIRST_COMPLETED)
            full.cancel()
            return [task for task in running if task.done()]
        left = max(0.0, stopped.result() - asyncio.get_running_loop().time())
        over, _ = await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if not over:
            for task in running:
                task.cancel()
            over, _ = await asyncio.wait(running)
        return list(over)

    def _job(self, id: str) -> Job:
        feature, known = self.dag.features[id], self.state.feature(id)
        last = known.last_outcome
        return Job(
            feature=feature,
            decision=self.decisions[id],
            base_commit=self.base_commit,
            results={d: self.results[d] for d in feature.depends_on if d in self.results},
            start_commit=known.start_commit,
            session_id=known.session_id,
            attempts=len(known.attempts),
            claude_is_done=last is not None and last.status is Status.COMPLETED,
            was_checked=known.was_checked,
            is_ready=known.is_ready,
            made=known.made_before_work,
        )

    def _record(self, id: str, outcome: Outcome) -> bool:
        """Record how a feature ended; whether its dependents may start."""
        self._end(id, outcome)
        if outcome.status is Status.COMPLETED and outcome.work is not None:
            self.results[id] = outcome.work.commit
            return True
        if outcome.fault.fatal:
            self.slots.close(f"every further feature would meet it: {outcome.reason}")
        elif outcome.fault is not Fault.INTERRUPTED:
            self._block_dependents(id, outcome)
            if self.fail_fast:
                self.slots.close(f"{id} failed, and --fail-fast was asked for")
        return False

    def _block_dependents(self, id: str, outcome: Outcome) -> None:
        reason = f"{id} did not complete ({outcome.status.value.replace('_', ' ')})"
        for blocked in self.dag.descendants(id):
            if blocked not in self._over:
                self._end(blocked, Outcome(Status.BLOCKED, reason))

    def _end(self, id: str, outcome: Outcome) -> None:
        self._over.add(id)
        self.emit(events.ended(self.clock(), self.run_id, id, outcome))

    def _cancel_the_rest(self) -> None:
        for id in self.dag.features:
            if id not in self._over:
                self._end(id, Outcome(Status.CANCELLED, self.slots.closed))


def _outcome(task: asyncio.Task[Outcome]) -> Outcome:
    if task.cancelled():
        return Outcome(Status.CANCELLED, "interrupted", Fault.INTERRUPTED)
    return task.result()


async def _end(running: Collection[asyncio.Task[Outcome]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
