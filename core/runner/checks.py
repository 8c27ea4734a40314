"""`Checks`: verify commands and contracts of features, of the base branch and of merged commits."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy

from ..git.refs import HEADS
from ..model import events
from ..model.contracts import Contract, Kind, contracts
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.feature import Command, Config, Feature
from ..model.frozen import replace
from ..model.list_commands import BASE, promised_commands, shell_command
from ..model.outcome import Work
from ..model.state import RunState
from ..model.translate import N_
from ..process.environment import without_git
from ..process.supervisor import Supervisor
from ..worktree.manager import WorktreeManager
from ..worktree.names import CLEAN, MERGED
from ..worktree.worktree import Worktree
from .check_runner import CheckRunner, Result
from .context import RunContext
from .failure import Failure, unable
from .judge import FLAKY, IN_CLEAN, Judge, Judgement, checks_of, holds
from .later_looks import LaterLooks
from .preparation import VARIABLES, Preparation
from .start_looks import Start, StartLooks
from .steps import StepRunner


class Checks:
    """The checks of one run: which commands and contracts apply to a commit, and where they run."""

    def __init__(self, preparation: Preparation, runner: CheckRunner) -> None:
        self.preparation = preparation
        self.runner = runner
        self.config = preparation.config
        self.worktrees = preparation.worktrees
        self.context = preparation.context
        self.looks = StartLooks(preparation, runner)
        self.later = LaterLooks(self.looks, preparation, self.context)
        self.slot = (0, 1)
        """The number of the slot in which merges are checked, and how many there are."""
        self.failing_alone: dict[str, None] = {}
        """Checks of the project that fail on the branch that features land on, without them."""

    def in_slot(self, number: int, count: int) -> Checks:
        """The same checks, for merges that are checked while features run."""
        same = copy(self)
        same.slot = (number, count)
        return same

    # -- one feature ----------------------------------------------------------------------

    async def missing(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str]
    ) -> Failure | None:
        """The first entry of ``uses`` that the feature's starting point does not have."""
        for contract in contracts(feature.uses):
            failure = await self._keep(feature, contract, worktree, worktree.start_commit, env)
            if failure is not None:
                return failure.within(N_("`uses` names {contract}, but {what}"), contract=contract)
        return None

    async def check(
        self, feature: Feature, worktree: Worktree, work: Work, env: Mapping[str, str]
    ) -> Judgement:
        """Judge the commit in a feature's worktree."""
        todo = checks_of(feature, self.config.project.verify)
        if not (todo or contracts(feature.creates)):
            return Judgement()
        self.context.record(events.checking, feature.id)
        if work.held_back and not self.config.project.verify_clean:
            self._note_held_back(feature, work.held_back)
        judge = Judge(self.runner, self.looks, feature, worktree, work.commit, env)
        try:
            await judge.look_for_contracts()
            halt = await judge.run(todo)
            if halt is None and self.config.project.verify_clean and not judge.has_failed:
                halt = await self._judge_clean(judge)
            if halt is not None:
                return Judgement(halt=halt)
            made = await judge.judgement()
            if not made.failures:
                await self.runner.settle(feature.id, worktree)
            return made
        except UserError as error:
            return Judgement(halt=unable(error))

    async def _judge_clean(self, judge: Judge) -> Failure | None:
        """Judge what passed in a clean checkout as well; why there is no verdict."""
        found = await self._clean_results(
            judge.feature, judge.passing, judge.worktree, judge.commit, judge.env, repeats=True
        )
        if not isinstance(found, Failure):
            return await judge.take(found)
        if found.interrupted or found.is_ours:
            return found
        judge.failures.append(found.within(IN_CLEAN))
        return None

    def _note_held_back(self, feature: Feature, files: Collection[str]) -> None:
        text = N_(
            "the checks see files that are in no commit: {files} (project.verify_clean "
            "checks without them)"
        ).format(files=some(files))
        self.context.note(text, feature.id)

    async def _keep(
        self,
        feature: Feature,
        contract: Contract,
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> Failure | None:
        """The failure of one contract on a commit."""
        if contract.kind is not Kind.COMMAND:
            return await holds(self.worktrees.git, contract, commit)
        command = shell_command(contract.what)
        return await self.runner.run(feature.id, [command], worktree, commit, env)

    async def check_clean(
        self,
        feature: Feature,
        commands: Sequence[Command],
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> Failure | None:
        """Repeat checks in a checkout that has only the commit, the supplies and the setup."""
        found = await self._clean_results(feature, commands, worktree, commit, env)
        if not isinstance(found, Failure):
            return next((each.failure.within(IN_CLEAN) for each in found if each.failure), None)
        return found.within(IN_CLEAN)

    async def _clean_results(
        self,
        feature: Feature,
        commands: Sequence[Command],
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
        *,
        repeats: bool = False,
    ) -> list[Result] | Failure:
        """The results of checks in a clean checkout, or why there is none."""
        supplied = await self.preparation.supplies.digest()
        if await self.runner.have_passed(commands, commit, clean=True, supplied=supplied):
            return []
        async with self.preparation.scratch(CLEAN + feature.id, commit) as scratch:
            clean = replace(scratch, base_commit=worktree.base_commit)
            there = {**env, f"{VARIABLES}FEATURE": clean.feature}
            failure = await self.preparation.make_scratch_ready(feature, clean, there)
            return failure or await self.runner.results(
                *(feature.id, commands, clean, commit, there),
                clean=True,
                repeats=repeats,
                is_fresh=not self.preparation.is_needed(feature),
            )

    # -- the base branch, and merged commits ----------------------------------------------

    async def check_base(self, base_commit: str) -> Failure | None:
        """Check the base branch before anything is paid for."""
        project = self.config.project
        if not (project.verify and project.verify_base):
            return None
        try:
            if await self.have_passed(base_commit):
                return None
            words = N_("checking {branch} before anything is paid for").format(
                branch=project.base_branch
            )
            self.context.note(words)
            return await self._check_commit(
                Feature(BASE, BASE), base_commit, project.base_branch, project.verify
            )
        except UserError as error:
            return unable(error)

    async def check_merged(self, commit: str, branch: str) -> Failure | None:
        """Run the project's checks on the commit that is to land on a branch."""
        if await self.have_passed(commit):
            return None
        verify = self.config.project.verify
        return await self._check_landing(Feature(MERGED, MERGED), commit, branch, verify)

    async def have_passed(self, commit: str) -> bool:
        """Whether the project's checks are known to pass on a commit; also if there are none.

        Only clean checkouts count: in a feature's worktree, a check may use uncommitted files.
        """
        return await self._have_passed(self.config.project.verify, commit)

    async def _have_passed(self, commands: Sequence[Command], commit: str) -> bool:
        try:
            supplied = await self.preparation.supplies.digest()
        except UserError:
            return False  # The preparation of the worktree will say so.
        return await self.runner.have_passed(commands, commit, clean=True, supplied=supplied)

    async def check_sides(
        self, commit: str, branch: str, features: Sequence[Feature]
    ) -> Failure | None:
        """Check a merge of features: the project's checks, and their own checks and contracts."""
        try:
            for feature in features:
                failure = await self._check_files(feature, commit)
                if failure is not None:
                    return failure
            own = [each for f in features for each in (*promised_commands(f.creates), *f.verify)]
            commands = (*self.config.project.verify, *own)
            if await self._have_passed(commands, commit):
                return None
            setup = tuple(command for feature in features for command in feature.setup)
            merged = Feature(MERGED, MERGED, setup=setup)
            return await self._check_landing(merged, commit, branch, commands)
        except UserError as error:
            return unable(error)

    async def _check_files(self, feature: Feature, commit: str) -> Failure | None:
        """The first path or symbol that a feature promises and a merge does not have."""
        for contract in contracts(feature.creates):
            if contract.kind is not Kind.COMMAND:
                failure = await holds(self.worktrees.git, contract, commit)
                if failure is not None:
                    words = N_("`creates` of {id} names {contract}, but {what}")
                    return failure.within(words, id=feature.id, contract=contract)
        return None

    async def _check_commit(
        self, named: Feature, commit: str, branch: str, commands: Sequence[Command]
    ) -> Failure | None:
        """The first failure of checks on a commit of the branch, after a repetition."""
        found = await self._results_of(named, commit, branch, commands, commit, stops=True)
        if isinstance(found, Failure):
            return found
        flaky = [f"`{each.command.line}`" for each in found if each.is_flaky]
        if flaky:
            self.context.note(FLAKY.format(checks=some(flaky)))
        return next((each.failure for each in found if each.failure), None)

    async def _check_landing(
        self, named: Feature, commit: str, branch: str, commands: Sequence[Command]
    ) -> Failure | None:
        """The first failure of checks on a commit that is to land on the branch.

        A check of the project that fails on the branch alone does not count.
        """
        onto = await self.worktrees.git.commit_of(HEADS + branch)
        found = await self._results_of(named, commit, branch, commands, onto)
        if isinstance(found, Failure):
            return found
        failing = [each for each in found if each.failure is not None]
        if not failing or failing[-1].is_interrupted:
            return failing[-1].failure if failing else None
        ours = [r.command for r in failing if onto and r.command in self.config.project.verify]
        env = self.preparation.environment(named.id, *self.slot)
        project = Feature(MERGED, MERGED)
        alone = await self.looks.look(project, Start(onto, onto), ours, env) if ours else {}
        halt = next((before.failure for before in alone.values() if before.halts), None)
        if halt is not None:
            return halt
        excused = {command for command, before in alone.items() if before.passed is False}
        self.failing_alone.update(dict.fromkeys(each.line for each in excused))
        return next((each.failure for each in failing if each.command not in excused), None)

    async def _results_of(
        self,
        named: Feature,
        commit: str,
        branch: str,
        commands: Sequence[Command],
        base_commit: str,
        *,
        stops: bool = False,
    ) -> list[Result] | Failure:
        """The results in a scratch worktree of a commit, with the name and setup of ``named``."""
        env = {**self.preparation.environment(named.id, *self.slot), f"{VARIABLES}BRANCH": branch}
        async with self.preparation.scratch(named.id, commit) as scratch:
            worktree = replace(scratch, base_commit=base_commit)
            failure = await self.preparation.make_scratch_ready(named, worktree, env)
            return failure or await self.runner.results(
                *(named.id, commands, worktree, commit, env),
                clean=True,
                repeats=True,
                stops=stops,
                is_fresh=not self.preparation.is_needed(named),
            )


MakeChecks = Callable[[Config, WorktreeManager, Supervisor, RunContext, RunState], Checks]
"""The type of :func:`make_checks`; a rehearsal has another one."""


def make_checks(
    config: Config,
    worktrees: WorktreeManager,
    supervisor: Supervisor,
    context: RunContext,
    state: RunState,
    environ: Mapping[str, str] | None = None,
) -> Checks:
    """The checks of a run or a landing, and their preparation; ``state`` is from before it."""
    environ = without_git(os.environ) if environ is None else environ
    steps = StepRunner(supervisor, context)
    preparation = Preparation(
        config, worktrees, steps, context, environ=environ, stored=state.stored
    )
    runner = CheckRunner(
        config, worktrees, steps, context, passed=set(state.passed), wrote=state.wrote
    )
    return Checks(preparation, runner)
