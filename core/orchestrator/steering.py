"""Carries out control requests in a run: pause, resume, stop, skip, retry, attach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from ..dag import incremental
from ..journal.control import Request, Requests
from ..model import events
from ..model.control_action import ControlAction
from ..model.decision import Action
from ..model.feature import Feature
from ..model.frozen import dataclass
from ..process.cancellation import Cancellation
from .loop import Orchestrator, Standing

POLL_SECONDS = 0.2
"""The interval between looks for requests."""

Act = Callable[[], None]

STOPPED = "stopped by the user"


@dataclass(frozen=True)
class Answer:
    """The reply to a request."""

    done: bool
    text: str
    hint: str = ""


Decided = tuple[Answer, Act]
"""The reply to a request, and the act to carry out once the reply is in the journal."""


def _done(text: str, act: Act = lambda: None) -> Decided:
    return Answer(True, text), act


def _refused(text: str, hint: str = "") -> Decided:
    return Answer(False, text, hint), lambda: None


class Steering:
    """Carries out control requests in a run that began with the features ``listed``."""

    def __init__(
        self,
        orchestrator: Orchestrator,
        requests: Requests,
        listed: Iterable[Feature],
        stop: Cancellation,
    ) -> None:
        self.orchestrator = orchestrator
        self.requests = requests
        self.listed = {feature.id: feature for feature in listed}
        self.stop = stop
        self._forced: set[str] = set()
        """The features skipped with force in this run: their dependents run without them."""

    async def watch(self) -> None:
        """Look for requests until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(POLL_SECONDS)

    def look(self) -> None:
        """Carry out all requests. Raises if a reply can't be recorded."""
        for request in self.requests.take(self.orchestrator.context.run_id):
            self.take(request)

    def take(self, request: Request) -> Answer:
        """Carry out or refuse one request; the journal has the reply before the act."""
        answer, act = self._decide(request, request.feature)
        orchestrator = self.orchestrator
        orchestrator.context.record(
            events.steered,
            request.feature if request.feature in self.listed else "",
            action=request.action,
            request=request.id,
            done=answer.done,
            text=answer.text,
            hint=answer.hint,
            force=request.force,
        )
        act()
        return answer

    def _decide(self, request: Request, id: str) -> Decided:
        whole = {
            ControlAction.PAUSE: self._pause,
            ControlAction.RESUME: self._resume,
            ControlAction.STOP: self._stop,
        }
        one = {
            ControlAction.STOP: self._stop_one,
            ControlAction.RETRY: self._retry,
            ControlAction.ATTACH: self._attach,
        }
        if self.orchestrator.is_over:
            return _refused("the run is over")
        if not id:
            decide = whole.get(request.action)
            return decide() if decide else _refused(f"{request.action.value} needs a feature")
        if id not in self.listed:
            return _refused("the list of this run has no such feature")
        if request.action is ControlAction.SKIP:
            return self._skip(id, force=request.force)
        about = one.get(request.action)
        return about(id) if about else _refused(f"{request.action.value} is for the whole run")

    # -- the whole run ----------------------------------------------------------------------

    def _pause(self) -> Decided:
        slots = self.orchestrator.slots
        if slots.paused:
            return _done("the run is already paused")
        return _done(
            "paused: nothing new starts, running features finish", lambda: slots.pause(True)
        )

    def _resume(self) -> Decided:
        slots = self.orchestrator.slots
        if not slots.paused:
            return _done("the run is not paused")
        return _done("resumed", lambda: slots.pause(False))

    def _stop(self) -> Decided:
        if self.stop.is_set():
            return _done("the run is already ending")
        return _done("stopping; the next run resumes what was running", self.stop.set)

    # -- one feature ------------------------------------------------------------------------

    def _stop_one(self, id: str) -> Decided:
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        if standing not in (Standing.WORKING, Standing.WAITING):
            return _refused(f"{id} {self._where(id)}", "rorchestrator status")
        works = standing is Standing.WORKING

        def act() -> None:
            orchestrator.end_one(id, STOPPED if works else f"{STOPPED} before it started")
            if works:
                self.stop.of(id).set()

        what = f"{id} stopped" if works else f"{id} does not start"
        return _done(f"{what}{self._hit(id)}. To continue: rorchestrator retry {id}", act)

    def _skip(self, id: str, *, force: bool) -> Decided:
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        if standing is Standing.WORKING:
            return _refused(f"{id} is running", f"rorchestrator stop {id}")
        if standing in (Standing.DONE, Standing.ENDING):
            return _refused(f"{id} {self._where(id)}", "rorchestrator status")
        if standing is Standing.ABSENT:
            decision = orchestrator.decisions[id]
            if decision.action is Action.SKIP:
                return _refused(f"{id} is {decision.reason}: there is nothing to skip")
            return _done(f"{id} is skipped in later runs; it is not part of this one")

        def act() -> None:
            forced = self._forced | {id} if force else self._forced - {id}
            if forced != self._forced:
                self._rearrange(forced, id)
            orchestrator.take_out(id, blocks="" if force else f"{id} is skipped")
            orchestrator.unblock()

        how = "; its dependents run without it" if force else self._hit(id)
        return _done(f"{id} is skipped{how}", act)

    def _retry(self, id: str) -> Decided:
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        known = orchestrator.state.feature(id)
        if standing is Standing.ABSENT and known.skip:
            return _done(f"{id} is no longer skipped: the next run includes it")
        if standing is Standing.DONE:
            return _refused(f"{id} is completed", f"rorchestrator run --only {id} --fresh")
        if standing is not Standing.OVER:
            return _refused(f"{id} {self._where(id)}", "rorchestrator status")
        if orchestrator.slots.closed:
            return _refused(f"the run starts nothing more: {orchestrator.slots.closed}")
        lacking = orchestrator.lacking(id)
        if lacking:
            why = f"{id} needs {', '.join(lacking)}, which did not complete"
            return _refused(why, f"rorchestrator retry {lacking[0]}")

        def act() -> None:
            self.stop.forget(id)
            if id in self._forced:
                self._rearrange(self._forced - {id}, id)
            orchestrator.queue(id, incremental.retry_decision(orchestrator.decisions[id], known))
            orchestrator.unblock()

        return _done(f"{id} is queued again", act)

    def _attach(self, id: str) -> Decided:
        if self.orchestrator.standing(id) in (Standing.WORKING, Standing.ENDING, Standing.WAITING):
            return _refused(f"{id} {self._where(id)}", f"rorchestrator stop {id}")
        return _done(f"{id}: its session was opened")

    def _where(self, id: str) -> str:
        """Where a feature is in the run, as a predicate."""
        return {
            Standing.ABSENT: "is not part of this run",
            Standing.WAITING: "is waiting for its turn",
            Standing.WORKING: "is running",
            Standing.ENDING: "is just ending",
            Standing.DONE: "is completed",
            Standing.OVER: f"has ended ({self._status(id)})",
        }[self.orchestrator.standing(id)]

    # -- helpers ----------------------------------------------------------------------------

    def _hit(self, id: str) -> str:
        """The features that are blocked because ``id`` does not run, as a phrase."""
        orchestrator = self.orchestrator
        waiting = [
            other
            for other in orchestrator.dag.descendants(id)
            if orchestrator.standing(other) is Standing.WAITING
        ]
        return f"; blocked: {', '.join(waiting)}" if waiting else ""

    def _rearrange(self, forced: set[str], id: str) -> None:
        """Let the dependents of ``id`` that have not begun run without the ``forced`` features."""
        self._forced = forced
        orchestrator, now = self.orchestrator, dict(self.orchestrator.dag.features)
        changed = [
            other
            for other in now
            if id in self.listed[other].depends_on and not orchestrator.has_begun(other)
        ]
        for feature in incremental.without((self.listed[other] for other in changed), forced):
            now[feature.id] = feature
        orchestrator.change(now.values(), orchestrator.decisions)
        decisions = incremental.rekeyed(orchestrator.decisions, orchestrator.dag)
        orchestrator.change(now.values(), decisions)

    def _status(self, id: str) -> str:
        return self.orchestrator.state.feature(id).status.words
