"""Start-up: ``--help``, ``plan`` and ``status`` beside a bare interpreter with argparse and json.

Everything is compiled: the first start after an installation is not measured. What git takes is
shown apart: the commands that ``plan`` and ``status`` ask, run by hand one after the other.
Run: python3 -m tests.bench.startup
"""

from __future__ import annotations

import json
import os
import statistics
import sys

from . import measure
from .measure import TOOL, in_turn, repository, run, scratch, show

LIMIT = 1.6
BARE = (sys.executable, "-c", "import argparse, json")

OF_GIT = """\
git version
git rev-parse --is-bare-repository --is-shallow-repository --git-common-dir --show-cdup
git for-each-ref refs/heads/ refs/rorchestrator/ refs/stash
"""


def main() -> int:
    """Measure the commands against the bare interpreter."""
    times = 11 if measure.IS_SHORT else 25
    with scratch() as (folder, env):
        path = repository(folder, env)
        features = [{"id": f"f{i}", "prompt": "do it"} for i in range(4)]
        with open(os.path.join(path, "feature_list.json"), "w") as file:
            json.dump({"project": {"name": "bench"}, "features": features}, file)
        config = ["--config", "feature_list.json"]
        commands = {"--help": ["--help"], "plan": ["plan", *config], "status": ["status", *config]}
        kept = [
            show(
                name,
                *in_turn(
                    lambda words=words: run([*TOOL, *words], cwd=path, env=env),
                    lambda: run(BARE, cwd=path, env=env),
                    times,
                ),
                LIMIT,
            )
            for name, words in commands.items()
        ]
        for line in OF_GIT.splitlines():
            took = [run(line.split(), cwd=path, env=env).wall_seconds for _ in range(times)]
            print(f"{' '.join(line.split()[:2])}: {statistics.median(took) * 1000:.1f} ms")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
