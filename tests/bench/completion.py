"""An answer to the completion script of a shell: the ids of a list of 300 features.

Run: python3 -m tests.bench.completion
"""

from __future__ import annotations

import json
import os
import statistics
import sys

from .measure import TOOL, run, scratch, verdict

FEATURES = 300
TIMES = 25
LIMIT_SECONDS = 0.1


def main() -> int:
    """Measure it, once the interpreter has compiled what it imports."""
    with scratch() as (folder, env):
        features = [{"id": f"f{number}", "prompt": "do it"} for number in range(FEATURES)]
        os.mkdir(os.path.join(folder, "config"))
        with open(os.path.join(folder, "config", "feature_list.json"), "w") as file:
            json.dump({"project": {"name": "bench"}, "features": features}, file)
        words = [*TOOL, "__complete", "bash", "run", "--only", ""]
        run(words, cwd=folder, env=env)
        wall = statistics.median(run(words, cwd=folder, env=env).wall_seconds for _ in range(TIMES))
        return 0 if verdict("ids", wall, LIMIT_SECONDS, " s") else 1


if __name__ == "__main__":
    sys.exit(main())
