"""One feature in its slot: setup, attempts, commit, checks, feedback to Claude."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress

from ..claude import prompt, reset_time
from ..git.tampering import Tampered
from ..model import events
from ..model.errors import StateError, UserError
from ..model.excerpt import some
from ..model.frozen import replace
from ..model.outcome import Fault, Outcome, Status, Work
from ..process.supervisor import Killed
from ..worktree import inspection
from ..worktree.worktree import Worktree
from .attempt import Session, wait_for_repetition
from .budget import LEAST_USD, OVER
from .failure import Failure
from .job import Job
from .slots import Turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .claude_runner import ClaudeRunner

START_WAITS_SECONDS = (1.0, 2.0, 4.0)
"""Between attempts to start Claude where its program is missing: its updater replaces it."""


class FeatureRun:
    """A feature's time in a slot, from a ready worktree to its outcome."""

    def __init__(
        self,
        runner: ClaudeRunner,
        job: Job,
        turn: Turn,
        worktree: Worktree,
        env: Mapping[str, str],
        *,
        resumed: bool,
    ) -> None:
        self.runner = runner
        self.job = job
        self.turn = turn
        self.feature = job.feature
        self.worktree = worktree
        self.env = env
        self.resumed = resumed
        self.number = job.attempts if resumed else job.numbered
        """Of the last attempt."""
        self.session_id = job.session_id if resumed else ""
        self.spent_usd = job.spent_usd
        self.stop = runner.context.stop.of(job.feature.id)
        self._is_first = not resumed
        self._was_checked = resumed and job.claude_is_done and job.was_checked
        """Whether checks of an earlier run may have left files, and nobody worked there since."""
        self._share = turn.slots.count

    async def run(self) -> Outcome:
        """Set up, let Claude work, commit, check: until all checks are green, or one stays red."""
        red = await self._make_ready()
        if red is not None:
            return _of_red(red, Fault.SETUP)
        outcome = Outcome(Status.COMPLETED)
        if not (self.resumed and self.job.claude_is_done):
            outcome = await self._attempts()
        told = 0
        while outcome.status is Status.COMPLETED:
            outcome = await self._commit(outcome)
            if outcome.work is None:
                break
            red = await self._check(outcome.work)
            if red is None:
                return await self._publish(outcome, outcome.work)
            if red.is_ours:
                # What is missing is only our look at the work: the next run goes on there.
                return _of_red(red, Fault.COMMIT, outcome)
            if red.interrupted or told == self.runner.config.project.verify_attempts:
                return _of_red(red, Fault.CHECK, outcome)
            missing = self._missing()
            if missing:
                return _without(missing, _of_red(red, Fault.CHECK, outcome))
            told += 1
            self._note(f"{red.what}: sent back to Claude")
            outcome = await self._attempts(prompt.red_check(self.feature, red.what, red.output))
        return outcome

    async def _check_seal(self) -> None:
        await self.runner.seal.check(self.runner.worktrees.git)

    def _note(self, text: str) -> None:
        self.runner.context.note(text, self.feature.id)

    async def _make_ready(self) -> Failure | None:
        bench = self.runner.workbench
        if not (self.job.is_ready and self.worktree.is_old):
            red = await bench.make_ready(self.feature, self.worktree, self.env)
            await self._check_seal()
            if red is not None:
                return red
        if not (self.job.attempts and self.worktree.is_old):
            await inspection.note_baseline(self.runner.worktrees, self.worktree)
        if self.resumed:
            return None
        return await bench.missing(self.feature, self.worktree, self.env)

    async def _attempts(self, told: str = "") -> Outcome:
        """Attempts until one ends by its own result, or by a fault that another won't mend."""
        slots, pause, repetition, stalls, starts = self.turn.slots, self.runner.pause, 0, 0, 0
        outcome = Outcome(Status.FAILED)
        while True:
            missing = self._missing()
            if missing:
                return _without(missing, outcome)
            refused = await pause.wait(self.stop)
            if refused:
                return self._refused(refused, outcome)
            narrowed = slots.narrowed
            outcome = await self._session(told)
            fault = outcome.fault
            if fault is Fault.LIMIT:
                known = outcome.resets_at or reset_time.resets_at(
                    outcome.reason, self.runner.context.clock()
                )
                pause.begin(known)
            elif fault is Fault.ALLOWANCE and self._has_more():
                self._share = 1
            elif fault is Fault.STALL and not stalls:
                stalls += 1
            elif fault is Fault.PROGRAM and starts < len(START_WAITS_SECONDS):
                self._note(f"{outcome.reason}; trying again in {START_WAITS_SECONDS[starts]:.0f} s")
                if await self._is_stopped_within(START_WAITS_SECONDS[starts]):
                    return self._refused("interrupted", outcome)
                starts += 1
            elif fault in (Fault.TRANSIENT, Fault.RATE):
                if fault is Fault.RATE:
                    slots.narrow(narrowed)
                repetition += 1
                if not await self._wait_for_repetition(repetition, outcome):
                    return outcome
            elif fault is Fault.ALLOWANCE and self.is_capped:
                return replace(outcome, reason=f"{OVER}: {outcome.reason}", fault=Fault.BUDGET)
            else:
                if outcome.status is Status.COMPLETED:
                    slots.widen()
                return outcome

    @property
    def is_capped(self) -> bool:
        """Whether what the run, or the feature, may cost bounds its attempts."""
        return self.runner.budget.cap_usd is not None or self.feature.max_cost_usd is not None

    def _missing(self) -> str:
        """What there is not enough of for another attempt; an empty string where there is."""
        if self._is_broke():
            return "no money is left for another attempt"
        return "" if self._seconds_left() > 0 else "the time of the run (--max-time) is over"

    def _seconds_left(self) -> float:
        return self.runner.context.deadline - time.monotonic()

    def _is_broke(self) -> bool:
        """Whether there is less than an attempt is worth: it would cost a turn."""
        own = self._own_left_usd()
        return self.runner.budget.is_spent(self.feature.id) or (own is not None and own < LEAST_USD)

    def _own_left_usd(self) -> float | None:
        """What the feature's own cap leaves; ``None`` where it has none."""
        cap = self.feature.max_cost_usd
        return None if cap is None else cap - self.spent_usd

    def _has_more(self) -> bool:
        """Whether the budget has something left for a feature that has used up its share."""
        budget = self.runner.budget
        if budget.cap_usd is None or budget.left_usd < LEAST_USD or self._is_broke():
            return False
        return self.runner.config.claude.max_budget_usd is None

    def _refused(self, why: str, outcome: Outcome) -> Outcome:
        """How a feature ends that does not wait for a usage limit; ``outcome`` was its last."""
        if self.stop.is_set():
            return replace(outcome, status=Status.CANCELLED, reason=why, fault=Fault.INTERRUPTED)
        reason = f"{outcome.reason} ({why})" if outcome.reason else why
        return replace(outcome, reason=reason, fault=Fault.LIMIT)

    async def _wait_for_repetition(self, repetition: int, outcome: Outcome) -> bool:
        """Wait a random time that doubles; whether there is to be another attempt."""
        retry = self.runner.config.project.retry
        return await wait_for_repetition(
            retry, repetition, outcome, self.stop, self._note, self._seconds_left()
        )

    async def _is_stopped_within(self, seconds: float) -> bool:
        """Wait, but not longer than the user allows; whether a stop was requested."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.stop.wait(), min(seconds, max(0.0, self._seconds_left())))
        return self.stop.is_set()

    async def _session(self, told: str) -> Outcome:
        """One attempt; a second one in a new session where the old one can't be resumed."""
        if self.session_id:
            outcome = await self._attempt(Session(self.session_id, resume=True, told=told))
            if outcome.fault is not Fault.SESSION or self.stop.is_set():
                return outcome
        kept_work = not self._is_first
        return await self._attempt(Session(str(uuid.uuid4()), kept_work=kept_work, told=told))

    async def _attempt(self, session: Session) -> Outcome:
        refused = await self.turn.until_resumed(self.stop)
        if refused:
            self.runner.pause.lift()  # It may have been its turn to try.
            return Outcome(Status.CANCELLED, refused, Fault.INTERRUPTED, session_id=self.session_id)
        self.number += 1
        self._is_first = False
        self.runner.guard.close()
        budget = self.runner.budget
        granted = budget.grant(self.feature.id, self._share, self._own_left_usd())
        outcome = await self.runner.attempts.run(
            self.feature, self.worktree.path, self.number, session, self.env, granted
        )
        if outcome.fault is not Fault.LIMIT:
            self.runner.pause.lift()
        # An unknown cost may be all that was granted; but an unknown session reached no model.
        unknown_session = outcome.fault is Fault.SESSION and outcome.cost_usd is None
        cost_usd = 0.0 if unknown_session else outcome.cost_usd
        budget.spend(self.feature.id, cost_usd)
        self.spent_usd += (granted or 0.0) if cost_usd is None else cost_usd
        self.session_id = outcome.session_id
        # Before any git command that would execute it: nobody knows who else is running.
        await self._check_seal()
        return outcome

    async def _commit(self, outcome: Outcome) -> Outcome:
        """Look at what Claude left and commit it; the outcome has ``work`` where that went well."""
        runner, id = self.runner, self.feature.id
        runner.context.record(events.verifying, id)
        try:
            status = await runner.committer.look(self.worktree)
            if isinstance(status, str):
                return replace(outcome, status=Status.FAILED, reason=status)
            runner.context.record(events.committing, id)
            bench, was_checked = runner.workbench, self._was_checked
            status = bench.without_leftovers(self.worktree, status, was_checked=was_checked)
            self._was_checked = False
            work = await runner.committer.commit(self.worktree, status, self.feature)
            if status.commit != self.worktree.start_commit:
                await self._name_committed_products(status.commit)
        except (Killed, StateError, Tampered):
            raise
        except UserError as error:
            reason = "\n".join(filter(None, (error.message, error.hint)))
            return replace(outcome, status=Status.FAILED, reason=reason, fault=Fault.COMMIT)
        if not work.files_changed and not self.feature.allow_empty:
            return replace(
                outcome,
                status=Status.EMPTY,
                reason=_empty_reason(work, outcome, self.worktree.start_commit),
            )
        return replace(outcome, work=work)

    async def _name_committed_products(self, commit: str) -> None:
        """Commits of Claude's own are kept as they are: the user is to know what is in them."""
        built = await inspection.committed_products(self.runner.worktrees, self.worktree, commit)
        if built:
            self._note(
                f"Claude itself committed build products: {some(built)} (left as committed; "
                "name them in .gitignore)"
            )

    async def _check(self, work: Work) -> Failure | None:
        return await self.runner.workbench.check(self.feature, self.worktree, work, self.env)

    async def _publish(self, outcome: Outcome, work: Work) -> Outcome:
        """Make it the feature's result."""
        pushes = await self._pushes(work)
        await self.runner.worktrees.publish(
            self.feature.id, self.runner.context.run_id, work.commit
        )
        for command in pushes:
            self._note(f"a submodule's commit is nowhere else; merge waits for: {command}")
        return outcome

    async def _pushes(self, work: Work) -> list[str]:
        """The commands that would publish what only this machine has of the submodules."""
        made, pushes = self.worktree, list[str]()
        if os.path.exists(os.path.join(made.path, ".gitmodules")):
            with suppress(UserError):  # merge looks again
                pushes = await self.runner.worktrees.unpublished(
                    made.path, made.start_commit, work.commit, made.branch
                )
        return pushes


