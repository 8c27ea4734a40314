"""``plan`` of 1,000 and 10,000 features: beside a JSON parser with the list, and in proportion.

A feature's share is what ``plan`` takes beyond a list of one feature, divided by their number.
Run: python3 -m tests.bench.plan_scale
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Mapping

from . import measure
from .measure import TOOL, Run, median, repository, run, scratch, show

FEW, MANY = 1_000, 10_000
LIMIT_LINEAR = 1.2
LIMIT_PARSED = 25.0
LIMIT_MEMORY = 4.0

PARSE = "import argparse, json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"


def listed(count: int) -> dict[str, object]:
    """A list whose features each need up to three earlier ones."""
    chance = random.Random(7)
    features = [
        {
            "id": f"f{i}",
            "name": f"Feature {i}",
            "depends_on": [f"f{d}" for d in sorted(chance.sample(range(i), min(i, i % 4)))],
            "prompt": f"Do number {i}.",
            "estimated_tokens": chance.randrange(10_000, 90_000),
        }
        for i in range(count)
    ]
    return {"project": {"name": "bench"}, "features": features}


def main() -> int:
    """Measure the lists in turn."""
    times = 3 if measure.IS_SHORT else 9
    with scratch() as (folder, env):
        path = repository(folder, env)
        for count in (1, FEW, MANY):
            with open(os.path.join(path, f"{count}.json"), "w") as file:
                json.dump(listed(count), file)
        rounds = [_round(path, env) for _ in range(times + 1)][1:]  # the first one warms up
    _, few, many, parsed = zip(*rounds)
    least = [min(run.cpu_seconds for run in side) for side in (few, many)]
    shares = [_linear(*(side.cpu_seconds for side in each[:3])) for each in rounds]
    memory = [each.peak_mib / other.peak_mib for each, other in zip(many, parsed)]
    kept = [
        show(f"plan of {MANY} features ÷ JSON parser", many, parsed, LIMIT_PARSED, cpu=True),
        median(
            f"a feature of {MANY} ÷ a feature of {FEW}",
            shares,
            LIMIT_LINEAR,
            # Not less the start: the difference of two small times is mostly noise.
            steady=least[1] / least[0] / (MANY / FEW),
        ),
        median(f"memory of plan of {MANY} features ÷ JSON parser", memory, LIMIT_MEMORY),
    ]
    return 0 if all(kept) else 1


def _round(path: str, env: Mapping[str, str]) -> tuple[Run, Run, Run, Run]:
    plans = [
        run([*TOOL, "plan", "--config", f"{count}.json"], cwd=path, env=env)
        for count in (1, FEW, MANY)
    ]
    parsed = run([sys.executable, "-c", PARSE, f"{MANY}.json"], cwd=path, env=env)
    return plans[0], plans[1], plans[2], parsed


def _linear(one: float, few: float, many: float) -> float:
    """What a feature takes among many ÷ among few."""
    return (many - one) / MANY / ((few - one) / FEW)


if __name__ == "__main__":
    sys.exit(main())
