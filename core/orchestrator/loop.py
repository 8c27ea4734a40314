"""The loop of a run: starts ready features in free slots, records how they ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from heapq import heappop, heappush

from ..dag.resolver import DAGResolver
from ..dag.schedule import Rank
from ..journal.recorder import Recorder
from ..model import events
from ..model.decision import Decision
from ..model.events import Event
from ..model.feature import Feature
from ..model.frozen import Enum, dataclass, replace
from ..model.outcome import Fault, FeatureOutcome, Status
from ..model.state import RunState
from ..model.translate import N_
from ..model.unreviewed import BACKLOG
from ..process.cancellation import first_of
from ..runner.context import RunContext
from ..runner.job import Job
from ..runner.slots import Place, Slots, Turn
from ..worktree.branch_content import Origin
from .backlog import Backlog

DRAIN_SECONDS = 30.0
"""How long attempts may take to end by themselves after a stop."""

INTERRUPTED = N_("interrupted before it started")

SKIPPED = "skipped"

REMOVED = N_("it was removed from the list")

CHANGED = N_("its entry in the list changed")

NO_BACKLOG = Backlog()

STANDSTILL = N_("paused, nothing is running. To continue: rorchestrator resume")


class Standing(Enum):
    """Where a feature is in a run."""

    ABSENT = "absent"
    WAITING = "waiting"
    """It has no slot yet; it may be in preparation."""
    WORKING = "working"
    ENDING = "ending"
    DONE = "done"
    OVER = "over"
    """It ended without a result."""


Listener = Callable[[RunState, Event], None]
RunFeature = Callable[[Job, Turn], Coroutine[object, object, FeatureOutcome]]


class Orchestrator:
    """Runs the features of ``dag`` in up to ``slots`` slots.

    ``rank`` orders the ready ones; ``results`` are the commits of dependencies outside of ``dag``.
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
        backlog: Backlog = NO_BACKLOG,
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
        self.at_free_slot: Callable[[], None] = lambda: None
        """Called before a slot that became free is given out."""
        self.backlog = backlog
        self.is_over = False
        """Whether nothing can be started any more, not even by a control request."""
        self._over: set[str] = set()
        """The features that ended."""
        self._done: set[str] = set()
        """Those of them with a result."""
        self._going: dict[str, _Going] = {}
        self._told_to_end: dict[str, str] = {}
        """The reason, by id."""
        self._renewed: set[str] = set()
        """Features whose list entry changed while they were in preparation: they prepare again."""
        self._told_of_standstill = False
        self._told_unreviewed = 0
        self._sort()

    @property
    def state(self) -> RunState:
        """The current state of all features."""
        return self.recorder.state

    async def run(self, run_feature: RunFeature) -> None:
        """Run until nothing can be started and nothing is running.

        Features that never got a slot are recorded as ``blocked`` or ``cancelled``.
        """
        if self.context.stop.is_set():
            self.slots.close(INTERRUPTED)
        stopped = asyncio.create_task(self._stopped())
        try:
            self._start(run_feature)
            while self._going or self._is_held():
                self._tell_of_standstill()
                turns = [self._take(id) for id in await self._wait(stopped)]
                if turns:
                    self.at_free_slot()
                # A feature that is ready now may come before those waiting for these slots.
                self._start(run_feature)
                for turn in turns:
                    turn.end()
                self._start(run_feature)
        finally:
            stopped.cancel()
            await _end([going.task for going in self._going.values()])
        self._cancel_the_rest()

    def _start(self, run_feature: RunFeature) -> None:
        """Start preparing ready features while the slots want them."""
        self._free()
        self._look_at_backlog()
        held: list[tuple[Place, str]] = []
        while self._ready and self.slots.wants(self._ready[0][0]):
            place, id = heappop(self._ready)
            is_first = self._is_first(id)
            if is_first and self.slots.only_known:
                held.append((place, id))
                continue
            turn = self.slots.turn(place, is_first=is_first)
            work = run_feature(self._job(id), turn)
            self._going[id] = _going(work, turn, self.slots.full)
        for each in held:
            heappush(self._ready, each)
        if self._waits_in_vain():
            self.slots.close(self._why_in_vain())

    def _is_first(self, id: str) -> bool:
        """Whether a feature never had an attempt."""
        return not self.state.feature(id).attempts

    def _look_at_backlog(self) -> None:
        """Hold back first attempts while too many completed features wait for a review."""
        count = self.backlog.count(self.state, self.dag.features)
        is_full = self.backlog.is_full(count)
        if is_full != self.slots.only_known:
            self.slots.hold_back(is_full)
        told = count if is_full and self._has_first() else 0
        if told != self._told_unreviewed:
            self._told_unreviewed = told
            is_over = is_full and not told  # Nobody reviewed: nothing is left that could start.
            limit = 0 if is_over else self.backlog.limit or 0
            self.context.record(events.unreviewed, count=told, limit=limit)

    def _has_first(self) -> bool:
        """Whether a feature that does not work yet never had an attempt."""
        turns = {id: going.turn for id, going in self._going.items()}
        working = {id for id, turn in turns.items() if turn.works and not turn.held}
        rest = self.dag.features.keys() - self._over - working
        return any(map(self._is_first, rest))

    def _waits_in_vain(self) -> bool:
        """Whether only a review would let the run go on, and there is nobody to write one."""
        turns = [going.turn for going in self._going.values()]
        is_idle = all(turn.is_first and (turn.held or not turn.works) for turn in turns)
        is_held = self._told_unreviewed > 0 and not self.slots.paused
        return is_held and is_idle and not self.backlog.has_reader

    def _why_in_vain(self) -> str:
        return BACKLOG

    def look_at_reviews(self, ids: Iterable[str]) -> None:
        """Go on after reviews: a slot may be free; what needs a rejected feature does not start."""
        for id in ids:
            if self.state.feature(id).review.is_rejected:
                self._block_because_rejected(id)
        self.slots.full.set()

    def _block_because_rejected(self, id: str) -> None:
        reason = N_("{id} was rejected").format(id=id)
        for other, feature in self.dag.features.items():
            if id not in feature.depends_on or other in self._over:
                continue
            going = self._going.get(other)
            if going is None:
                self._end(other, FeatureOutcome(Status.BLOCKED, reason))
                self._block(other, reason)
            elif not going.turn.works:
                self.end_one(other, reason)

    def _free(self) -> None:
        """Queue the features whose dependencies have completed."""
        given = self._sorter.get_ready()
        while given:
            for id in given:
                if id in self._done:
                    self._sorter.done(id)
                elif id not in self._over and id not in self._going:
                    heappush(self._ready, (self.rank(id), id))
            given = self._sorter.get_ready()

    def _take(self, id: str) -> Turn:
        """Record how a feature ended; its turn, for the caller to end."""
        going = self._going.pop(id)
        outcome = _outcome(going.task)
        if id not in self.dag.features or id in self._renewed:
            self._take_again(id, outcome)
        elif self._record(id, outcome):
            self._sorter.done(id)
        return going.turn

    def _take_again(self, id: str, outcome: FeatureOutcome) -> None:
        """Record the end of a preparation that the change of the list made useless."""
        del self._told_to_end[id]
        if id not in self.dag.features:
            self.context.record(events.ended, id, replace(outcome, reason=REMOVED))
        elif self.slots.closed:
            self._end(id, replace(outcome, reason=self.slots.closed))
        else:
            self._queue(id)
            self._sort()
        self._renewed.discard(id)

    def _is_held(self) -> bool:
        """Whether only a pause, or what waits for a review, keeps the run from ending."""
        waits = not self._over.issuperset(self.dag.features)
        is_held = self.slots.paused or self.slots.only_known
        return is_held and waits and not self.slots.closed

    def _tell_of_standstill(self) -> None:
        """Tell, once in a pause, that nothing is running: else the run seems to hang."""
        turns = [going.turn for going in self._going.values()]
        idle = all(turn.held if turn.works else turn.ready for turn in turns)
        still = self.slots.paused and self._is_held() and idle
        if still and not self._told_of_standstill:
            self.context.note(STANDSTILL)
        self._told_of_standstill = still

    async def _stopped(self) -> float:
        """Wait for the stop of the run; the deadline for running features, by the loop's clock."""
        await self.context.stop.wait()
        self.slots.close(INTERRUPTED)
        return asyncio.get_running_loop().time() + self.drain_seconds

    async def _wait(self, stopped: asyncio.Task[float]) -> list[str]:
        """Wait until a feature has ended; those that have. After a stop, the wait has a limit."""
        if not stopped.done():
            # Nothing can have ended since the last look: there was no wait in between.
            self.slots.full.clear()
            await self.slots.full.wait()  # also set by each that ends
        else:
            left = max(0.0, stopped.result() - asyncio.get_running_loop().time())
            ended = [going.ended for going in self._going.values()]
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
        """The branches with the dependencies' results that are not in the base."""
        needed = [
            d for d in feature.depends_on if self.results.get(d, "") not in ("", self.base_commit)
        ]
        known = {id: self.state.feature(id) for id in needed}
        return {id: Origin(k.branch, k.work_start) for id, k in known.items() if k.branch}

    def _record(self, id: str, outcome: FeatureOutcome) -> bool:
        """Record how a feature ended; whether it has a result for its dependents."""
        stopped = self._told_to_end.pop(id, "")
        if id in self._over:
            return False  # It was skipped during its preparation.
        if stopped and outcome.fault is Fault.INTERRUPTED:
            outcome = replace(outcome, reason=stopped)
        self._end(id, outcome)
        if outcome.status is Status.COMPLETED and outcome.work is not None:
            self._done.add(id)
            self.results[id] = outcome.work.commit
            return True
        if outcome.fault.fatal:
            self.slots.close(
                N_("stopped, the remaining features would fail the same way: {reason}").format(
                    reason=outcome.reason
                )
            )
        elif stopped or outcome.fault is not Fault.INTERRUPTED:
            self._block_dependents(id, outcome)
            if self.fail_fast and not stopped:
                self.slots.close(N_("{id} failed, and --fail-fast is set").format(id=id))
        return False

    def _block_dependents(self, id: str, outcome: FeatureOutcome) -> None:
        self._block(
            id,
            N_("{id} did not complete ({status})").format(id=id, status=outcome.status.words),
        )

    def _block(self, id: str, reason: str) -> None:
        for blocked in self.held_up_by(id):
            if blocked not in self._over:
                self._end(blocked, FeatureOutcome(Status.BLOCKED, reason))

    def held_up_by(self, id: str) -> list[str]:
        """The dependents of a feature that can't start without it."""
        return self.dag.held_up_by(id, {*self._going, *self._done} - {id})

    def _end(self, id: str, outcome: FeatureOutcome) -> None:
        self._over.add(id)
        self.context.record(events.ended, id, outcome)

    def _cancel_the_rest(self) -> None:
        self.is_over = True
        for id in self.dag.features:
            if id not in self._over:
                self._end(id, FeatureOutcome(Status.CANCELLED, self.slots.closed))

    # -- control requests -------------------------------------------------------------------

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
        """Whether it is too late to change the dependencies of a feature."""
        return id in self._going or id in self._done

    def lacking(self, id: str) -> list[str]:
        """The dependencies of a feature that ended without a result."""
        return [d for d in self.dag.dependencies[id] if d in self._over and d not in self._done]

    def end_one(self, id: str, reason: str) -> None:
        """Stop a running or waiting feature; its dependents are blocked."""
        going = self._going.get(id)
        if going is not None:
            self._told_to_end[id] = reason
            if not going.turn.works:
                going.turn.refuse(reason)
            return
        self._end(id, FeatureOutcome(Status.CANCELLED, reason, Fault.INTERRUPTED))
        status = Status.CANCELLED.words
        self._block(id, N_("{id} did not complete ({status})").format(id=id, status=status))
        self._sort()

    def take_out(self, id: str, *, blocks: str) -> None:
        """End a feature that is not running; its dependents are blocked because of ``blocks``."""
        self._over.add(id)
        going = self._going.get(id)
        if going is not None:
            self._told_to_end[id] = SKIPPED
            going.turn.refuse(SKIPPED)
        if blocks:
            self._block(id, blocks)
        self._sort()

    def change(self, features: Iterable[Feature], decisions: Mapping[str, Decision]) -> None:
        """Continue with features that have other dependencies."""
        self.dag = DAGResolver(features)
        self.decisions = decisions
        self._sort()

    def take_up(
        self,
        dag: DAGResolver,
        decisions: Mapping[str, Decision],
        rank: Rank,
        results: Mapping[str, str],
    ) -> None:
        """Continue with the graph of a changed list; what has begun has to be in it as it began.

        What waits and is not in it leaves the run. ``results`` are the commits of dependencies
        that are new to the run.
        """
        old, before = self.dag.features, self.decisions
        self.results.update(results)
        self.rank = rank
        for id, going in self._going.items():
            if id not in dag.features:
                self._renewed.discard(id)
                self._renew(id, going, REMOVED)
            elif dag.features[id] != old.get(id) or decisions[id].key != before[id].key:
                self._renewed.add(id)
                self._renew(id, going, CHANGED)
        self._over.intersection_update(dag.features)
        self.change(dag.features.values(), decisions)
        self._block_lacking()
        self.unblock()

    def _renew(self, id: str, going: _Going, reason: str) -> None:
        """End a preparation that the change of the list made useless."""
        self._told_to_end[id] = reason
        going.turn.refuse(reason)

    def _block_lacking(self) -> None:
        """Block what waits for a feature that ended without a result."""
        for id in self.dag.order():
            lacking = self.lacking(id)
            if lacking and self.standing(id) is Standing.WAITING:
                status = self.state.feature(lacking[0]).status.words
                text = N_("{id} did not complete ({status})").format(id=lacking[0], status=status)
                self._end(id, FeatureOutcome(Status.BLOCKED, text))

    def queue(self, id: str, decision: Decision) -> None:
        """Queue an ended feature again."""
        self.decisions = {**self.decisions, id: decision}
        self._done.discard(id)
        self._queue(id)
        self._sort()

    def unblock(self) -> list[str]:
        """Queue the features that are no longer blocked; their ids."""
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
        """Find again which features are ready, and wake the loop."""
        self._sorter = self.dag.sorter({*self._going, *self._done})
        self._ready: list[tuple[Place, str]] = []
        self._free()
        self.slots.full.set()


@dataclass(frozen=True)
class _Going:
    """A feature that is running or in preparation."""

    task: asyncio.Task[FeatureOutcome]
    turn: Turn
    ended: asyncio.Event
    """Set when the task is done."""


def _going(
    work: Coroutine[object, object, FeatureOutcome], turn: Turn, wake: asyncio.Event
) -> _Going:
    task, ended = asyncio.create_task(work), asyncio.Event()

    def end(_: object) -> None:
        ended.set()
        wake.set()

    task.add_done_callback(end)
    return _Going(task, turn, ended)


def _outcome(task: asyncio.Task[FeatureOutcome]) -> FeatureOutcome:
    if task.cancelled():
        return FeatureOutcome(Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED)
    return task.result()


async def _end(running: Sequence[asyncio.Task[FeatureOutcome]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
