"""Start-up: ``--help`` and ``plan`` beside a bare interpreter with argparse and json imported.

Run: python3 -m tests.bench.startup
"""

from __future__ import annotations

import json
import os
import sys

from .measure import TOOL, in_turn, repository, run, scratch, show

TIMES = 25
LIMIT = 2.0


def main() -> int:
    """Measure both commands against the bare interpreter."""
    with scratch() as (folder, env):
        path = repository(folder, env)
        features = [{"id": f"f{i}", "prompt": "do it"} for i in range(4)]
        with open(os.path.join(path, "feature_list.json"), "w") as file:
            json.dump({"project": {"name": "bench"}, "features": features}, file)
        bare = [sys.executable, "-c", "import argparse, json"]
        commands = {"--help": ["--help"], "plan": ["plan", "--config", "feature_list.json"]}
        kept = [
            show(
                name,
                *in_turn(
                    lambda words=words: run([*TOOL, *words], cwd=path, env=env),
                    lambda: run(bare, cwd=path, env=env),
                    TIMES,
                ),
                LIMIT,
            )
            for name, words in commands.items()
        ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
