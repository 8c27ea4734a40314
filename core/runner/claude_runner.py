"""Brings one feature from its dependencies to its commit: worktree, Claude, checks, commit."""

from __future__ import annotations

import os
import shlex
from functools import partial

from ..git.refs import HEADS
from ..git.tampering import ExecutableFingerprint, Tampered
from ..model import events
from ..model.decision import Action
from ..model.errors import StateError, UserError
from ..model.feature import Config
from ..model.frozen import replace
from ..model.outcome import Fault, FeatureOutcome, Status
from ..process.supervisor import Killed, end_commands_on
from ..worktree import admin_files, dependencies, keeping
from ..worktree.branch_content import branch_content
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Conflict, Worktree
from .attempt import AttemptRunner
from .budget import Budget
from .checks import Checks
from .committer import Committer
from .context import RunContext
from .feature_run import FeatureRun, Tools
from .job import Job
from .setup_guard import SetupGuard
from .slots import Turn
from .usage_limit import UsageLimitGate

MIB = 1024**2


LEAST_FREE_BYTES = 64 * MIB
"""Nothing is started where the worktrees, or our own state, have less room than this."""


class ClaudeRunner:
    """Runs features of one run, each to its :class:`FeatureOutcome`; a failed one is a value.

    ``stop`` is the wish to end, all or one of them: nothing further is begun then, and the
    outcome ``cancelled``.
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
    ) -> None:
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

    async def run(self, job: Job, turn: Turn) -> FeatureOutcome:
        """Work on a feature until it has a result, or can't have one now.

        Its worktree is made before its turn comes, so that no slot waits for git.
        Raises :class:`StateError` where what happens can't be recorded.
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
            return FeatureOutcome(Status.CANCELLED, "interrupted", Fault.INTERRUPTED)
        except UserError as error:
            hint = f"\n{error.hint}" if error.hint else ""
            fault = Fault.TAMPERED if isinstance(error, Tampered) else Fault.GIT
            return FeatureOutcome(Status.FAILED, error.message + hint, fault)

    async def _run(self, job: Job, turn: Turn) -> FeatureOutcome:
        await self.tools.check_seal()
        worktree, resumed = await self._prepare(job)
        if isinstance(worktree, Conflict):
            return FeatureOutcome(Status.CONFLICT, self._conflict_reason(worktree))
        worktree = replace(worktree, base_commit=job.base_commit)
        admin = admin_files.admin_folder(self.worktrees, worktree.path)
        await self.fingerprint.watch(self.worktrees.git, os.path.join(admin, "config.worktree"))
        id = job.feature.id
        refused = await turn.begin()
        if refused:
            return FeatureOutcome(Status.CANCELLED, refused, Fault.INTERRUPTED)
        # Not before its turn: who waits for money would wait for one who waits for this slot.
        stopped = partial(self._stopped, id, turn)
        refused = await self.budget.reserve(id, stopped)
        if refused:
            fault = Fault.INTERRUPTED if stopped() else Fault.BUDGET
            return FeatureOutcome(Status.CANCELLED, refused, fault)
        try:
            no_room = self._no_room()
            if no_room is not None:
                return no_room
            env = self.preparation.environment(id, turn.number, turn.slot_count)
            return await FeatureRun(self.tools, job, turn, worktree, env, resumed=resumed).run()
        finally:
            self.budget.release(id)

    def _stopped(self, id: str, turn: Turn) -> str:
        """Why one who waits for money is to wait no longer; empty while it may."""
        return turn.closed or ("interrupted" if self.context.stop.of(id).is_set() else "")

    def _no_room(self) -> FeatureOutcome | None:
        """How a feature ends that is not even begun, because the disk is nearly full."""
        for folder in (self.context.log_folder, self.worktrees.folder):
            place, free = free_bytes(folder)
            if free < self.least_free_bytes:
                least = f"at least {self.least_free_bytes / MIB:.0f} MiB are needed"
                reason = f"only {free / MIB:.0f} MiB free in {place}; {least}"
                hint = "free some space, then run again: completed features stay completed"
                return FeatureOutcome(Status.CANCELLED, f"{reason}\n{hint}", Fault.SPACE)
        return None

    def _conflict_reason(self, conflict: Conflict) -> str:
        """Names the files and both features, and the command that mends it by hand."""
        folder = shlex.quote(self.worktrees.path(conflict.other))
        branch = self.branch_of(conflict.one) if conflict.one in self.listed else conflict.one
        return f"{conflict}\nmerge them by hand, then run again: cd {folder} && git merge {branch}"

    # -- the worktree ---------------------------------------------------------------------

    async def _prepare(self, job: Job) -> tuple[Worktree | Conflict, bool]:
        """The feature's worktree, and whether it holds an earlier attempt's work."""
        id = job.feature.id
        if job.decision.action is Action.RESUME:
            kept = await self.worktrees.reopen(id, job.known.start_commit)
            if kept is not None:
                return kept, True
        if job.known.start_commit:
            await self._clear(job)
        results = await self._results(job)
        start = await dependencies.start_commit(self.worktrees, job.base_commit, results)
        if isinstance(start, Conflict):
            return start, False
        self._based(job, start)
        worktree = await self.worktrees.create(id, start)
        if self.worktrees.git.merges_without_worktree or len(results) < 2:
            return worktree, False
        merged = await dependencies.merge_rest(self.worktrees, worktree, results)
        if isinstance(merged, Conflict):
            return merged, False
        self._based(job, merged)
        return replace(worktree, start_commit=merged), False

    async def _results(self, job: Job) -> dict[str, str]:
        """What it needs, as the branches hold it now: the user may have amended one meanwhile.

        Raises :class:`UserError` where he took one away.
        """
        git, results = self.worktrees.git, dict(job.results)
        for id, origin in job.origins.items():
            tip = await git.commit_of(HEADS + origin.branch)
            held = await branch_content(git, origin, tip, results[id], job.base_commit)
            if not held.tip:
                raise UserError(f"it needs {id}, but {held.words}", hint=held.hint)
            results[id] = held.tip
        return results

    def _based(self, job: Job, start_commit: str) -> None:
        self.context.record(
            events.based, job.decision, start_commit=start_commit, base_commit=job.base_commit
        )

    async def _clear(self, job: Job) -> None:
        """Make room for a new start; what stands there is kept under a ref first."""
        id, known = job.feature.id, job.known
        if not job.last_number:
            await self.worktrees.repair(id)
        entry = await self.worktrees.entry(id)
        path = entry.path if entry is not None else ""
        run = self.context.run_id
        made = known.made_before_work
        kept = await keeping.keep(self.worktrees, id, run, path, known.start_commit, made)
        if kept.ref:
            self.context.note(f"its earlier work is kept as {kept.ref}", id)
        if kept.aside:
            self.context.note(f"what looks secret in it is put aside in {kept.aside}", id)
        if path and os.path.isdir(path):
            red = await self.preparation.tear_down(id, path)
            if red is not None:
                self.context.note(red.reason, id)
        problem = await self.worktrees.remove(id, path, kept.tip)
        if problem:
            raise UserError(problem, hint="rename that branch, or switch away from it")


def free_bytes(folder: str) -> tuple[str, int]:
    """How much room there is where ``folder`` is or would be made, and what stands there."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    info = os.statvfs(folder)
    return folder, info.f_bavail * info.f_frsize
