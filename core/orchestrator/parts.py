"""Puts the parts of a run together: supervisor, worktrees, attempts, checks, runner."""

from __future__ import annotations

from ..git.tampering import take_fingerprint
from ..model import events
from ..model.feature import Config
from ..model.state import RunState
from ..process.spawner import run_sync
from ..process.supervisor import Supervisor
from ..project.open import OpenProject
from ..runner.attempt import AttemptRunner
from ..runner.budget import Budget
from ..runner.checks import MakeChecks
from ..runner.claude_runner import ClaudeRunner
from ..runner.gauge import Gauge
from ..runner.surroundings import Surroundings
from ..runner.usage_limit import UsageLimitGate
from .loop import Orchestrator


def claude_runner(
    project: OpenProject,
    config: Config,
    supervisor: Supervisor,
    orchestrator: Orchestrator,
    budget: Budget,
    state: RunState,
    *,
    max_wait_seconds: float,
    checks: MakeChecks,
) -> ClaudeRunner:
    """The runner of one run; ``state`` is the state before it."""
    worktrees = project.worktrees.using(project.git.using(supervisor))
    context = orchestrator.context
    gate = UsageLimitGate(
        orchestrator.slots,
        context.stop,
        context.clock,
        lambda until: context.record(events.paused, until=until),
        grace_seconds=config.project.limit_grace_seconds,
        max_wait_seconds=max_wait_seconds,
        deadline=context.deadline,
    )
    gauge = Gauge(context, gate, config.project.hold_at_utilization)
    attempts = AttemptRunner(config, supervisor, context, answered=gate.lift, windows=gauge.hear)
    return ClaudeRunner(
        config,
        worktrees,
        attempts,
        checks(config, worktrees, supervisor, context, state),
        gate,
        budget,
        run_sync(take_fingerprint(project.git, state.setups)),
        context,
    )


def surroundings(
    project: OpenProject,
    runner: ClaudeRunner,
    supervisor: Supervisor,
    orchestrator: Orchestrator,
) -> Surroundings:
    """The watch over the user's checkout and the shared settings during a run."""
    return Surroundings(
        project.git.using(supervisor),
        runner.fingerprint,
        orchestrator.context,
        folder=project.worktrees.folder,
        state=lambda: orchestrator.state,
    )
