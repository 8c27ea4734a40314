"""One feature in its slot: setup, attempts, commit, checks, feedback to Claude."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress

from ..claude import prompt, reset_time
from ..claude.prompt import Failing
from ..git.tampering import ExecutableFingerprint, Tampered
from ..model import events, events_review
from ..model.attempt import cost_of
from ..model.errors import StateError, UserError
from ..model.excerpt import some
from ..model.feature import Config
from ..model.frozen import dataclass, replace
from ..model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Work
from ..model.translate import N_
from ..process.cancellation import first_of
from ..process.supervisor import Killed
from ..worktree import admin_files, inspection
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Worktree
from .attempt import AttemptRunner, Session, wait_for_repetition
from .budget import LEAST_USD, OVER, Budget
from .checks import Checks
from .committer import Committer
from .context import RunContext
from .failure import Failure
from .job import Job
from .judge import Judgement
from .preparation import Preparation
from .setup_guard import SetupGuard
from .slots import Turn
from .usage_limit import UsageLimitGate

START_WAITS_SECONDS = (1.0, 2.0, 4.0)
"""Waits between attempts to start Claude if its program is missing: an update may replace it."""

CLAUDE_IS_DONE = FeatureOutcome(Status.COMPLETED)


@dataclass(frozen=True)
class Tools:
    """The parts of a run that all of its features share."""

    config: Config
    worktrees: WorktreeManager
    attempts: AttemptRunner
    preparation: Preparation
    checks: Checks
    gate: UsageLimitGate
    budget: Budget
    guard: SetupGuard
    committer: Committer
    fingerprint: ExecutableFingerprint
    context: RunContext

    async def check_seal(self, after: Worktree | None = None) -> None:
        """Raise :class:`Tampered` if an agent changed what git executes.

        ``after``: somebody worked in this worktree.
        """
        if after is not None:
            self.fingerprint.doubt(admin_files.admin_folder(self.worktrees, after.path))
        await self.fingerprint.check(self.worktrees.git)


class FeatureRun:
    """A feature's time in a slot, from a ready worktree to its outcome."""

    def __init__(
        self,
        tools: Tools,
        job: Job,
        turn: Turn,
        worktree: Worktree,
        env: Mapping[str, str],
        *,
        resumed: bool,
        spent_usd: float = 0.0,
    ) -> None:
        self.tools = tools
        self.config = tools.config
        self.context = tools.context
        self.budget = tools.budget
        self.job = job
        self.turn = turn
        self.feature = job.feature
        self.worktree = worktree
        self.env = env
        self.resumed = resumed
        of_run = job.known.of_run(tools.context.run_id)
        made = job.known.attempts_of(tools.context.run_id)
        number_in_run = made[-1].number if made else 0
        self.number = job.last_number if resumed else number_in_run
        """Of the last attempt."""
        self.session_id = job.known.session_id if resumed else ""
        self.spent_usd = cost_of(of_run).known_usd + spent_usd
        self.stop = tools.context.stop.of(job.feature.id)
        self._is_first = not resumed
        self._is_done = resumed and job.claude_is_done and not job.comments
        """Whether only commit and checks are missing."""
        self._was_checked = self._is_done and job.known.was_checked
        """Whether checks of an earlier run may have left files, and nobody worked there since."""
        self._share = turn.slot_count
        self._denied_tools: tuple[str, ...] = ()
        """By the last attempt."""

    async def run(self) -> FeatureOutcome:
        """Set up, let Claude work, commit, check, until all checks pass or one keeps failing."""
        self.tools.checks.later.forget(self.feature.id)
        failure = await self._make_ready()
        if failure is not None:
            return _failed(failure, Fault.SETUP)
        outcome = CLAUDE_IS_DONE if self._is_done else await self._answered()
        feedbacks = 0
        while outcome.status is Status.COMPLETED:
            work = await self._commit()
            if isinstance(work, FeatureOutcome):
                return work
            judged = await self._check(work)
            failure = judged.failure
            if failure is None:
                return await self._publish(work, judged)
            if failure.is_ours:
                # The work itself may be fine: the next run resumes at the checks.
                return _failed(failure, Fault.COMMIT)
            if failure.interrupted or feedbacks == self._verify_attempts:
                return _failed(failure, Fault.CHECK)
            missing = self._missing()
            if missing:
                return _without(missing, _failed(failure, Fault.CHECK))
            feedbacks += 1
            self._note(N_("{what}: sent back to Claude").format(what=failure.what))
            failing = [Failing(f.what, f.output, f.passed_before) for f in judged.failures]
            outcome = await self._attempts(prompt.failing_checks(self.feature, failing))
        return outcome

    async def _answered(self) -> FeatureOutcome:
        """Attempts with the comments, if there are some, which count as sent once Claude is done.

        After a kill in between, they are sent again: the prompt names them by their ids.
        """
        given = self.job.comments
        if not given:
            return await self._attempts()
        is_new = not self.resumed
        outcome = await self._attempts(prompt.comments(self.feature, given, is_new=is_new))
        if outcome.status is Status.COMPLETED:
            ids = [comment.id for comment in given]
            self.context.record(events_review.comments_sent, self.feature.id, comments=ids)
        return outcome

    @property
    def _verify_attempts(self) -> int:
        """How often a failing check is sent back to Claude."""
        again = self.job.known.again
        if again is None or again.attempts is None or not self.resumed:
            return self.config.project.verify_attempts
        return again.attempts

    def _note(self, text: str) -> None:
        self.context.note(text, self.feature.id)

    async def _make_ready(self) -> Failure | None:
        if not (self.job.known.is_ready and self.worktree.is_old):
            failure = await self.tools.preparation.make_ready(self.feature, self.worktree, self.env)
            await self.tools.check_seal(after=self.worktree)
            if failure is not None:
                return failure
        if not (self.job.last_number and self.worktree.is_old):
            ran = self.tools.preparation.is_needed(self.feature)
            is_fresh = not (self.worktree.is_old or ran)
            await inspection.record_baseline(self.tools.worktrees, self.worktree, is_fresh=is_fresh)
        if self.resumed:
            return None
        return await self.tools.checks.missing(self.feature, self.worktree, self.env)

    async def _attempts(self, feedback: str = "") -> FeatureOutcome:
        """Attempts until one ends by its own result, or another one would not help.

        ``COMPLETED`` if Claude is done; else how the feature ends.
        """
        turn, gate, repetition, stalls, starts = self.turn, self.tools.gate, 0, 0, 0
        ended = FeatureOutcome(Status.FAILED if feedback else Status.CANCELLED)
        while True:
            missing = self._missing()
            if missing:
                return _without(missing, ended)
            refused = await gate.wait(self.stop)
            if refused:
                return self._refused(refused, replace(ended, status=Status.FAILED))
            narrowed = turn.narrowed
            outcome = await self._session(feedback)
            ended = FeatureOutcome(outcome.status, outcome.reason, outcome.fault)
            fault = outcome.fault
            if fault is Fault.LIMIT:
                known = outcome.resets_at or reset_time.resets_at(
                    outcome.reason, self.context.clock()
                )
                gate.begin(known)
            elif fault is Fault.ALLOWANCE and self._has_more():
                self._share = 1
            elif fault is Fault.STALL and not stalls:
                stalls += 1
            elif fault is Fault.PROGRAM and starts < len(START_WAITS_SECONDS):
                seconds = START_WAITS_SECONDS[starts]
                again = N_("trying again in {seconds:.0f} s").format(seconds=seconds)
                self._note(f"{outcome.reason}; {again}")
                if await self._is_stopped_within(START_WAITS_SECONDS[starts]):
                    return self._refused(N_("interrupted"), ended)
                starts += 1
            elif fault in (Fault.TRANSIENT, Fault.RATE):
                if fault is Fault.RATE:
                    turn.narrow(narrowed)
                repetition += 1
                if not await self._wait_for_repetition(repetition, outcome):
                    return ended
            elif fault is Fault.ALLOWANCE and self.is_capped:
                return replace(ended, reason=f"{OVER}: {outcome.reason}", fault=Fault.BUDGET)
            else:
                if outcome.status is Status.COMPLETED:
                    turn.widen()
                return ended

    @property
    def is_capped(self) -> bool:
        """Whether a budget of the run or of the feature limits its attempts."""
        return self.budget.cap_usd is not None or self.feature.max_cost_usd is not None

    def _missing(self) -> str:
        """What another attempt lacks, time or money, or ""."""
        if self._is_broke():
            return N_("no money is left for another attempt")
        return (
            ""
            if self._seconds_left() > 0
            else N_("the time limit of the run (--max-time) was reached")
        )

    def _seconds_left(self) -> float:
        return self.context.deadline - time.monotonic()

    def _is_broke(self) -> bool:
        """Whether less than :data:`LEAST_USD` is left: an attempt costs at least a turn."""
        own = self._own_left_usd()
        return self.budget.is_spent(self.feature.id) or (own is not None and own < LEAST_USD)

    def _own_left_usd(self) -> float | None:
        """The rest of the feature's own cap; ``None`` without one."""
        cap = self.feature.max_cost_usd
        return None if cap is None else cap - self.spent_usd

    def _has_more(self) -> bool:
        """Whether the budget has more for a feature that used up its share."""
        budget = self.budget
        if budget.cap_usd is None or budget.left_usd < LEAST_USD or self._is_broke():
            return False
        return self.config.claude.max_budget_usd is None

    def _refused(self, why: str, ended: FeatureOutcome) -> FeatureOutcome:
        """The outcome of a feature that gets no further attempt after one that ``ended``."""
        if self.stop.is_set():
            return FeatureOutcome(Status.CANCELLED, why, Fault.INTERRUPTED)
        reason = f"{ended.reason} ({why})" if ended.reason else why
        return replace(ended, reason=reason, fault=Fault.LIMIT)

    async def _wait_for_repetition(self, repetition: int, outcome: AttemptOutcome) -> bool:
        """Wait before a repetition. Return whether to try again."""
        retry = self.config.project.retry
        return await wait_for_repetition(
            retry, repetition, outcome, self.stop, self._note, self._seconds_left()
        )

    async def _is_stopped_within(self, seconds: float) -> bool:
        """Wait, at most until the deadline. Return whether the feature was stopped."""
        seconds = min(seconds, max(0.0, self._seconds_left()))
        return await first_of(self.stop, timeout_seconds=seconds)

    async def _session(self, feedback: str) -> AttemptOutcome:
        """One attempt, and a second one in a new session if the old one can't be resumed."""
        if self.session_id:
            outcome = await self._attempt(Session(self.session_id, resume=True, feedback=feedback))
            if outcome.fault is not Fault.SESSION or self.stop.is_set():
                return outcome
        kept_work = not self._is_first
        return await self._attempt(
            Session(str(uuid.uuid4()), kept_work=kept_work, feedback=feedback)
        )

    async def _attempt(self, session: Session) -> AttemptOutcome:
        gate, id = self.tools.gate, self.feature.id
        refused = await self.turn.until_resumed(self.stop)
        if refused:
            gate.lift()  # It may have been its turn to try.
            return AttemptOutcome(Status.CANCELLED, refused, Fault.INTERRUPTED)
        self.turn.begin_attempt()
        self.number += 1
        self._is_first = False
        self.tools.guard.close()
        granted = self.budget.grant(id, self._share, self._own_left_usd())
        outcome = await self.tools.attempts.run(
            self.feature, self.worktree.path, self.number, session, self.env, granted
        )
        if outcome.fault is not Fault.LIMIT:
            gate.lift()
        # An unknown cost may be all that was granted, but an unknown session reached no model.
        unknown_session = outcome.fault is Fault.SESSION and outcome.cost_usd is None
        cost_usd = 0.0 if unknown_session else outcome.cost_usd
        self.budget.spend(id, cost_usd)
        self.spent_usd += (granted or 0.0) if cost_usd is None else cost_usd
        self.session_id = outcome.session_id
        self._denied_tools = outcome.denied_tools
        # Before git could execute a change of this agent, or of another running one.
        await self.tools.check_seal(after=self.worktree)
        return outcome

    async def _commit(self) -> Work | FeatureOutcome:
        """Inspect the worktree and commit it; how the feature ends if there is no work."""
        context, committer, id = self.context, self.tools.committer, self.feature.id
        context.record(events.verifying, id)
        try:
            status = await committer.inspect(self.worktree)
            if isinstance(status, str):
                return FeatureOutcome(Status.FAILED, status)
            context.record(events.committing, id)
            status = self.tools.checks.runner.without_artifacts(
                self.worktree, status, was_checked=self._was_checked
            )
            self._was_checked = False
            work = await committer.commit(self.worktree, status, self.feature)
            if status.commit != self.worktree.start_commit:
                await self._name_committed_products(status.commit)
        except (Killed, StateError, Tampered):
            raise
        except UserError as error:
            reason = "\n".join(filter(None, (error.message, error.hint)))
            return FeatureOutcome(Status.FAILED, reason, Fault.COMMIT)
        if not work.files_changed and not self.feature.allow_empty:
            return FeatureOutcome(Status.EMPTY, self._empty_reason(work))
        return work

    def _empty_reason(self, work: Work) -> str:
        reason = N_("Claude reported success, but changed nothing")
        if work.commit != self.worktree.start_commit:
            reason = N_(
                "the commits on the branch change nothing: was it undone, or did a hook do that?"
            )
        if work.held_back:
            reason = N_("{reason} but files that are never committed unasked: {files}").format(
                reason=reason, files=some(work.held_back)
            )
        if self._denied_tools:
            denied = some(sorted(set(self._denied_tools)))
            reason += "; " + N_("it was denied {tools}").format(tools=denied)
        return reason

    async def _name_committed_products(self, commit: str) -> None:
        """Note the build products in Claude's own commits, which are kept as they are."""
        built = await inspection.committed_products(self.tools.worktrees, self.worktree, commit)
        if built:
            self._note(
                N_(
                    "Claude itself committed build products: {built} (left as committed; name "
                    "them in .gitignore)"
                ).format(built=some(built))
            )

    async def _check(self, work: Work) -> Judgement:
        return await self.tools.checks.check(self.feature, self.worktree, work, self.env)

    async def _publish(self, work: Work, judged: Judgement) -> FeatureOutcome:
        """Make it the feature's result. Its own checks run at the start commit later."""
        pushes = await self._pushes(work)
        name = self.job.known.result_name(self.context.run_id)
        await self.tools.worktrees.publish(self.feature.id, name, work.commit)
        if self.job.goes_on and self.job.known.last_result == work.commit:
            self._note(N_("the comments changed nothing: its result is the same commit"))
        for command in pushes:
            self._note(
                N_("a submodule's commit is nowhere else; merge waits for: {command}").format(
                    command=command
                )
            )
        self.tools.checks.later.add(self.feature, self.worktree, judged)
        return FeatureOutcome(Status.COMPLETED, work=work)

    async def _pushes(self, work: Work) -> list[str]:
        """The commands that would publish what only this machine has of the submodules."""
        made, pushes = self.worktree, list[str]()
        if os.path.exists(os.path.join(made.path, ".gitmodules")):
            with suppress(UserError):  # merge looks again
                pushes = await self.tools.worktrees.unpublished(
                    made.path, made.start_commit, work.commit, made.branch
                )
        return pushes


def _failed(failure: Failure, fault: Fault) -> FeatureOutcome:
    """How a feature ends after a failure; its work stays on the branch."""
    if failure.interrupted:
        return FeatureOutcome(Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED)
    return FeatureOutcome(Status.FAILED, failure.reason, fault, stage=failure.stage)


def _without(missing: str, ended: FeatureOutcome) -> FeatureOutcome:
    """How a feature ends that would get another attempt, were there more money or time.

    ``CANCELLED`` if it would have been the first one.
    """
    before = N_("before that: {reason}").format(reason=ended.reason)
    after = f"; {before}" if ended.reason else ""
    status = Status.CANCELLED if ended.status is Status.CANCELLED else Status.FAILED
    return replace(ended, status=status, reason=f"{OVER}: {missing}{after}", fault=Fault.BUDGET)
