"""Times of a rehearsal: worktrees, copies, commands, commits and cleanup, each by its feature.

No event of the journal marks the begin and the end of these parts, least of all in scratch
worktrees. So each class here measures public methods of the class that a run uses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from ..git.door import Git
from ..git.hooks import Hooks
from ..git.output import WorktreeStatus
from ..landing.cleanup import Cleanup, CleanupOptions, Removal
from ..model import list_commands
from ..model.feature import Command, Feature, Project
from ..model.outcome import Stage, Work
from ..model.state import FeatureState
from ..process.supervisor import Supervisor
from ..project.open import OpenProject
from ..runner.context import RunContext
from ..runner.steps import Step, StepRunner
from ..runner.supplies import Supplies
from ..worktree.manager import WorktreeManager
from ..worktree.names import MERGED, feature_of, scratch_owner
from ..worktree.worktree import Worktree
from .findings import BASE, LANDING, Notebook

PARTS = {Stage.SETUP: "setup", Stage.CHECK: "checks", Stage.TEARDOWN: "cleanup"}
"""The column of a command's time."""


def row_of(name: str) -> str:
    """The row of a worktree's time, by the worktree's name."""
    name = feature_of(scratch_owner(name))
    if name.partition(".")[0] == MERGED:
        return LANDING
    return BASE if name == list_commands.BASE else name


class TimedWorktrees(WorktreeManager):
    """Measures worktrees and commits."""

    def __init__(
        self, git: Git, folder: str, branch_prefix: str, commit_subject: str, notes: Notebook
    ) -> None:
        super().__init__(git, folder, branch_prefix, commit_subject)
        self.notes = notes

    def using(self, git: Git) -> TimedWorktrees:
        """The same worktrees, through another git."""
        return TimedWorktrees(git, self.folder, self.branch_prefix, self.commit_subject, self.notes)

    async def create(self, feature: str, start_commit: str) -> Worktree:
        """Create a feature's worktree."""
        with self.notes.timed(row_of(feature), "worktree"):
            return await super().create(feature, start_commit)

    @asynccontextmanager
    async def scratch(
        self, name: str, commit: str, *, is_reused: bool = False
    ) -> AsyncIterator[Worktree]:
        """Create a scratch worktree; its removal is not measured."""
        async with AsyncExitStack() as stack:
            with self.notes.timed(row_of(name), "worktree"):
                made = await stack.enter_async_context(
                    super().scratch(name, commit, is_reused=is_reused)
                )
            yield made

    async def inspect(self, worktree: Worktree) -> WorktreeStatus | str:
        """Inspect the worktree before the commit."""
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
        """Commit the work."""
        with self.notes.timed(feature.id, "commit"):
            return await super().commit(worktree, status, feature, run, hooks)


class TimedSupplies(Supplies):
    """Measures the copies. Links are copied too: writing to a link would change the user's files.

    Nothing in ``exclude`` is copied, the folder of the user's own worktrees.
    """

    def __init__(
        self, worktrees: WorktreeManager, project: Project, notes: Notebook, *, exclude: str
    ) -> None:
        super().__init__(worktrees, project, exclude=exclude, copies_links=True)
        self.notes = notes

    async def bring(self, worktree: Worktree, stopped: Callable[[], bool]) -> None:
        """Copy the files into a worktree."""
        with self.notes.timed(row_of(worktree.feature), "copy"):
            await super().bring(worktree, stopped)


class TimedSteps(StepRunner):
    """Measures the commands."""

    def __init__(self, supervisor: Supervisor, context: RunContext, notes: Notebook) -> None:
        super().__init__(supervisor, context)
        self.notes = notes

    async def run(
        self,
        command: Command,
        stage: Stage,
        *,
        name: str,
        folder: str,
        env: Mapping[str, str],
        limit_seconds: float,
    ) -> Step:
        """Run a command."""
        with self.notes.timed(row_of(name), PARTS[stage]):
            return await super().run(
                command, stage, name=name, folder=folder, env=env, limit_seconds=limit_seconds
            )


class TimedCleanup(Cleanup):
    """Measures the cleanup of each feature."""

    def __init__(self, options: CleanupOptions, project: OpenProject, notes: Notebook) -> None:
        super().__init__(options, project)
        self.notes = notes

    async def clean(self, known: FeatureState) -> Removal | None:
        """Remove one feature's worktree and branch."""
        with self.notes.timed(known.id, "cleanup"):
            return await super().clean(known)
