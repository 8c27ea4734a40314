"""The list's teardown outside of a run: a moment's event loop for a command that needs none."""

from __future__ import annotations

import asyncio
import os
import time

from ..model.feature import Config
from ..process.cancellation import Cancellation
from ..process.environment import without_git
from ..process.supervisor import Supervisor
from ..worktree.manager import WorktreeManager
from .checks import Workbench
from .context import RunContext
from .steps import StepRunner


def tear_down(
    config: Config, worktrees: WorktreeManager, name: str, path: str, *, run: str, logs: str
) -> str:
    """Run ``project.teardown`` in the worktree of a feature; what failed, or an empty string."""
    return asyncio.run(_tear_down(config, worktrees, name, path, run, logs))


async def _tear_down(
    config: Config, worktrees: WorktreeManager, name: str, path: str, run: str, logs: str
) -> str:
    stop = Cancellation()
    async with Supervisor(run) as supervisor:
        bench = Workbench(
            config,
            worktrees,
            StepRunner(supervisor, stop),
            RunContext(run, logs, time.time, lambda event: None, stop),
            environ=without_git(os.environ),
            passed=set(),
        )
        red = await bench.tear_down(name, path)
        return red.reason if red else ""
