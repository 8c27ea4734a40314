"""``history`` of 10,000 features in 100 runs, the second time, beside a bare interpreter.

The first time makes an index of the runs.

Run: python3 -m tests.bench.history
"""

from __future__ import annotations

import json
import os
import sys

from core.journal.journal import Journal
from tests.support.past_runs import story

from .measure import TOOL, in_turn, repository, run, scratch, show
from .startup import BARE

RUNS, FEATURES = 100, 100
TIMES = 9
LIMIT = 10.0


def main() -> int:
    """Measure it; the first time makes the index."""
    with scratch() as (folder, env):
        path = repository(folder, env)
        features = [{"id": "f0", "prompt": "do it"}]
        with open(os.path.join(path, "feature_list.json"), "w") as file:
            json.dump({"project": {"name": "bench"}, "features": features}, file)
        journal = Journal(os.path.join(path, ".git", "rorchestrator"))
        journal.open()
        os.fsync = lambda file: None
        for number in range(RUNS):
            ids = [f"f{index}" for index in range(FEATURES)]
            for event in story(f"r{number}", 1e9 + number * 1e4, "feature_list.json", *ids):
                journal.append(event)
        journal.close()
        words = [*TOOL, "history", "--config", "feature_list.json"]
        first = run(words, cwd=path, env=env)
        print(f"the first time: {first.wall_seconds:.2f} s")
        times = in_turn(
            lambda: run(words, cwd=path, env=env), lambda: run(BARE, cwd=path, env=env), TIMES
        )
        return 0 if show("the second time ÷ bare interpreter", *times, LIMIT, cpu=True) else 1


if __name__ == "__main__":
    sys.exit(main())
