#!/usr/bin/env python3
"""Shows how a feature list becomes waves, a critical path and a predicted time.

Needs nothing but Python; reads config/feature_list.example.json, changes nothing.
"""

from __future__ import annotations

import os
import sys

from core.cli import guarded
from core.dag.prediction import estimator
from core.dag.resolver import DAGResolver
from core.dag.schedule import predict
from core.model.errors import UserError
from core.model.feature import Feature
from core.model.words import counted, duration, tokens
from core.project import feature_list as config

HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    """Resolve the example list, then a list that can't be resolved."""
    features = config.load(os.path.join(HERE, "config", "feature_list.example.json")).features
    dag = DAGResolver(features)
    work = estimator(dag.features)

    for number, wave in enumerate(dag.waves(), 1):
        print(f"Wave {number}: {', '.join(wave)}")
    print(f"Critical path: {' -> '.join(dag.critical_path(work))}")
    print(f"If auth-gtin fails, these are blocked: {', '.join(dag.descendants('auth-gtin'))}")
    for slots in (1, 2, 3):
        timeline = predict(dag, slots)
        makespan = duration(timeline.makespan_seconds)
        print(f"On {counted(slots, 'slot')}: {makespan} ({timeline.speedup:.2f}x)")
    print(f"Together: {tokens(sum(feature.estimated_tokens or 0 for feature in features))}")

    try:
        DAGResolver([Feature("a", "A", depends_on=("b",)), Feature("b", "B", depends_on=("a",))])
    except UserError as error:
        print(f"A cycle is refused: {error}")


if __name__ == "__main__":
    sys.exit(guarded(main))
