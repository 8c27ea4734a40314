"""The parts of a run as a rehearsal has them: timed, and with failing checks written down."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping

from ..git.door import Git
from ..git.hooks import Hooks
from ..git.output import WorktreeStatus
from ..landing.cleanup import Cleanup, CleanupOptions, Removal
from ..model import events, list_commands
from ..model.feature import Command, Config, Feature
from ..model.frozen import replace
from ..model.outcome import Stage, Work
from ..model.state import FeatureState
from ..project.open import OpenProject
from ..runner.checks import CLEAN, VARIABLES, Workbench
from ..runner.context import RunContext
from ..runner.failure import Failure
from ..runner.steps import Step, StepRunner
from ..runner.supplies import Supplies
from ..worktree.manager import WorktreeManager
from ..worktree.names import MERGED, scratch_owner
from ..worktree.worktree import Worktree
from .findings import BASE, LANDING, Finding, Notebook

MEND_SETUP = "fix the setup, or what it needs"
MEND_BASE = "fix it, or set project.verify_base to false: the run would not start"
MEND_CHECK = "it passes on the base: fix what differs in a feature's worktree"
MEND_BROKEN = "fix the command: it can't be run, or it takes too long"
MEND_PORTS = "end what listens on the ports from 20000 to 32000"
MEND_COMMIT = "fix your hook, or what it refuses"
MEND_RUN = "fix what it names: the run would fail there as well"
MEND_MERGE = "merge them by hand, or let one depend on the other"
MEND_TEARDOWN = "correct project.teardown"
MEND_LEFT = "let what makes or changes it take that back: else cleanup keeps the worktree"

NOT_RUN = (126, 127)
"""The exit codes by which a shell says that there is no such program, or none that it may run."""

PARTS = {"setup": "setup", "verify": "checks", "teardown": "cleanup"}
"""The part that the time of a command belongs to, by what it is for."""


def row_of(name: str) -> str:
    """The row that the time of a worktree belongs to, by the worktree's name."""
    name = scratch_owner(name).removeprefix(CLEAN)
    if name.partition(".")[0] == MERGED:
        return LANDING
    return BASE if name == list_commands.BASE else name


class TimedWorktrees(WorktreeManager):
    """Worktrees as ever; how long they take is written down."""

    def __init__(
        self, git: Git, folder: str, branch_prefix: str, commit_subject: str, notes: Notebook
    ) -> None:
        super().__init__(git, folder, branch_prefix, commit_subject)
        self.notes = notes

    def using(self, git: Git) -> TimedWorktrees:
        """The same worktrees, through another git."""
        return TimedWorktrees(git, self.folder, self.branch_prefix, self.commit_subject, self.notes)

    async def _add(
        self, path: str, commit: str, *, new_branch: str = "", instead: str = ""
    ) -> None:
        with self.notes.timed(row_of(os.path.basename(path)), "worktree"):
            await super()._add(path, commit, new_branch=new_branch, instead=instead)

    async def inspect(self, worktree: Worktree) -> WorktreeStatus | str:
        """The state that an agent left, or what is wrong with it."""
        with self.notes.timed(worktree.feature, "commit"):
            return await super().inspect(worktree)

    async def commit(
        self,
        worktree: Worktree,
        status: WorktreeStatus,
        feature: Feature,
        run: str,
        hooks: Hooks | None = None,
    ) -> Work:
        """Commit what is uncommitted."""
        with self.notes.timed(feature.id, "commit"):
            return await super().commit(worktree, status, feature, run, hooks)


class TimedCleanup(Cleanup):
    """A cleanup as ever; how long it takes is written down."""

    def __init__(self, options: CleanupOptions, project: OpenProject, notes: Notebook) -> None:
        super().__init__(options, project)
        self.notes = notes

    async def _clean(self, known: FeatureState) -> Removal | None:
        with self.notes.timed(known.id, "cleanup"):
            return await super()._clean(known)


