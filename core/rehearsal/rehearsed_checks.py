"""Preparation and checks of a rehearsal: failures become findings and hold nothing up."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..model import events
from ..model.feature import Config, Feature
from ..model.list_commands import BASE
from ..model.outcome import Stage, Work
from ..model.state import RunState
from ..model.translate import N_
from ..process.environment import without_git
from ..process.supervisor import Supervisor
from ..runner.check_runner import CheckRunner
from ..runner.checks import Checks
from ..runner.context import RunContext
from ..runner.failure import Failure
from ..runner.judge import Judgement
from ..runner.preparation import VARIABLES, Preparation
from ..runner.steps import StepRunner
from ..worktree.manager import WorktreeManager
from ..worktree.names import MERGED
from ..worktree.worktree import Worktree
from .findings import Finding, FindingKind, Notebook
from .timed import TimedSteps, TimedSupplies, row_of

FIX_SETUP = N_("fix the setup, or what it needs")
FIX_BASE = N_("fix it, or set project.verify_base to false: the run would not start")
FIX_CHECK = N_("it passes on the base branch: fix what is different in a worktree")
FIX_BROKEN = N_("fix the command: it can't be run, or it takes too long")
FIX_PORTS = N_("end the programs that listen on the ports 20000 to 32000")
FIX_COMMIT = N_("fix your hook, or what it refuses")
FIX_RUN = N_("fix this: the run would fail in the same way")
FIX_MERGE = N_("merge them by hand, or let one depend on the other")
FIX_TEARDOWN = N_("correct project.teardown")
FIX_LEFT = N_(
    "let the command that creates or changes it undo that: else cleanup keeps the worktree"
)

NOT_RUN = (126, 127)
"""The exit codes of a shell for a program that it may not run or cannot find."""


class RehearsedPreparation(Preparation):
    """Prepares worktrees as a run does. A failure is a finding too."""

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        context: RunContext,
        notes: Notebook,
        *,
        exclude: str,
        stored: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            config,
            worktrees,
            steps,
            context,
            environ=without_git(os.environ),
            supplies=TimedSupplies(worktrees, config.project, notes, exclude=exclude),
            stored=stored,
        )
        self.notes = notes

    def environment(self, feature: str, slot: int, slots: int) -> dict[str, str]:
        """The variables of a feature. That no ports are free is a finding."""
        env = super().environment(feature, slot, slots)
        if f"{VARIABLES}PORT" not in env:
            text = N_("no ports are free: {variable} would not be set")
            what = text.format(variable=f"{VARIABLES}PORT")
            self.notes.met(Finding(FindingKind.PORTS, what, FIX_PORTS, (row_of(feature),)))
        return env

    async def make_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str], *, recorded: bool = True
    ) -> Failure | None:
        """Copy and run the setup. A failure is a finding, and ends the feature as in a run."""
        failure = await super().make_ready(feature, worktree, env, recorded=recorded)
        if failure is not None and not failure.interrupted:
            is_setup = failure.stage is Stage.SETUP
            kind, next = (
                (FindingKind.SETUP, FIX_SETUP) if is_setup else (FindingKind.FILES, failure.hint)
            )
            self.notes.met(_finding(kind, failure, next, worktree.feature))
        return failure


class RehearsedChecks(Checks):
    """Runs every check. A failure is a finding and ends nothing."""

    def __init__(self, preparation: Preparation, runner: CheckRunner, notes: Notebook) -> None:
        super().__init__(preparation, runner)
        self.notes = notes

    async def check_base(self, base_commit: str) -> Failure | None:
        """Check the base branch. If this fails, the run would not start."""
        failure = await super().check_base(base_commit)
        return self._unless_noted(failure, BASE, FindingKind.BASE, FIX_BASE)

    async def check_merged(self, commit: str, branch: str) -> Failure | None:
        """Run the project's checks on all features together."""
        failure = await super().check_merged(commit, branch)
        return self._unless_noted(failure, MERGED, FindingKind.CHECKS, FIX_CHECK)

    async def check(
        self, feature: Feature, worktree: Worktree, work: Work, env: Mapping[str, str]
    ) -> Judgement:
        """Run every check on the commit of an agent that did not do the work: no verdicts."""
        return Judgement(halt=await self._interruption(feature, worktree, work, env))

    async def _interruption(
        self, feature: Feature, worktree: Worktree, work: Work, env: Mapping[str, str]
    ) -> Failure | None:
        of_project = self.config.project.verify
        commands = (*of_project, *feature.verify)
        if commands:
            self.context.record(events.checking, feature.id)
        all_passed = True
        for number, command in enumerate(commands):
            failure = await self.runner.run(feature.id, [command], worktree, work.commit, env)
            all_passed = all_passed and failure is None
            own = number >= len(of_project)
            if self._unless_noted(failure, feature.id, FindingKind.CHECKS, FIX_CHECK, own=own):
                return failure
        if commands and all_passed and self.config.project.verify_clean:
            failure = await self.check_clean(feature, commands, worktree, work.commit, env)
            if self._unless_noted(failure, feature.id, FindingKind.CHECKS, FIX_CHECK):
                return failure
        await self.runner.settle(feature.id, worktree)
        return None

    def _unless_noted(
        self, failure: Failure | None, name: str, kind: FindingKind, next: str, *, own: bool = False
    ) -> Failure | None:
        """Note a failure as a finding. Return it only if it was an interruption."""
        if failure is None or failure.interrupted:
            return failure
        if not self.notes.explains(failure.origin):
            step = failure.step
            is_broken = step is not None and (step.timed_out or step.code in NOT_RUN)
            # Without Claude's work, these checks have to fail.
            expected = (own or not self.config.project.verify_base) and not is_broken
            next = FIX_BROKEN if is_broken else next
            self.notes.met(_finding(kind, failure, next, name), expected=expected)
        return None


def rehearsed_checks(
    notes: Notebook,
    exclude: str,
    config: Config,
    worktrees: WorktreeManager,
    supervisor: Supervisor,
    context: RunContext,
    state: RunState,
) -> Checks:
    """The checks of a rehearsal: :func:`core.runner.checks.make_checks` with notes.

    ``exclude`` is the folder of the user's own worktrees.
    """
    steps = TimedSteps(supervisor, context, notes)
    preparation = RehearsedPreparation(
        config, worktrees, steps, context, notes, exclude=exclude, stored=state.stored
    )
    runner = CheckRunner(
        config, worktrees, steps, context, passed=set(state.passed), wrote=state.wrote
    )
    return RehearsedChecks(preparation, runner, notes)


def _finding(kind: FindingKind, failure: Failure, next: str, name: str) -> Finding:
    return Finding(kind, failure.cause, next, (row_of(name),), failure.printed)
