"""An answer to the completion script of a shell: the ids of a list of 300 features,
beside a bare interpreter.

Run: python3 -m tests.bench.completion
"""

from __future__ import annotations

import json
import os
import sys

from . import measure
from .measure import TOOL, in_turn, run, scratch, show
from .startup import BARE

FEATURES = 300
LIMIT = 3.0


def main() -> int:
    """Measure it."""
    with scratch() as (folder, env):
        features = [{"id": f"f{number}", "prompt": "do it"} for number in range(FEATURES)]
        os.mkdir(os.path.join(folder, "config"))
        with open(os.path.join(folder, "config", "feature_list.json"), "w") as file:
            json.dump({"project": {"name": "bench"}, "features": features}, file)
        words = [*TOOL, "__complete", "bash", "run", "--only", ""]
        times = in_turn(
            lambda: run(words, cwd=folder, env=env),
            lambda: run(BARE, cwd=folder, env=env),
            11 if measure.IS_SHORT else 25,
        )
        return 0 if show("ids ÷ bare interpreter", *times, LIMIT, cpu=True) else 1


if __name__ == "__main__":
    sys.exit(main())
