"""`Preparation`: copies, links, setup and teardown of worktrees, and environment variables."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from ..git import worktree_status
from ..model import events
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.feature import Command, Config, Feature
from ..model.frozen import replace
from ..model.outcome import Stage
from ..model.translate import N_
from ..worktree import inspection
from ..worktree.files import built_by_tools
from ..worktree.manager import WorktreeManager
from ..worktree.names import SPARE, scratch_owner
from ..worktree.worktree import Worktree
from . import ports
from .context import RunContext
from .failure import Failure, failed, unable
from .setup_cache import SetupCache
from .setup_guard import SetupGuard
from .steps import Step, StepRunner
from .supplies import Supplies

VARIABLES = "RORCHESTRATOR_"
"""The prefix of the variables that setup, Claude and the checks get."""

NAMES = frozenset(VARIABLES + name for name in ("FEATURE", "BRANCH", "RUN", "SLOT", "PORT"))

GIT_LOG = "git.log"
"""The log of git's messages that are too long for one of ours."""


class Preparation:
    """Makes the worktrees of one run ready, and tears them down."""

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        context: RunContext,
        *,
        environ: Mapping[str, str],
        supplies: Supplies | None = None,
        stored: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.worktrees = worktrees
        self.steps = steps
        self.context = context
        self.environ = environ
        self.supplies = supplies or Supplies(worktrees, config.project)
        self.cache = SetupCache(worktrees, config.project, context, stored or {})
        self.guard: SetupGuard | None = None
        """Watches the setups of a run; a landing has none."""
        worktrees.git.log = os.path.join(context.log_folder, GIT_LOG)

    # -- the environment ------------------------------------------------------------------

    def environment(self, feature: str, slot: int, slots: int) -> dict[str, str]:
        """The variables of a feature in one of ``slots`` slots, or in the one behind them.

        Without free ports, ``RORCHESTRATOR_PORT`` is not set: few lists need it. The variable of
        the user's stack gets the same port.
        """
        port = ports.free_block(slot, slots + 1, self.context.run_id)
        if not port:
            taken = N_("no {count} ports in a row are free: {variable} is not set").format(
                count=ports.BLOCK, variable=f"{VARIABLES}PORT"
            )
            self.context.note(taken, feature)
        named = {"SLOT": str(slot), **({"PORT": str(port)} if port else {})}
        env = self._named(feature, self.worktrees.branch(feature), **named)
        own = self.config.project.port_variable
        return {**env, own: str(port)} if own and port else env

    def _named(self, feature: str, branch: str, **more: str) -> dict[str, str]:
        ours = {"FEATURE": feature, "BRANCH": branch, "RUN": self.context.run_id, **more}
        # The variables of a run that started this one, or that somebody exported, do not count.
        # Agents have no business with the secrets of notifications.
        left_out = self.config.notify_variables.union(NAMES)
        kept = {name: value for name, value in self.environ.items() if name not in left_out}
        return {**kept, **{VARIABLES + name: value for name, value in ours.items()}}

    # -- before the work ------------------------------------------------------------------

    def is_needed(self, feature: Feature) -> bool:
        """Whether anything is copied, linked or run in a new worktree."""
        project = self.config.project
        return bool(project.copy or project.link or project.setup or feature.setup)

    async def make_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str], *, recorded: bool = True
    ) -> Failure | None:
        """Copy, link and run the setup; ``recorded``: journal its begin and its end."""
        project = self.config.project
        commands = (*project.setup, *feature.setup)
        if not self.is_needed(feature):
            return None
        if recorded:
            self.context.record(events.setting_up, feature.id)
        if project.copy or project.link:
            failure = await self._supply(feature, worktree)
            if failure is not None:
                return failure
        stopped = partial(self.steps.is_to_end, feature.id)
        run = partial(self._set_up, feature, worktree, env)
        done = await self.cache.set_up(worktree, commands, env, run, stopped)
        if done.failure is not None:
            return done.failure
        if recorded:
            if done.cached:
                told = N_("setup skipped: {folders} came from the setup cache")
                self.context.note(told.format(folders=some(done.cached)), feature.id)
            status = await worktree_status.status_of(
                self.worktrees.git, worktree.path, ignored=True
            )
            made = [file for file in status.ignored if not built_by_tools(file)]
            self.context.record(events.ready, feature.id, made=made, cached=done.cached)
        return None

    async def _supply(self, feature: Feature, worktree: Worktree) -> Failure | None:
        stopped = partial(self.steps.is_to_end, feature.id)
        try:
            await self.supplies.bring(worktree, stopped)
        except UserError as error:
            failure = unable(error)
            return replace(failure, interrupted=failure.interrupted or stopped())
        return None

    async def _set_up(
        self,
        feature: Feature,
        worktree: Worktree,
        env: Mapping[str, str],
        commands: Sequence[Command],
    ) -> Failure | None:
        """Run the setup up to the first command that fails, or that changes what git executes."""
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
            step = await self._run(command, Stage.SETUP, feature.id, worktree.path, env)
            fault = await guard.look(worktree, command.line) if guard is not None else ""
            if not step.passed:
                return failed(step)
            if fault:
                return Failure(f"`{command.line}` {fault}", stage=Stage.SETUP)
        return None

    # -- after the work -------------------------------------------------------------------

    async def tear_down(self, name: str, path: str, branch: str = "") -> Failure | None:
        """Run the teardown in a worktree before it is removed.

        It gets no slot and no ports: others may use them by now.
        """
        env = self._named(name, branch or self.worktrees.branch(name))
        for command in self.config.project.teardown:
            step = await self._run(command, Stage.TEARDOWN, name, path, env)
            if not step.passed:
                return failed(step)
        return None

    async def _run(
        self, command: Command, stage: Stage, name: str, folder: str, env: Mapping[str, str]
    ) -> Step:
        limit = self.config.project.setup_timeout_seconds
        return await self.steps.run(
            command, stage, name=name, folder=folder, env=env, limit_seconds=limit
        )

    # -- scratch worktrees ----------------------------------------------------------------

    @asynccontextmanager
    async def scratch(self, name: str, commit: str) -> AsyncIterator[Worktree]:
        """A scratch worktree of a commit. It is torn down and removed at the end."""
        async with self.worktrees.scratch(name, commit, is_reused=True) as worktree:
            try:
                yield worktree
            finally:
                await self._tear_down_scratch(name, worktree.path)

    async def make_scratch_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str]
    ) -> Failure | None:
        """Copy, link and run the setup, and restore the tracked files that the setup changed."""
        failure = await self.make_ready(feature, worktree, env, recorded=False)
        if failure is None and (self.config.project.setup or feature.setup):
            await inspection.restore_tracked(self.worktrees, worktree.path)
        return failure

    async def clear(self) -> None:
        """Remove the scratch worktrees of killed runs, and what they left in the setup cache."""
        self.cache.clear()
        left = self.worktrees.left_scratch()
        for path in filter(os.path.isdir, left):
            name = scratch_owner(path)
            if name != SPARE:  # which was torn down before it was released
                await self._tear_down_scratch(name, path)
        await self.worktrees.clear_scratch(left)

    async def _tear_down_scratch(self, name: str, path: str) -> None:
        failure = await self.tear_down(name, path, name)
        if failure is not None:
            self.context.note(failure.what)