def _of_red(red: Failure, fault: Fault, outcome: Outcome | None = None) -> Outcome:
    """The outcome of a feature that ends with something red; its work is kept on the branch."""
    outcome = outcome or Outcome(Status.FAILED)
    if red.interrupted:
        return replace(
            outcome,
            status=Status.CANCELLED,
            reason="interrupted",
            fault=Fault.INTERRUPTED,
            work=None,
        )
    return replace(outcome, status=Status.FAILED, reason=red.reason, fault=fault, work=None)


def _without(missing: str, outcome: Outcome) -> Outcome:
    """How a feature ends that would go on, were there more money or time."""
    after = f"; before that: {outcome.reason}" if outcome.reason else ""
    reason = f"{OVER}: {missing}{after}"
    return replace(outcome, status=Status.FAILED, reason=reason, fault=Fault.BUDGET)


def _empty_reason(work: Work, outcome: Outcome, start_commit: str) -> str:
    reason = "Claude reported success, but changed nothing"
    if work.commit != start_commit:
        reason = "the commits on the branch change nothing: was it undone, or did a hook do that?"
    if work.held_back:
        reason += f" but files that are never committed unasked: {some(work.held_back)}"
    if outcome.denied_tools:
        reason += f"; it was denied {some(sorted(set(outcome.denied_tools)))}"
    return reason
