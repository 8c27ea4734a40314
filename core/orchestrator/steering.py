"""Carries out control requests in a run: pause, resume, stop, skip, retry, reload, …"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from ..dag import incremental
from ..journal.control import Request, Requests
from ..model import events
from ..model.control_action import ControlAction
from ..model.decision import Action
from ..model.events_review import BY_COMMANDS
from ..model.feature import Feature
from ..model.frozen import dataclass
from ..model.state import Skip
from ..model.translate import N_
from ..process.cancellation import Cancellation
from .loop import Orchestrator, Standing

POLL_SECONDS = 0.2
"""The interval between looks for requests."""

Act = Callable[[], None]

STOP = "rorchestrator stop"
"""The command that also ends checks at start commits, after the last feature."""

STOPPED = N_("stopped by the user")
STOPPED_BEFORE = N_("stopped by the user before it started")


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
        self.reload: Callable[[Request], Decided] = lambda request: _refused(
            N_("this run keeps its list")
        )
        """Decides about a changed list."""
        self.look_at_list: Callable[[], None] = lambda: None
        """Takes up a changed list by itself, at intervals."""
        self._forced: set[str] = set()
        """The features skipped with force in this run: their dependents run without them."""

    async def watch(self) -> None:
        """Look for requests until cancelled."""
        while True:
            self.look()
            self.look_at_list()
            await asyncio.sleep(POLL_SECONDS)

    def look(self) -> None:
        """Carry out all requests. Raises if a reply can't be recorded."""
        for request in self.requests.take(self.orchestrator.context.run_id):
            self.take(request)

    def take(self, request: Request) -> Answer:
        """Carry out or refuse one request; the journal has the reply before the act.

        What is to be recorded is recorded before the reply.
        """
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
            attempts=request.attempts,
        )
        act()
        return answer

    def take_up(self, features: Iterable[Feature], kept: Iterable[str]) -> None:
        """Know the features of a changed list, and those of the old one that are ``kept``."""
        known = self.orchestrator.state.features
        skipped = {id for id, each in known.items() if each.skip is Skip.FORCED}
        now = incremental.without(features, skipped - self._forced)
        old = {id: self.listed[id] for id in kept}
        self.listed = {**old, **{feature.id: feature for feature in now}}

    def _decide(self, request: Request, id: str) -> Decided:
        whole = {
            ControlAction.PAUSE: self._pause,
            ControlAction.RESUME: self._resume,
            ControlAction.STOP: self._stop,
        }
        one = {
            ControlAction.STOP: self._stop_one,
            ControlAction.ATTACH: self._attach,
        }
        if request.action is ControlAction.RECORD:
            return self._record(request)
        if self.orchestrator.is_over:
            # Checks may run at start commits for minutes, and the lock is held.
            is_stop = request.action is ControlAction.STOP and not id
            return self._stop() if is_stop else _refused(N_("the run is over"), STOP)
        if request.action is ControlAction.RELOAD:
            return self.reload(request)
        if not id:
            decide = whole.get(request.action)
            needs = N_("{action} needs a feature").format(action=request.action.value)
            return decide() if decide else _refused(needs)
        if id not in self.listed:
            return _refused(N_("the list of this run has no such feature"))
        if request.action is ControlAction.SKIP:
            return self._skip(id, force=request.force)
        if request.action is ControlAction.RETRY:
            return self._retry(request, id)
        about = one.get(request.action)
        whole_only = N_("{action} is for the whole run").format(action=request.action.value)
        return about(id) if about else _refused(whole_only)

    # -- the whole run ----------------------------------------------------------------------

    def _pause(self) -> Decided:
        slots = self.orchestrator.slots
        if slots.paused:
            return _done(N_("the run is already paused"))
        return _done(
            N_("paused: nothing new starts, running features finish"), lambda: slots.pause(True)
        )

    def _resume(self) -> Decided:
        slots = self.orchestrator.slots
        if not slots.paused:
            return _done(N_("the run is not paused"))
        return _done(N_("resumed"), lambda: slots.pause(False))

    def _stop(self) -> Decided:
        if self.stop.is_set():
            return _done(N_("the run is already ending"))
        return _done(N_("stopping; the next run resumes what was running"), self.stop.set)

    def _record(self, request: Request) -> Decided:
        if not all(event.kind in BY_COMMANDS for event in request.events):
            return _refused(N_("a run records only reviews, pushes and pull requests"))
        for event in request.events:
            self.orchestrator.recorder.emit(event)
        ids = [event.feature for event in request.events]
        return _done(N_("recorded"), lambda: self.orchestrator.look_at_reviews(ids))

    # -- one feature ------------------------------------------------------------------------

    def _stop_one(self, id: str) -> Decided:
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        if standing not in (Standing.WORKING, Standing.WAITING):
            return _refused(self._where(id), "rorchestrator status")
        works = standing is Standing.WORKING

        def act() -> None:
            orchestrator.end_one(id, STOPPED if works else STOPPED_BEFORE)
            if works:
                self.stop.of(id).set()

        blocked = self._hit(id)
        if works and blocked:
            text = N_("{id} stopped; blocked: {blocked}. To continue: rorchestrator retry {id}")
        elif works:
            text = N_("{id} stopped. To continue: rorchestrator retry {id}")
        elif blocked:
            text = N_(
                "{id} does not start; blocked: {blocked}. To continue: rorchestrator retry {id}"
            )
        else:
            text = N_("{id} does not start. To continue: rorchestrator retry {id}")
        return _done(text.format(id=id, blocked=blocked), act)

    def _skip(self, id: str, *, force: bool) -> Decided:
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        if standing is Standing.WORKING:
            return _refused(N_("{id} is running").format(id=id), f"rorchestrator stop {id}")
        if standing in (Standing.DONE, Standing.ENDING):
            return _refused(self._where(id), "rorchestrator status")
        if standing is Standing.ABSENT:
            decision = orchestrator.decisions[id]
            if decision.action is Action.SKIP:
                return _refused(
                    N_("{id} is {reason}: there is nothing to skip").format(
                        id=id, reason=decision.reason
                    )
                )
            return _done(
                N_("{id} is skipped in later runs; it is not part of this one").format(id=id)
            )

        def act() -> None:
            forced = self._forced | {id} if force else self._forced - {id}
            if forced != self._forced:
                self._rearrange(forced, id)
            orchestrator.take_out(id, blocks="" if force else N_("{id} is skipped").format(id=id))
            orchestrator.unblock()

        blocked = "" if force else self._hit(id)
        text = N_("{id} is skipped; blocked: {blocked}") if blocked else N_("{id} is skipped")
        text = N_("{id} is skipped; its dependents run without it") if force else text
        return _done(text.format(id=id, blocked=blocked), act)

    def _retry(self, request: Request, id: str) -> Decided:
        if any((event.kind, event.feature) != ("commented", id) for event in request.events):
            return _refused(N_("a retry records only comments on its feature"))
        why_not = self._why_no_retry(request, id)
        if why_not is not None:
            return why_not, lambda: None
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        is_skipped = bool(orchestrator.state.feature(id).skip)
        for event in request.events:
            orchestrator.recorder.emit(event)
        if standing is Standing.ABSENT and is_skipped:
            return _done(N_("{id} is no longer skipped: the next run includes it").format(id=id))
        if standing is Standing.ABSENT:
            return _done(
                N_("{id} is not part of this run: the next run goes on with it").format(id=id)
            )

        def act() -> None:
            self.stop.forget(id)
            if id in self._forced:
                self._rearrange(self._forced - {id}, id)
            self._queue(id, request.id)

        return _done(N_("{id} is queued again").format(id=id), act)

    def _why_no_retry(self, request: Request, id: str) -> Answer | None:
        """Why a feature cannot run again in this run, nor is taken up by the next one."""
        orchestrator, standing = self.orchestrator, self.orchestrator.standing(id)
        known = orchestrator.state.feature(id)
        says = bool(request.events or known.review.open_comments)
        if standing is Standing.ABSENT and (known.skip or (says and known.attempts)):
            return None
        if standing is Standing.DONE and not (says or known.review.is_rejected):
            text = N_("{id} is completed").format(id=id)
            return Answer(False, text, incremental.nothing_said(id))
        if standing not in (Standing.OVER, Standing.DONE):
            return Answer(False, self._where(id), "rorchestrator status")
        if orchestrator.slots.closed:
            closed = orchestrator.slots.closed
            return Answer(False, N_("the run starts nothing more: {closed}").format(closed=closed))
        lacking = orchestrator.lacking(id)
        if not lacking:
            return None
        why = N_("{id} needs {lacking}, which did not complete").format(
            id=id, lacking=", ".join(lacking)
        )
        return Answer(False, why, f"rorchestrator retry {lacking[0]}")

    def _queue(self, id: str, mark: str) -> None:
        """Queue a feature again; ``mark`` distinguishes a new result from the old one."""
        orchestrator = self.orchestrator
        known, old = orchestrator.state.feature(id), orchestrator.decisions[id]
        decision = incremental.retry_decision(old, known, mark)
        orchestrator.queue(id, decision)
        if decision.key != old.key:
            decisions = incremental.rekeyed(orchestrator.decisions, orchestrator.dag)
            orchestrator.change(orchestrator.dag.features.values(), decisions)
        orchestrator.unblock()

    def _attach(self, id: str) -> Decided:
        if self.orchestrator.standing(id) in (Standing.WORKING, Standing.ENDING, Standing.WAITING):
            return _refused(self._where(id), f"rorchestrator stop {id}")
        return _done(N_("{id}: its session was opened").format(id=id))

    def _where(self, id: str) -> str:
        """Where a feature is in the run, as a sentence."""
        text = {
            Standing.ABSENT: N_("{id} is not part of this run"),
            Standing.WAITING: N_("{id} is waiting for its turn"),
            Standing.WORKING: N_("{id} is running"),
            Standing.ENDING: N_("{id} is just ending"),
            Standing.DONE: N_("{id} is completed"),
            Standing.OVER: N_("{id} has ended ({status})"),
        }[self.orchestrator.standing(id)]
        return text.format(id=id, status=self._status(id))

    # -- helpers ----------------------------------------------------------------------------

    def _hit(self, id: str) -> str:
        """The features that are blocked because ``id`` does not run, as a list."""
        orchestrator = self.orchestrator
        waiting = [
            other
            for other in orchestrator.held_up_by(id)
            if orchestrator.standing(other) is Standing.WAITING
        ]
        return ", ".join(waiting)

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
