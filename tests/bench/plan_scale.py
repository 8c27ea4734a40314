"""``plan`` of 10,000 features: time and peak memory.

Run: python3 -m tests.bench.plan_scale
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys

from .measure import TOOL, repository, run, scratch, verdict

FEATURES = 10_000
TIMES = 7
LIMIT_SECONDS = 0.7
LIMIT_MIB = 80


def main() -> int:
    """Measure a generated list whose features each need up to three earlier ones."""
    chance = random.Random(7)
    features = [
        {
            "id": f"f{i}",
            "name": f"Feature {i}",
            "depends_on": [f"f{d}" for d in sorted(chance.sample(range(i), min(i, i % 4)))],
            "prompt": f"Do number {i}.",
            "estimated_tokens": chance.randrange(10_000, 90_000),
        }
        for i in range(FEATURES)
    ]
    with scratch() as (folder, env):
        path = repository(folder, env)
        with open(os.path.join(path, "feature_list.json"), "w") as file:
            json.dump({"project": {"name": "bench"}, "features": features}, file)
        argv = [*TOOL, "plan", "--config", "feature_list.json"]
        run(argv, cwd=path, env=env)
        runs = [run(argv, cwd=path, env=env) for _ in range(TIMES)]
    seconds = statistics.median(r.wall_seconds for r in runs)
    mib = statistics.median(r.peak_mib for r in runs)
    name = f"plan of {FEATURES} features"
    kept = [
        verdict(f"{name}, time", seconds, LIMIT_SECONDS, " s"),
        verdict(f"{name}, peak memory", mib, LIMIT_MIB, " MiB"),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
