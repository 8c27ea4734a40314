"""Teardown of a worktree outside of a run, in an event loop of its own: for `cleanup`."""

from __future__ import annotations

import asyncio
import os
import time

from ..model.feature import Config
from ..process.cancellation import Cancellation
from ..process.environment import without_git
from ..process.supervisor import Supervisor
from ..worktree.manager import WorktreeManager
from .context import RunContext
from .preparation import Preparation
from .steps import StepRunner


def tear_down(
    config: Config, worktrees: WorktreeManager, name: str, path: str, *, run: str, logs: str
) -> str:
    """Run ``project.teardown`` in a worktree. Return the reason of a failure, or ""."""
    return asyncio.run(_tear_down(config, worktrees, name, path, run, logs))


async def _tear_down(
    config: Config, worktrees: WorktreeManager, name: str, path: str, run: str, logs: str
) -> str:
    stop = Cancellation()
    async with Supervisor(run) as supervisor:
        context = RunContext(run, logs, time.time, lambda event: None, stop)
        steps = StepRunner(supervisor, context)
        environ = without_git(os.environ)
        preparation = Preparation(config, worktrees, steps, context, environ=environ)
        failure = await preparation.tear_down(name, path)
        return failure.reason if failure else ""
