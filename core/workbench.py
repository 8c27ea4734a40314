"""Makes a worktree ready to work in, and checks what was made in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping

from . import events, ports, supplies
from .contracts import Contract, Kind, contracts, definition
from .errors import UserError
from .events import Event
from .frozen import dataclass, replace
from .model import Command, Config, Feature
from .steps import Step, StepRunner
from .worktree import MERGED, Worktree, WorktreeManager

VARIABLES = "RORCHESTRATOR_"
"""What the names of the variables begin with that setup, Claude and the checks are given."""


@dataclass(frozen=True)
class Red:
    """A check that did not pass: what it was, and what it printed."""

    what: str
    output: str = ""
    interrupted: bool = False

    @property
    def reason(self) -> str:
        """For the report: the check, and the end of its output."""
        last = self.output.strip().splitlines()[-REASON_LINES:]
        return "\n".join([self.what, *last])


REASON_LINES = 20

BASE = "~base"
"""What the base is called among the features, none of which can be called so."""


class Workbench:
    """Copies, links, setup and checks of one run's worktrees.

    ``passed`` are the checks that are known to be green, by :func:`check_key`; it grows.
    """

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        *,
        run: str,
        log_folder: str,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        environ: Mapping[str, str],
        passed: set[str],
    ) -> None:
        self.config = config
        self.worktrees = worktrees
        self.steps = steps
        self.run_id = run
        self.log_folder = log_folder
        self.emit = emit
        self.clock = clock
        self.environ = environ
        self.passed = passed

    def environment(self, feature: str, slot: int, slots: int) -> dict[str, str]:
        """The environment of everything that works for a feature in one of so many slots.

        Raises :class:`UserError` where no ports are free.
        """
        try:
            port = ports.free_block(slot, slots)
        except OSError as error:
            raise UserError(str(error)) from None
        ours = {
            "FEATURE": feature,
            "BRANCH": self.worktrees.branch(feature),
            "RUN": self.run_id,
            "SLOT": str(slot),
            "PORT": str(port),
        }
        named = {VARIABLES + name: value for name, value in ours.items()}
        return {**self.environ, **named}

    # -- before the work ------------------------------------------------------------------

    async def make_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str], *, told: bool = True
    ) -> Red | None:
        """Copy, link and set up; what failed, or nothing. ``told`` where the journal is to know.

        Raises :class:`UserError` where a file can't be copied or linked.
        """
        project = self.config.project
        commands = (*project.setup, *feature.setup)
        if not (project.copy or project.link or commands):
            return None
        if told:
            self.emit(events.setting_up(self.clock(), self.run_id, feature.id))
        await self._supply(worktree)
        for command in commands:
            step = await self._step(
                feature.id, command, worktree.path, env, project.setup_timeout_seconds, "setup"
            )
            if not step.passed:
                return Red(f"setup: {step}", step.tail, step.interrupted)
        made = (await self.worktrees.git.status(worktree.path, ignored=True)).ignored
        if told:
            self.emit(events.ready(self.clock(), self.run_id, feature.id, made=made))
        return None

    async def _supply(self, worktree: Worktree) -> None:
        top, project = self.worktrees.git.repository.top, self.config.project
        copied = supplies.matching(top, project.copy)
        linked = supplies.matching(top, project.link)
        try:
            for name in copied:
                supplies.copy(top, name, worktree.path)
            for name in linked:
                supplies.link(top, name, worktree.path)
        except OSError as error:
            raise UserError(f"{worktree.path} could not be supplied: {error}") from None
        status = await self.worktrees.git.status(worktree.path)
        shown = [file for file in status.untracked if file.rstrip("/") in {*copied, *linked}]
        if shown:
            raise UserError(
                f"git does not ignore {', '.join(shown)}: what is copied or linked would be "
                "committed",
                hint="name it in .gitignore without a slash at its end (node_modules/ ignores "
                "a folder, not a link to one), or copy it instead of linking it",
            )

    async def tear_down(self, name: str, path: str, env: Mapping[str, str]) -> Red | None:
        """Run the project's teardown in a worktree that is about to go; what failed, or nothing."""
        limit = self.config.project.setup_timeout_seconds
        for command in self.config.project.teardown:
            step = await self._step(name, command, path, env, limit, "teardown")
            if not step.passed:
                return Red(f"teardown: {step}", step.tail, step.interrupted)
        return None

    async def missing(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str]
    ) -> Red | None:
        """The first thing that a feature ``uses`` and its starting point does not have."""
        for contract in contracts(feature.uses):
            red = await self._keeps(feature, contract, worktree, worktree.start_commit, env)
            if red is not None:
                return Red(f"`uses` names {contract}, and it is not there: {red.what}", red.output)
        return None

    # -- after the work -------------------------------------------------------------------

    async def check(
        self, feature: Feature, worktree: Worktree, commit: str, env: Mapping[str, str]
    ) -> Red | None:
        """The first check that is red on a feature's commit, which its worktree has checked out."""
        commands = (*self.config.project.verify, *feature.verify)
        promised = contracts(feature.creates)
        if commands or promised:
            self.emit(events.checking(self.clock(), self.run_id, feature.id))
        for contract in promised:
            red = await self._keeps(feature, contract, worktree, commit, env)
            if red is not None:
                return Red(f"`creates` promises {contract}: {red.what}", red.output)
        red = await self.run_checks(feature.id, commands, worktree.path, commit, env)
        if red is None and commands and self.config.project.verify_clean:
            red = await self._check_clean(feature, commands, commit, env)
        return red

    async def _keeps(
        self,
        feature: Feature,
        contract: Contract,
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> Red | None:
        git, what = self.worktrees.git, contract.what
        if contract.kind is Kind.PATH:
            return None if await git.has_path(commit, what) else Red("the commit has no such path")
        if contract.kind is Kind.SYMBOL:
            found = await git.has_line(commit, definition(what))
            return None if found else Red("no line of the commit defines it")
        command = Command(("/bin/sh", "-c", what), what)
        return await self.run_checks(feature.id, [command], worktree.path, commit, env)

    async def run_checks(
        self,
        name: str,
        commands: Iterable[Command],
        folder: str,
        commit: str,
        env: Mapping[str, str],
    ) -> Red | None:
        """Run checks in a folder that holds ``commit``; the first that is red, or nothing.

        One that was green on the same tree before is not repeated.
        """
        tree = ""
        for command in commands:
            tree = tree or await self.worktrees.git.tree_of(commit)
            key = check_key(tree, command)
            if key in self.passed:
                continue
            limit = self.config.project.verify_timeout_seconds
            step = await self._step(name, command, folder, env, limit, "verify")
            if not step.passed:
                return Red(f"check: {step}", step.tail, step.interrupted)
            self.passed.add(key)
            self.emit(events.checked(self.clock(), self.run_id, key=key))
        return None

    async def _check_clean(
        self, feature: Feature, commands: Iterable[Command], commit: str, env: Mapping[str, str]
    ) -> Red | None:
        """The same checks in a checkout of the commit and nothing else, apart from supplies."""
        tree = await self.worktrees.git.tree_of(commit)
        again = [replace(command, line=f"{command.line} (clean)") for command in commands]
        if all(check_key(tree, command) in self.passed for command in again):
            return None
        async with self.worktrees.scratch(feature.id, commit) as clean:
            red = await self.make_ready(feature, clean, env, told=False)
            return red or await self.run_checks(feature.id, again, clean.path, commit, env)

    async def check_base(self, base_commit: str) -> Red | None:
        """The project's checks on the base, before anything is paid for."""
        project, env = self.config.project, self.environment(BASE, 0, 1)
        if not (project.verify and project.verify_base):
            return None
        if await self.is_green(base_commit):
            return None
        words = f"checking {project.base_branch} before anything is paid for"
        self.emit(events.note(self.clock(), self.run_id, words))
        return await self._check_commit(BASE, base_commit, env)

    async def check_merged(self, commit: str, branch: str) -> Red | None:
        """The project's checks on what is to land on a branch."""
        if await self.is_green(commit):
            return None
        env = {**self.environment(MERGED, 0, 1), VARIABLES + "BRANCH": branch}
        return await self._check_commit(MERGED, commit, env)

    async def is_green(self, commit: str) -> bool:
        """Whether the project's checks are known to pass on a commit, or there are none."""
        tree = await self.worktrees.git.tree_of(commit)
        verify = self.config.project.verify
        return all(check_key(tree, command) in self.passed for command in verify)

    async def _check_commit(self, name: str, commit: str, env: Mapping[str, str]) -> Red | None:
        verify = self.config.project.verify
        async with self.worktrees.scratch(name, commit) as worktree:
            red = await self.make_ready(Feature(name, name), worktree, env, told=False)
            return red or await self.run_checks(name, verify, worktree.path, commit, env)

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
            env=env,
            log=os.path.join(self.log_folder, f"{name}.{kind}.log"),
            limit_seconds=limit_seconds,
            mark=f"{name}/{kind}",
        )


def check_key(tree: str, command: Command) -> str:
    """What the result of a check is remembered by: the tree that it looked at, and its words."""
    words = json.dumps([tree, command.argv, command.line])
    return hashlib.sha256(words.encode()).hexdigest()[:20]