class Bench(Workbench):
    """Prepares and checks as ever, but a red check holds nobody up.

    What would be linked is copied: who writes to a link, writes to the user's own files.
    """

    def __init__(
        self,
        notes: Notebook,
        exclude: str,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        context: RunContext,
        *,
        environ: Mapping[str, str],
        passed: set[str],
        wrote: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(
            config,
            worktrees,
            steps,
            context,
            environ=environ,
            passed=passed,
            wrote=wrote,
        )
        self.notes = notes
        self.supplies = Supplies(worktrees, config.project, exclude=exclude, copies_links=True)
        self._last: dict[str, Step] = {}

    def environment(self, feature: str, slot: int, slots: int) -> dict[str, str]:
        """The environment of everything that works for a feature."""
        env = super().environment(feature, slot, slots)
        if f"{VARIABLES}PORT" not in env:
            what = f"no ports are free: {VARIABLES}PORT would not be set"
            self.notes.met(Finding("ports", what, MEND_PORTS, (row_of(feature),)))
        return env

    async def make_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str], *, told: bool = True
    ) -> Failure | None:
        """Copy and set up; what failed is met, and ends the feature, as it would."""
        red = await super().make_ready(feature, worktree, env, told=told)
        if red is not None and not red.interrupted:
            what, _, hint = red.cause.partition("\n")
            is_setup = red.stage is Stage.SETUP
            kind, next = ("setup", MEND_SETUP) if is_setup else ("files", hint)
            self._met(kind, what, next, worktree.feature, red)
        return red

    def _met(
        self, kind: str, what: str, next: str, name: str, red: Failure, *, expected: bool = False
    ) -> None:
        output = replace(red, cause="", stage=Stage.NONE).reason.strip("\n")
        found = Finding(kind, what, next, (row_of(name),), output)
        self.notes.met(found, expected=expected)

    async def _supply(self, worktree: Worktree, stopped: Callable[[], bool]) -> None:
        if self.config.project.copy or self.config.project.link:
            with self.notes.timed(row_of(worktree.feature), "copy"):
                await super()._supply(worktree, stopped)

    async def check_base(self, base_commit: str) -> Failure | None:
        """The project's checks on the base; where they are red, the run would not start."""
        red = await super().check_base(base_commit)
        return self._written_down(red, list_commands.BASE, "base", MEND_BASE)

    async def check_merged(self, commit: str, branch: str) -> Failure | None:
        """The project's checks on all features together."""
        red = await super().check_merged(commit, branch)
        return self._written_down(red, MERGED, "checks", MEND_CHECK)

    async def check(
        self, feature: Feature, worktree: Worktree, work: Work, env: Mapping[str, str]
    ) -> Failure | None:
        """Every check, on what an agent left that did not do the work."""
        of_project = self.config.project.verify
        commands = (*of_project, *feature.verify)
        if commands:
            self.context.record(events.checking, feature.id)
        all_green = True
        for number, command in enumerate(commands):
            red = await self._run_checks(feature.id, [command], worktree, work.commit, env)
            all_green = all_green and red is None
            own = number >= len(of_project)
            if self._written_down(red, feature.id, "checks", MEND_CHECK, own=own):
                return red
        if commands and all_green and self.config.project.verify_clean:
            red = await self._check_clean(feature, commands, worktree, work.commit, env)
            if self._written_down(red, feature.id, "checks", MEND_CHECK):
                return red
        await self._settle(feature, worktree)
        return None

    def _written_down(
        self, red: Failure | None, name: str, kind: str, next: str, *, own: bool = False
    ) -> Failure | None:
        """Nothing, once it is written down; a look that was interrupted."""
        if red is None or red.interrupted:
            return red
        if not self.notes.explains(red.what):
            step = self._last.get(name)
            is_broken = step is not None and (step.timed_out or step.code in NOT_RUN)
            # Without Claude's work, these are red by their nature.
            expected = (own or not self.config.project.verify_base) and not is_broken
            next = MEND_BROKEN if is_broken else next
            self._met(kind, red.cause, next, name, red, expected=expected)
        return None

    async def _step(
        self,
        name: str,
        command: Command,
        folder: str,
        env: Mapping[str, str],
        limit_seconds: float,
        kind: str,
    ) -> Step:
        with self.notes.timed(row_of(name), PARTS[kind]):
            step = await super()._step(name, command, folder, env, limit_seconds, kind)
        self._last[name] = step
        return step
