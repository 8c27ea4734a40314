"""Runs the checks of features whose commits were put on another base: what fails is not pushed.

It needs the lock, so that no run removes its worktree. The journal gets what passed, so that
nothing is checked twice.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from ..git.door import Git
from ..journal.recorder import Recorder
from ..model.feature import Feature
from ..model.state import RunState
from ..process import temporary_folder
from ..process.cancellation import Cancellation
from ..process.signals import StopSignals
from ..process.supervisor import Killed, Supervisor, end_commands_on
from ..project.control_requests import journalling
from ..project.open import OpenProject
from ..runner.checks import make_checks
from ..runner.context import RunContext
from ..runner.setup_cache import without_cache

Consent = Callable[[Feature], None]
"""Asks for consent to the commands of a feature; raises :class:`UserError` without it."""


class Stopped(Exception):
    """A signal stopped the checks; ``received`` is its number."""

    def __init__(self, received: int | None) -> None:
        super().__init__(received)
        self.received = received


class CopyChecks:
    """The checks of one command."""

    def __init__(self, project: OpenProject, command: str, consent: Consent) -> None:
        self.project = project
        self.command = command
        self.consent = consent

    def can_check(self) -> bool:
        """Whether there is no run or other command in progress."""
        return self.project.lock.holder() is None

    def failure(self, feature: Feature, commit: str, base: str) -> str:
        """Why a commit fails; empty if it passes. Raises :class:`Stopped`."""
        if not (self.project.config.project.verify or feature.verify or feature.creates):
            return ""
        self.consent(feature)
        with journalling(self.project, self.command):
            return asyncio.run(self._failure(feature, commit, base))

    async def _failure(self, feature: Feature, commit: str, base: str) -> str:
        whole = self.project.whole_state()
        run_id = f"{self.command}-{time.strftime('%Y%m%dT%H%M%S')}-{os.urandom(3).hex()}"
        async with Supervisor(run_id) as supervisor:
            stop = Cancellation()
            signals = StopSignals(stop, kill=supervisor.kill_all)
            end_commands_on(stop)
            emit = Recorder(self.project.journal, whole).emit
            logs = os.path.join(self.project.journal.folder, "logs", run_id)
            context = RunContext(run_id, logs, time.time, emit, stop)
            try:
                git = self.project.git.using(supervisor)
                failure = await self._checked(
                    git, context, whole, supervisor, feature, commit, base
                )
            except Killed:
                raise Stopped(signals.received) from None
            finally:
                signals.ignore()
            if stop.is_set():
                raise Stopped(signals.received)
            return failure

    async def _checked(
        self,
        git: Git,
        context: RunContext,
        state: RunState,
        supervisor: Supervisor,
        feature: Feature,
        commit: str,
        base: str,
    ) -> str:
        worktrees = self.project.worktrees.using(git)
        await worktrees.clear_scratch(worktrees.left_scratch())
        temporary_folder.clear()
        config = without_cache(self.project.config)
        checks = make_checks(config, worktrees, supervisor, context, state)
        failure = await checks.check_sides(commit, base, [feature])
        return failure.reason if failure else ""
