"""Plans of a small list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.dag.prediction import Measured, predictions
from core.dag.resolver import DAGResolver
from core.dag.schedule import Plan, predict
from core.model.decision import Action, Decision
from core.model.feature import Feature


def plan_of(
    features: Sequence[Feature],
    *,
    selected: Sequence[str] | None = None,
    decisions: Mapping[str, Decision] | None = None,
    description: str = "",
    max_cost_usd: float | None = None,
    copied: tuple[str, ...] = (),
    linked: tuple[str, ...] = (),
    setup_cache: tuple[str, ...] = (),
    measured: Sequence[Measured] = (),
    past_error: float | None = None,
) -> Plan:
    dag = DAGResolver(features)
    expected = predictions(dag.features, measured, 30.0)
    seconds = {id: each.seconds for id, each in expected.items()} if measured else None
    new = {id: Decision(id, Action.START, "new") for id in dag.features}
    return Plan(
        project="Shop",
        description=description,
        features=dag.features,
        waves=tuple(map(tuple, dag.waves())),
        branches={id: f"feature/{id}" for id in dag.features},
        decisions={**new, **(decisions or {})},
        selected=frozenset(dag.features if selected is None else selected),
        critical_path=tuple(dag.critical_path(lambda feature: feature.estimated_tokens or 1)),
        max_parallel=2,
        timeline=predict(dag, 2, seconds),
        usd_per_million_tokens=30.0,
        max_cost_usd=max_cost_usd,
        copied=copied,
        linked=linked,
        setup_cache=setup_cache,
        predictions=expected,
        past_error=past_error,
    )


AUTH = Feature("auth", "Sign-in", estimated_tokens=50_000)


API = Feature("api", "Lookup", depends_on=("auth",), estimated_tokens=40_000)


BATCH = Feature("batch", "batch", depends_on=("auth",), estimated_tokens=60_000)


DIAMOND = (AUTH, API, BATCH, Feature("app", "App", depends_on=("api", "batch")))
