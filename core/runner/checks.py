"""`Checks`: verify commands and contracts of features, of the base branch and of merged commits."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..git import commits
from ..git.door import Git
from ..git.refs import HEADS
from ..model import events
from ..model.contracts import PROSE, Contract, Kind, contracts, definition
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
from .check_runner import CheckRunner
from .context import RunContext
from .failure import Failure, unable
from .preparation import VARIABLES, Preparation
from .steps import StepRunner


class Checks:
    """The checks of one run: which commands and contracts apply to a commit, and where they run."""

    def __init__(self, preparation: Preparation, runner: CheckRunner) -> None:
        self.preparation = preparation
        self.runner = runner
        self.config = preparation.config
        self.worktrees = preparation.worktrees
        self.context = preparation.context

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
    ) -> Failure | None:
        """The first check or contract that fails on the commit in a feature's worktree."""
        commands = (*self.config.project.verify, *feature.verify)
        if not (commands or contracts(feature.creates)):
            return None
        self.context.record(events.checking, feature.id)
        if work.held_back and not self.config.project.verify_clean:
            self._note_held_back(feature, work.held_back)
        try:
            failure = await self._check_promises(feature, worktree, work.commit, env)
            failure = failure or await self.runner.run(
                feature.id, commands, worktree, work.commit, env
            )
            if failure is None and self.config.project.verify_clean:
                again = (*promised_commands(feature.creates), *commands)
                failure = await self.check_clean(feature, again, worktree, work.commit, env)
            if failure is None:
                await self.runner.settle(feature.id, worktree)
            return failure
        except UserError as error:
            return unable(error)

    async def _check_promises(
        self, feature: Feature, worktree: Worktree, commit: str, env: Mapping[str, str]
    ) -> Failure | None:
        for contract in contracts(feature.creates):
            failure = await self._keep(feature, contract, worktree, commit, env)
            if failure is not None:
                return failure.within(
                    N_("`creates` names {contract}, but {what}"), contract=contract
                )
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
            return await _holds(self.worktrees.git, contract, commit)
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
        if await self.runner.have_passed(commands, commit, clean=True):
            return None
        async with self.preparation.scratch(CLEAN + feature.id, commit) as scratch:
            clean = replace(scratch, base_commit=worktree.base_commit)
            there = {**env, f"{VARIABLES}FEATURE": clean.feature}
            failure = await self.preparation.make_scratch_ready(feature, clean, there)
            failure = failure or await self.runner.run(
                feature.id, commands, clean, commit, there, clean=True
            )
        return failure and failure.within(N_("in a clean checkout, {what}"))

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
        return await self._check_commit(Feature(MERGED, MERGED), commit, branch, verify)

    async def have_passed(self, commit: str) -> bool:
        """Whether the project's checks are known to pass on a commit; also if there are none.

        Only clean checkouts count: in a feature's worktree, a check may use uncommitted files.
        """
        return await self.runner.have_passed(self.config.project.verify, commit, clean=True)

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
            if await self.runner.have_passed(commands, commit, clean=True):
                return None
            setup = tuple(command for feature in features for command in feature.setup)
            merged = Feature(MERGED, MERGED, setup=setup)
            return await self._check_commit(merged, commit, branch, commands)
        except UserError as error:
            return unable(error)

    async def _check_files(self, feature: Feature, commit: str) -> Failure | None:
        """The first path or symbol that a feature promises and a merge does not have."""
        for contract in contracts(feature.creates):
            if contract.kind is not Kind.COMMAND:
                failure = await _holds(self.worktrees.git, contract, commit)
                if failure is not None:
                    words = N_("`creates` of {id} names {contract}, but {what}")
                    return failure.within(words, id=feature.id, contract=contract)
        return None

    async def _check_commit(
        self, named: Feature, commit: str, branch: str, commands: Iterable[Command]
    ) -> Failure | None:
        """Run checks in a scratch worktree of a commit, with the name and setup of ``named``."""
        env = {**self.preparation.environment(named.id, 0, 1), f"{VARIABLES}BRANCH": branch}
        onto = await self.worktrees.git.commit_of(HEADS + branch)
        async with self.preparation.scratch(named.id, commit) as scratch:
            worktree = replace(scratch, base_commit=commit if named.id == BASE else onto)
            failure = await self.preparation.make_scratch_ready(named, worktree, env)
            return failure or await self.runner.run(
                named.id, commands, worktree, commit, env, clean=True
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
    preparation = Preparation(config, worktrees, steps, context, environ=environ)
    runner = CheckRunner(
        config, worktrees, steps, context, passed=set(state.passed), wrote=state.wrote
    )
    return Checks(preparation, runner)


async def _holds(git: Git, contract: Contract, commit: str) -> Failure | None:
    """The failure of a ``path:`` or ``symbol:`` contract on a commit."""
    if contract.kind is Kind.PATH:
        found = await commits.has_path(git, commit, contract.what)
        return None if found else Failure(N_("there is no such path"))
    found = await commits.has_line(git, commit, definition(contract.what), exclude=PROSE)
    return None if found else Failure(N_("no line of code defines it"))
