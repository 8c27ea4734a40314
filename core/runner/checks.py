"""Makes a worktree ready to work in, and checks what was made in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from ..git import commits, staging, worktree_status
from ..git.output import WorktreeStatus
from ..git.refs import HEADS
from ..model import events
from ..model.contracts import PROSE, Contract, Kind, contracts, definition
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.feature import Command, Config, Feature
from ..model.frozen import replace
from ..model.list_commands import BASE, promised_commands, shell_command
from ..model.outcome import Stage, Work
from ..worktree import build_products, inspection
from ..worktree.check_artifacts import CheckArtifacts
from ..worktree.files import built_by_tools
from ..worktree.manager import WorktreeManager
from ..worktree.names import MERGED, scratch_owner
from ..worktree.worktree import Worktree
from . import ports
from .context import RunContext
from .failure import Failure, unable
from .setup_guard import SetupGuard
from .steps import Step, StepRunner
from .supplies import Supplies

VARIABLES = "RORCHESTRATOR_"
"""What the names of the variables begin with that setup, Claude and the checks are given."""

NAMES = frozenset(VARIABLES + name for name in ("FEATURE", "BRANCH", "RUN", "SLOT", "PORT"))

GIT_LOG = "git.log"
"""Complaints of git that are too long for a message."""


NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For checks, unless the user says otherwise: Python rewrites its caches, tracked ones too."""

CLEAN = "_clean_"
"""Put before a feature's id for the clean checkout of its commit."""


