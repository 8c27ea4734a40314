"""`ClaudeRunner`: one feature from its dependencies to its commit: worktree, slot, budget, disk."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from ..git.refs import HEADS
from ..git.tampering import ExecutableFingerprint, Tampered
from ..model import events
from ..model.decision import Action
from ..model.errors import StateError, UserError
from ..model.feature import Config
from ..model.frozen import dataclass, replace
from ..model.outcome import Fault, FeatureOutcome, Status
from ..model.translate import N_
from ..process.supervisor import Killed, end_commands_on
from ..worktree import admin_files, dependencies, keeping
from ..worktree.branch_content import branch_content
from ..worktree.dependencies import Meeting
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Conflict, Worktree
from .attempt import AttemptRunner
from .budget import Budget
from .checks import Checks
from .committer import Committer
from .context import RunContext
from .feature_run import FeatureRun, Tools
from .job import Job
from .reopening import reopen
from .setup_guard import SetupGuard
from .slots import Turn
from .usage_limit import UsageLimitGate

MIB = 1024**2


@dataclass(frozen=True)
class Answer:
    """How Claude resolved a conflict: the commit with both sides, or why there is none."""

    commit: str = ""
    reason: str = ""
    fault: Fault = Fault.NONE
    cost_usd: float = 0.0
    """Of this conflict; an unknown cost counts as the amount granted."""


ResolveMeeting = Callable[[Job, Turn, Meeting], Awaitable[Answer]]
"""Resolves a conflict between what a feature depends on, in the feature's slot."""


OR_CLAUDE = N_("or let Claude resolve it: rorchestrator run --resolve")


LEAST_FREE_BYTES = 64 * MIB
"""Nothing is started if the disk of the worktrees, or of the logs, has less free space."""


