"""Whole runs as events, for what is computed from past ones."""

from __future__ import annotations

from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status
from core.model.provenance import Estimate, Provenance


def story(run: str, at: float, owner: str, *ids: str) -> list[Event]:
    """A run whose features take ten seconds and cost half a dollar each."""
    given = Provenance(
        estimates={id: Estimate(5.0, 1.0) for id in ids},
        estimated_seconds=20.0,
        tags=dict.fromkeys(ids[:1], ("core",)),
    )
    begun = events.run_started(
        at,
        run,
        pid=1,
        base_branch="main",
        base_commit="b",
        features=ids,
        max_parallel=2,
        owner=owner,
        provenance=given,
    )
    found = [begun]
    for id in ids:
        decision = Decision(id, Action.START, "new", "key")
        done = AttemptOutcome(Status.COMPLETED, cost_usd=0.5)
        found += [
            events.preparing(at, run, decision, branch=f"feature/{id}", worktree="/w", name=id),
            events.attempt_started(at, run, id, attempt=1, session_id="s", resumed=False, log="l"),
            events.attempt_ended(at + 9, run, id, done),
            events.ended(at + 10, run, id, FeatureOutcome(Status.COMPLETED)),
        ]
    return [*found, events.run_ended(at + 10, run, exit_code=0)]