class Workbench:
    """Copies, links, setup and checks of one run's worktrees.

    ``passed`` are the checks that are known to be green, by :func:`check_key`; it grows. ``wrote``
    are the files that commands, by :func:`command_key`, left in scratch worktrees before.
    """

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        context: RunContext,
        *,
        environ: Mapping[str, str],
        passed: set[str],
        wrote: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.config = config
        self.worktrees = worktrees
        self.steps = steps
        self.context = context
        worktrees.git.log = os.path.join(context.log_folder, GIT_LOG)
        self.environ = environ
        self.passed = passed
        self.supplies = Supplies(worktrees, config.project)
        self.guard: SetupGuard | None = None
        """What watches the setups of a run; a landing has none."""
        self._leftovers: dict[str, CheckArtifacts] = {}
        self._wrote = {by: set(files) for by, files in (wrote or {}).items()}

    def leftovers(self, worktree: Worktree) -> CheckArtifacts:
        """What checks left in a worktree, in this run."""
        return self._leftovers.setdefault(worktree.path, CheckArtifacts(worktree.path))

    def without_leftovers(
        self, worktree: Worktree, status: WorktreeStatus, *, was_checked: bool
    ) -> WorktreeStatus:
        """What stands in a worktree, less what checks left there.

        ``was_checked`` tells that an earlier run had begun to check, when all work was committed.
        """
        left = self.leftovers(worktree)
        if was_checked:
            left.ignore(status.untracked)
        ignored = () if was_checked else (f for f in status.ignored if f not in left.paths)
        return replace(status, ignored=tuple(ignored)).without(set(left.files))

    def environment(self, feature: str, slot: int, slots: int) -> dict[str, str]:
        """The environment of everything that works for a feature in one of so many slots.

        It names no port where none is free: few lists need one.
        """
        port = ports.free_block(slot, slots, self.context.run_id)
        if not port:
            taken = f"no {ports.BLOCK} ports in a row are free: {VARIABLES}PORT is not set"
            self.context.note(taken, feature)
        named = {"SLOT": str(slot), **({"PORT": str(port)} if port else {})}
        return self._named(feature, self.worktrees.branch(feature), **named)

    def _named(self, feature: str, branch: str, **more: str) -> dict[str, str]:
        ours = {"FEATURE": feature, "BRANCH": branch, "RUN": self.context.run_id, **more}
        # Of a run that we are a part of, or of one that left them behind.
        kept = {name: value for name, value in self.environ.items() if name not in NAMES}
        return {**kept, **{VARIABLES + name: value for name, value in ours.items()}}

    # -- before the work ------------------------------------------------------------------

    async def make_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str], *, told: bool = True
    ) -> Failure | None:
        """Copy, link and set up; what failed, or nothing. ``told`` where the journal is to know."""
        project = self.config.project
        commands = (*project.setup, *feature.setup)
        if not (project.copy or project.link or commands):
            return None
        if told:
            self.context.record(events.setting_up, feature.id)
        stopped = partial(self.steps.is_to_end, _whose(feature.id))
        try:
            await self._supply(worktree, stopped)
        except UserError as error:
            red = unable(error)
            return replace(red, interrupted=red.interrupted or stopped())
        failed = await self._set_up(feature, worktree, commands, env)
        if failed is not None:
            return failed
        if told:
            ignored = (
                await worktree_status.status_of(self.worktrees.git, worktree.path, ignored=True)
            ).ignored
            made = [file for file in ignored if not built_by_tools(file)]
            self.context.record(events.ready, feature.id, made=made)
        return None

    async def _set_up(
        self,
        feature: Feature,
        worktree: Worktree,
        commands: Sequence[Command],
        env: Mapping[str, str],
    ) -> Failure | None:
        """Run the setup; the first command that fails, or does what it may not."""
        if self.guard is None or not commands:
            return await self._run_setup(feature, worktree, commands, env)
        async with self.guard.watching(worktree):
            return await self._run_setup(feature, worktree, commands, env)

    async def _run_setup(
        self,
        feature: Feature,
        worktree: Worktree,
        commands: Sequence[Command],
        env: Mapping[str, str],
    ) -> Failure | None:
        guard = self.guard
        for command in commands:
            limit = self.config.project.setup_timeout_seconds
            step = await self._step(feature.id, command, worktree.path, env, limit, "setup")
            fault = await guard.look(worktree, command.line) if guard is not None else ""
            if not step.passed:
                return Failure(str(step), step.tail, step.interrupted, stage=Stage.SETUP)
            if fault:
                return Failure(f"`{command.line}` {fault}", stage=Stage.SETUP)
        return None

    async def _supply(self, worktree: Worktree, stopped: Callable[[], bool]) -> None:
        await self.supplies.bring(worktree, stopped)

    async def missing(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str]
    ) -> Failure | None:
        """The first thing that a feature ``uses`` and its starting point does not have."""
        for contract in contracts(feature.uses):
            red = await self._keeps(feature, contract, worktree, worktree.start_commit, env)
            if red is not None:
                return replace(
                    red, cause=f"`uses` names {contract}, but {red.what}", stage=Stage.NONE
                )
        return None

    async def tear_down(self, name: str, path: str, branch: str = "") -> Failure | None:
        """Run the project's teardown in a worktree that is about to go; what failed, or nothing.

        It is told no slot and no ports: others may work in those by now.
        """
        env = self._named(name, branch or self.worktrees.branch(name))
        limit = self.config.project.setup_timeout_seconds
        for command in self.config.project.teardown:
            step = await self._step(name, command, path, env, limit, "teardown")
            if not step.passed:
                return Failure(str(step), step.tail, step.interrupted, stage=Stage.TEARDOWN)
        return None

    # -- after the work -------------------------------------------------------------------

    async def check(
        self, feature: Feature, worktree: Worktree, work: Work, env: Mapping[str, str]
    ) -> Failure | None:
        """The first check that is red on a feature's commit, which its worktree has checked out."""
        commands = (*self.config.project.verify, *feature.verify)
        promised = contracts(feature.creates)
        if not (commands or promised):
            return None
        self.context.record(events.checking, feature.id)
        if work.held_back and not self.config.project.verify_clean:
            self._note_held_back(feature, work.held_back)
        try:
            for contract in promised:
                red = await self._keeps(feature, contract, worktree, work.commit, env)
                if red is not None:
                    return replace(
                        red,
                        cause=f"`creates` promises {contract}, but {red.what}",
                        stage=Stage.NONE,
                    )
            red = await self._run_checks(feature.id, commands, worktree, work.commit, env)
            if red is None and self.config.project.verify_clean:
                again = (*promised_commands(feature.creates), *commands)
                red = await self._check_clean(feature, again, worktree, work.commit, env)
            if red is None:
                await self._settle(feature, worktree)
            return red
        except UserError as error:
            return unable(error)

    async def _settle(self, feature: Feature, worktree: Worktree) -> None:
        """Take away the build products that checks left, and name what else appeared."""
        left = self.leftovers(worktree)
        paths = left.proved(self._wrote)
        built = await inspection.products(
            self.worktrees, worktree.path, worktree.start_commit, left.files
        )
        left.remove(built)
        others = sorted(set(left.files).difference(built))
        if others:
            text = f"appeared while the checks ran, and in no commit: {some(others)}"
            self.context.note(text, feature.id)
        if paths:
            self.context.record(events.left, feature.id, paths=paths)

    def _note_held_back(self, feature: Feature, files: Collection[str]) -> None:
        text = (
            f"the checks see files that no commit holds: {some(files)} "
            "(project.verify_clean looks without them)"
        )
        self.context.note(text, feature.id)

    async def _keeps(
        self,
        feature: Feature,
        contract: Contract,
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> Failure | None:
        if contract.kind is not Kind.COMMAND:
            return await self._holds(contract, commit)
        command = shell_command(contract.what)
        return await self._run_checks(feature.id, [command], worktree, commit, env)

    async def _holds(self, contract: Contract, commit: str) -> Failure | None:
        """Why a commit has not the path, or the symbol, that a contract names."""
        git, what = self.worktrees.git, contract.what
        if contract.kind is Kind.PATH:
            return (
                None
                if await commits.has_path(git, commit, what)
                else Failure("there is no such path")
            )
        found = await commits.has_line(git, commit, definition(what), less=PROSE)
        return None if found else Failure("no line of code defines it")

    async def _run_checks(
        self,
        feature: str,
        commands: Iterable[Command],
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
        *,
        clean: bool = False,
    ) -> Failure | None:
        """Run checks in a worktree that holds ``commit``; the first that is red, or nothing.

        One that was green on the same tree before is not repeated.
        """
        git = self.worktrees.git
        tree = await git.tree_of(commit)
        todo = [(check_key(tree, each, clean=clean), each) for each in commands]
        todo = [(key, command) for key, command in todo if key not in self.passed]
        if not todo:
            return None
        before, left = (
            await inspection.full_status(self.worktrees, worktree.path),
            self.leftovers(worktree),
        )
        theirs = {*before.untracked, *before.ignored}.difference(left.files, left.paths)
        for key, command in todo:
            limit = self.config.project.verify_timeout_seconds
            step = await self._step(feature, command, worktree.path, env, limit, "verify")
            red = None if step.passed else _failed(step)
            status = await self._after_check(worktree, before)
            left.record(set(status.untracked).difference(theirs))
            wrote = self._written(left, command, status, theirs)
            changed = await self._changed(worktree, before, status)
            moved = (status.commit, status.branch) != (commit, before.branch)
            if red is None and (changed or moved):
                what = some(changed) or "the branch"
                why = f"`{command.line}` changed {what}: what it saw is no commit"
                red = Failure(why, stage=Stage.CHECK)
            if not (red and red.interrupted):
                self._tell(feature, key, command, red, step, wrote if clean else ())
            if red is not None:
                return red
            self.passed.add(key)
        return None

    async def _after_check(self, worktree: Worktree, before: WorktreeStatus) -> WorktreeStatus:
        """What a check left. New files that it staged are as little work as any other of them."""
        status = await inspection.full_status(self.worktrees, worktree.path)
        staged = set(status.added).difference(before.added)
        if not staged:
            return status
        await staging.unstage(self.worktrees.git, worktree.path, staged)
        return await worktree_status.status_of(self.worktrees.git, worktree.path, ignored=True)

    async def _changed(
        self, worktree: Worktree, before: WorktreeStatus, after: WorktreeStatus
    ) -> list[str]:
        """The files whose change makes a check red; tracked build products are put back instead."""
        changed = set(after.changed).difference(before.changed)
        base = worktree.base_commit or worktree.start_commit
        tracked = changed.difference(after.added)
        built = await inspection.products(self.worktrees, worktree.path, base, tracked)
        await staging.restore(self.worktrees.git, worktree.path, sorted(built))
        return sorted(changed.difference(built))

    def _written(
        self,
        left: CheckArtifacts,
        command: Command,
        status: WorktreeStatus,
        theirs: Collection[str],
    ) -> set[str]:
        """The files that a check wrote, of those that appeared and that no build makes again."""
        untracked = set(status.untracked).difference(theirs)
        untracked.difference_update(build_products.among(left.folder, untracked))
        ignored = (path for path in status.ignored if not built_by_tools(path))
        return left.written(command_key(command), [*untracked, *set(ignored).difference(theirs)])

    def _tell(
        self,
        feature: str,
        key: str,
        command: Command,
        red: Failure | None,
        step: Step,
        wrote: Collection[str],
    ) -> None:
        by = command_key(command)
        known = self._wrote.setdefault(by, set())
        new = sorted(set(wrote).difference(known))
        known.update(new)
        self.context.record(
            events.checked,
            "" if feature == BASE else feature,
            key=key,
            command=command.line,
            passed=red is None,
            ending=step.ending if red is None or not step.passed else red.what,
            by=by,
            wrote=new,
        )

    async def _check_clean(
        self,
        feature: Feature,
        commands: Sequence[Command],
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> Failure | None:
        """The same checks in a checkout of the commit and nothing else, apart from supplies."""
        tree = await self.worktrees.git.tree_of(commit)
        if all(check_key(tree, command, clean=True) in self.passed for command in commands):
            return None
        async with self._scratch(CLEAN + feature.id, commit) as scratch:
            clean = replace(scratch, base_commit=worktree.base_commit)
            there = {**env, f"{VARIABLES}FEATURE": clean.feature}
            red = await self._make_scratch_ready(feature, clean, there)
            red = red or await self._run_checks(
                feature.id, commands, clean, commit, there, clean=True
            )
        return red and replace(red, cause=f"in a clean checkout, {red.what}", stage=Stage.NONE)

    async def _make_scratch_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str]
    ) -> Failure | None:
        """As a feature's worktree is when its checks begin: tracked files are the commit's."""
        red = await self.make_ready(feature, worktree, env, told=False)
        if red is None and (self.config.project.setup or feature.setup):
            await inspection.restore_tracked(self.worktrees, worktree.path)
        return red

    @asynccontextmanager
    async def _scratch(self, name: str, commit: str) -> AsyncIterator[Worktree]:
        async with self.worktrees.scratch(name, commit) as worktree:
            try:
                yield worktree
            finally:
                await self._tear_down_scratch(name, worktree.path)

    async def _tear_down_scratch(self, name: str, path: str) -> None:
        red = await self.tear_down(name, path, name)
        if red is not None:
            self.context.note(red.what)

    # -- before everything ----------------------------------------------------------------

    async def clear(self) -> None:
        """Take away what the checks of a killed run left: its scratch worktrees."""
        left = self.worktrees.left_scratch()
        for path in filter(os.path.isdir, left):
            await self._tear_down_scratch(scratch_owner(path), path)
        await self.worktrees.clear_scratch(left)

    async def check_base(self, base_commit: str) -> Failure | None:
        """The project's checks on the base, before anything is paid for."""
        project = self.config.project
        if not (project.verify and project.verify_base):
            return None
        try:
            if await self.is_green(base_commit):
                return None
            words = f"checking {project.base_branch} before anything is paid for"
            self.context.note(words)
            return await self._check_commit(
                Feature(BASE, BASE), base_commit, project.base_branch, project.verify
            )
        except UserError as error:
            return unable(error)

    async def check_merged(self, commit: str, branch: str) -> Failure | None:
        """The project's checks on what is to land on a branch."""
        if await self.is_green(commit):
            return None
        verify = self.config.project.verify
        return await self._check_commit(Feature(MERGED, MERGED), commit, branch, verify)

    async def check_sides(
        self, commit: str, branch: str, features: Sequence[Feature]
    ) -> Failure | None:
        """The project's checks on a merge, those of the features that meet in it, and what
        these promised."""
        try:
            for feature in features:
                for contract in contracts(feature.creates):
                    if contract.kind is not Kind.COMMAND:
                        red = await self._holds(contract, commit)
                        if red is not None:
                            said = f"`creates` of {feature.id} promises {contract}, but {red.what}"
                            return replace(red, cause=said, stage=Stage.NONE)
            return await self._check_sides(commit, branch, features)
        except UserError as error:
            return unable(error)

    async def _check_sides(
        self, commit: str, branch: str, features: Sequence[Feature]
    ) -> Failure | None:
        tree = await self.worktrees.git.tree_of(commit)
        own = [each for f in features for each in (*promised_commands(f.creates), *f.verify)]
        commands = (*self.config.project.verify, *own)
        if all(check_key(tree, command, clean=True) in self.passed for command in commands):
            return None
        setup = tuple(command for feature in features for command in feature.setup)
        return await self._check_commit(
            Feature(MERGED, MERGED, setup=setup), commit, branch, commands
        )

    async def is_green(self, commit: str) -> bool:
        """Whether the project's checks are known to pass on a commit, or there are none.

        Where a feature was made, they may have leaned on files that are in no commit.
        """
        tree = await self.worktrees.git.tree_of(commit)
        verify = self.config.project.verify
        return all(check_key(tree, command, clean=True) in self.passed for command in verify)

    async def _check_commit(
        self, named: Feature, commit: str, branch: str, commands: Iterable[Command]
    ) -> Failure | None:
        """Checks in a scratch worktree of a commit; ``named`` is what it is called, and set up."""
        env = {**self.environment(named.id, 0, 1), f"{VARIABLES}BRANCH": branch}
        onto = await self.worktrees.git.commit_of(HEADS + branch)
        async with self._scratch(named.id, commit) as scratch:
            worktree = replace(scratch, base_commit=commit if named.id == BASE else onto)
            red = await self._make_scratch_ready(named, worktree, env)
            return red or await self._run_checks(
                named.id, commands, worktree, commit, env, clean=True
            )

    async def _step(
        self,
        name: str,
        command: Command,
        folder: str,
        env: Mapping[str, str],
        limit_seconds: float,
        kind: str,
    ) -> Step:
        return await self.steps.run(
            command,
            folder=folder,
            env=_of_check(env) if kind == "verify" else env,
            log=os.path.join(self.context.log_folder, f"{name}.{kind}.log"),
            limit_seconds=limit_seconds,
            mark=f"{name}/{kind}",
            feature=_whose(name),
        )


def _of_check(env: Mapping[str, str]) -> Mapping[str, str]:
    return env if "PYTHONPYCACHEPREFIX" in env else {**NO_BYTECODE, **env}


def _whose(name: str) -> str:
    """The feature that work goes on for: also in a clean checkout of it."""
    return name[len(CLEAN) :] if name.startswith(CLEAN) else name


def command_key(command: Command) -> str:
    """What a command is called in the journal, whatever secret is in its words."""
    return hashlib.sha256(json.dumps([command.argv, command.line]).encode()).hexdigest()[:20]


def check_key(tree: str, command: Command, *, clean: bool = False) -> str:
    """What the result of a check is remembered by: the tree that it looked at, and its words."""
    words = json.dumps([tree, command.argv, command.line, *(["clean"] if clean else [])])
    return hashlib.sha256(words.encode()).hexdigest()[:20]


def _failed(step: Step) -> Failure:
    return Failure(str(step), step.tail, step.interrupted, stage=Stage.CHECK)