class ClaudeRunner:
    """Runs the features of one run, each to its :class:`FeatureOutcome`. A failure is a value.

    After a stop of the run or of a feature, nothing more is started, and the outcome is
    ``cancelled``.
    """

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        attempts: AttemptRunner,
        checks: Checks,
        gate: UsageLimitGate,
        budget: Budget,
        fingerprint: ExecutableFingerprint,
        context: RunContext,
        *,
        least_free_bytes: int = LEAST_FREE_BYTES,
        resolve: ResolveMeeting | None = None,
    ) -> None:
        self.resolve = resolve
        self.seen: asyncio.Task[None] | None = None
        """Reads the surroundings while the first worktrees are made, before anything runs there."""
        self.config = config
        self.branch_of = attempts.config.branch_of
        self.listed = frozenset(feature.id for feature in attempts.config.features)
        self.worktrees = worktrees
        self.attempts = attempts
        self.preparation = checks.preparation
        self.gate = gate
        self.budget = budget
        self.fingerprint = fingerprint
        self.context = context
        self.least_free_bytes = least_free_bytes
        guard = self.preparation.guard = SetupGuard(worktrees, fingerprint, context)
        self.committer = Committer(
            worktrees,
            fingerprint,
            context,
            limit_seconds=config.project.commit_timeout_seconds,
            is_to_end=self.preparation.steps.is_to_end,
        )
        self.tools = Tools(
            config,
            worktrees,
            attempts,
            self.preparation,
            checks,
            gate,
            budget,
            guard,
            self.committer,
            fingerprint,
            context,
        )

    def take_up(self, config: Config, begun: Collection[str]) -> None:
        """Write the prompts of a changed list; features that have ``begun`` keep theirs."""
        self.listed = self.listed.union(feature.id for feature in config.features)
        self.attempts.take_up(config, begun)

    async def run(self, job: Job, turn: Turn) -> FeatureOutcome:
        """Run a feature until it has a result or cannot get one now.

        Its worktree is created before it has a slot, so that no slot waits for git.
        Raises :class:`StateError` if the journal can't be written.
        """
        id = job.feature.id
        end_commands_on(self.context.stop.of(id))
        path, branch = self.worktrees.path(id), self.branch_of(id)
        name = job.feature.name
        no_room = self._no_room()
        if no_room is not None:
            return no_room
        self.context.record(events.preparing, job.decision, branch=branch, worktree=path, name=name)
        try:
            return await self._run(job, turn)
        except StateError:
            raise
        except Killed:
            return FeatureOutcome(Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED)
        except UserError as error:
            hint = f"\n{error.hint}" if error.hint else ""
            fault = Fault.TAMPERED if isinstance(error, Tampered) else Fault.GIT
            return FeatureOutcome(Status.FAILED, error.message + hint, fault)

    async def _run(self, job: Job, turn: Turn) -> FeatureOutcome:
        await self.tools.check_seal()
        prepared, resumed = await self._prepare(job)
        if isinstance(prepared, Conflict) and self.resolve is None:
            return FeatureOutcome(Status.CONFLICT, self._conflict_reason(prepared))
        id = job.feature.id
        refused = await turn.begin()
        if refused:
            return FeatureOutcome(Status.CANCELLED, refused, Fault.INTERRUPTED)
        # Only with a slot: a feature that waits for budget could wait for one that needs this slot.
        stopped = partial(self._stopped, id, turn)
        refused = await self.budget.reserve(id, stopped)
        if refused:
            fault = Fault.INTERRUPTED if stopped() else Fault.BUDGET
            return FeatureOutcome(Status.CANCELLED, refused, fault)
        try:
            no_room = self._no_room()
            if no_room is not None:
                return no_room
            return await self._in_slot(job, turn, prepared, resumed=resumed)
        finally:
            self.budget.release(id)

    async def _in_slot(
        self, job: Job, turn: Turn, prepared: Worktree | Conflict, *, resumed: bool
    ) -> FeatureOutcome:
        await self._surroundings_seen()
        spent: list[float] = []
        if isinstance(prepared, Conflict):
            prepared = await self._settled(job, turn, spent)
        if isinstance(prepared, Conflict):
            return self._unsettled(job.feature.id, prepared)
        worktree = replace(prepared, base_commit=job.base_commit)
        admin = admin_files.admin_folder(self.worktrees, worktree.path)
        await self.fingerprint.watch(self.worktrees.git, os.path.join(admin, "config.worktree"))
        env = self.preparation.environment(job.feature.id, turn.number, turn.slot_count)
        return await FeatureRun(
            self.tools, job, turn, worktree, env, resumed=resumed, spent_usd=sum(spent)
        ).run()

    async def _surroundings_seen(self) -> None:
        if self.seen is not None:
            await asyncio.shield(self.seen)  # A feature that is cancelled must not cancel it.

    def _stopped(self, id: str, turn: Turn) -> str:
        """Why a feature must not wait for budget any longer, or ""."""
        return turn.closed or (N_("interrupted") if self.context.stop.of(id).is_set() else "")

    def _no_room(self) -> FeatureOutcome | None:
        """The outcome of a feature that is not started because the disk is nearly full."""
        for folder in (self.context.log_folder, self.worktrees.folder):
            place, free = free_bytes(folder)
            if free < self.least_free_bytes:
                reason = N_(
                    "only {free:.0f} MiB free in {place}; at least {least:.0f} MiB are needed\n"
                    "free some space, then run again: completed features stay completed"
                ).format(free=free / MIB, place=place, least=self.least_free_bytes / MIB)
                return FeatureOutcome(Status.CANCELLED, reason, Fault.SPACE)
        return None

    def _conflict_reason(self, conflict: Conflict) -> str:
        """The files and both features, and the command to merge them by hand."""
        folder = shlex.quote(self.worktrees.path(conflict.other))
        branch = self.branch_of(conflict.one) if conflict.one in self.listed else conflict.one
        said = f"{conflict}; {conflict.reason}" if conflict.reason else str(conflict)
        by_hand = N_(
            "{conflict}\nmerge them by hand, then run again: cd {folder} && git merge {branch}"
        ).format(conflict=said, folder=folder, branch=branch)
        return by_hand if self.resolve else f"{by_hand}\n{OR_CLAUDE}"

    # -- the worktree ---------------------------------------------------------------------

    async def _prepare(self, job: Job) -> tuple[Worktree | Conflict, bool]:
        """The feature's worktree, and whether it has the work of an earlier attempt."""
        id = job.feature.id
        if job.goes_on:
            below = list(job.results.values())
            reopened = await reopen(self.worktrees, job.known, below, job.base_commit)
            at = reopened.worktree.start_commit
            self.context.record(events.reopened, id, start_commit=at, tip=reopened.tip)
            return reopened.worktree, True
        if job.decision.action is Action.RESUME:
            kept = await self.worktrees.reopen(id, job.known.start_commit)
            if kept is not None:
                return kept, True
        if job.known.start_commit:
            await self._clear(job)
        results = await self._results(job)
        later = None if self.resolve is None else _later
        start = await dependencies.start_commit(self.worktrees, job.base_commit, results, later)
        if isinstance(start, Conflict):
            return start, False
        self._based(job, start)
        worktree = await self.worktrees.create(id, start)
        if self.worktrees.git.merges_without_worktree or later or len(results) < 2:
            return worktree, False
        merged = await dependencies.merge_rest(self.worktrees, worktree, results)
        if isinstance(merged, Conflict):
            return merged, False
        self._based(job, merged)
        return replace(worktree, start_commit=merged), False

    async def _settled(self, job: Job, turn: Turn, spent: list[float]) -> Worktree | Conflict:
        """The feature's worktree on a start commit whose conflicts Claude resolved.

        ``spent`` gets what each of them cost.
        """

        async def settle(meeting: Meeting, conflict: Conflict) -> str | Conflict:
            assert self.resolve is not None
            answer = await self.resolve(job, turn, meeting)
            spent.append(answer.cost_usd)
            return answer.commit or replace(conflict, reason=answer.reason, fault=answer.fault)

        results = await self._results(job)
        start = await dependencies.start_commit(self.worktrees, job.base_commit, results, settle)
        if isinstance(start, Conflict):
            return start
        self._based(job, start)
        return await self.worktrees.create(job.feature.id, start)

    def _unsettled(self, id: str, conflict: Conflict) -> FeatureOutcome:
        """How a feature ends whose dependencies' conflict Claude did not resolve."""
        if conflict.fault is Fault.INTERRUPTED or self.context.stop.of(id).is_set():
            return FeatureOutcome(Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED)
        return FeatureOutcome(Status.CONFLICT, self._conflict_reason(conflict), conflict.fault)

    async def _results(self, job: Job) -> dict[str, str]:
        """The commits of its dependencies as their branches are now: the user may amend them.

        Raises :class:`UserError` if one is gone.
        """
        git, results = self.worktrees.git, dict(job.results)
        branches = [HEADS + origin.branch for origin in job.origins.values()]
        tips = await git.refs(*branches) if branches else {}
        for id, origin in job.origins.items():
            tip = tips.get(HEADS + origin.branch, "")
            held = await branch_content(git, origin, tip, results[id], job.base_commit)
            if not held.tip:
                raise UserError(
                    N_("it needs {id}, but {why}").format(id=id, why=held.words), hint=held.hint
                )
            results[id] = held.tip
        return results

    def _based(self, job: Job, start_commit: str) -> None:
        self.context.record(
            events.based, job.decision, start_commit=start_commit, base_commit=job.base_commit
        )

    async def _clear(self, job: Job) -> None:
        """Remove the old worktree and branch for a new start. Their work is kept under a ref."""
        id, known = job.feature.id, job.known
        if not job.last_number:
            await self.worktrees.repair(id)
        entry = await self.worktrees.entry(id)
        path = entry.path if entry is not None else ""
        run = self.context.run_id
        made = known.made_before_work
        kept = await keeping.keep(self.worktrees, id, run, path, known.start_commit, made)
        if kept.ref:
            self.context.note(N_("its earlier work is kept as {ref}").format(ref=kept.ref), id)
        if kept.aside:
            self.context.note(
                N_("what looks secret in it is put aside in {folder}").format(folder=kept.aside), id
            )
        if path and os.path.isdir(path):
            await self._surroundings_seen()
            failure = await self.preparation.tear_down(id, path)
            if failure is not None:
                self.context.note(failure.reason, id)
        problem = await self.worktrees.remove(id, path, kept.tip)
        if problem:
            raise UserError(problem, hint=N_("rename that branch, or switch away from it"))


async def _later(meeting: Meeting, conflict: Conflict) -> Conflict:
    """What is to be resolved waits for a slot."""
    return conflict


def free_bytes(folder: str) -> tuple[str, int]:
    """The nearest folder that exists at or above ``folder``, and the free bytes of its disk."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    info = os.statvfs(folder)
    return folder, info.f_bavail * info.f_frsize
