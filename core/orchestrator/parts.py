"""Puts the parts of a run together: supervisor, worktrees, attempts, checks, runner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..dag import schedule
from ..dag.prediction import predictions
from ..dag.resolver import DAGResolver
from ..dag.schedule import Rank
from ..git.tampering import take_fingerprint
from ..model import events
from ..model.feature import Config
from ..model.provenance import Estimate, Provenance
from ..model.state import RunState
from ..process.spawner import run_sync
from ..process.supervisor import Supervisor
from ..project.open import OpenProject
from ..project.past import Forecast
from ..runner.attempt import AttemptRunner
from ..runner.budget import Budget
from ..runner.checks import MakeChecks
from ..runner.claude_runner import ClaudeRunner, ResolveMeeting
from ..runner.feature_run import Tools
from ..runner.gauge import Gauge
from ..runner.surroundings import Surroundings
from ..runner.usage_limit import UsageLimitGate
from .loop import Orchestrator

MakeResolver = Callable[[Tools, Callable[[], RunState]], ResolveMeeting]
"""Makes the resolver of conflicts between the dependencies of a feature."""


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
    resolver: MakeResolver | None = None,
) -> ClaudeRunner:
    """The runner of one run; ``state`` is the state before it.

    ``resolver`` makes what resolves conflicts between dependencies.
    """
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
    runner = ClaudeRunner(
        config,
        worktrees,
        attempts,
        checks(config, worktrees, supervisor, context, state),
        gate,
        budget,
        run_sync(take_fingerprint(project.git, state.setups)),
        context,
    )
    if resolver is not None:
        runner.resolve = resolver(runner.tools, lambda: orchestrator.state)
    return runner


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


def rank_of(seconds: Mapping[str, float], *, sequential: bool) -> Callable[[DAGResolver], Rank]:
    """How the ready features of a graph are ordered; ``seconds`` are their predicted times."""
    if sequential:
        return schedule.wave_order
    return lambda dag: schedule.longest_path_first(dag, seconds)


def budget_estimates(
    project: OpenProject, forecast: Forecast, cap_usd: float | None
) -> dict[str, float]:
    """What each feature is expected to cost, for a budget of ``cap_usd``."""
    rate = project.config.project.usd_per_million_tokens
    listed = predictions(project.dag.features, (), rate)
    estimates = {id: each.cost_usd for id, each in listed.items()}
    for id, known in forecast.predictions.items():
        if known.is_known_well and cap_usd is not None:
            # A feature that may cost more than the budget can still be tried.
            estimates[id] = min(known.cost_p90_usd, cap_usd)
    return estimates


def expectations(
    dag: DAGResolver, forecast: Forecast, slots: int, rest: Iterable[str], past_seconds: float = 0.0
) -> Provenance:
    """What is expected of a run of ``dag``, of which the features ``rest`` are not over."""
    expected, seconds = forecast.predictions, forecast.seconds
    part = DAGResolver(dag.features[id] for id in rest)
    estimates = {id: Estimate(expected[id].seconds, expected[id].cost_usd) for id in dag.features}
    return Provenance(
        depends_on={id: each.depends_on for id, each in dag.features.items()},
        estimates=estimates,
        estimated_seconds=past_seconds + schedule.predict(part, slots, seconds).makespan_seconds,
        tags={id: each.tags for id, each in dag.features.items() if each.tags},
    )
