#!/usr/bin/env python3
"""Runs the whole tool on a diamond of four features, with a simulated Claude.

Makes a temporary repository, types `rorchestrator run --yes` in it as a user would, and shows
that the last branch holds the files of all four. Needs no key and no network, leaves nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from core.cli import guarded
from demo_worktree import make_repository

HERE = os.path.dirname(os.path.abspath(__file__))

FEATURES = {
    "model": [],
    "storage": ["model"],
    "search": ["model"],
    "app": ["storage", "search"],
}
SECONDS = {"model": 1.0, "storage": 2.0, "search": 2.0, "app": 1.0}
"""How long the simulated Claude takes for each."""


def main() -> int:
    """Run it and show the result; the exit code of the run."""
    with tempfile.TemporaryDirectory(prefix="rorchestrator-demo-") as folder:
        repository = os.path.join(folder, "shop")
        make_repository(repository)
        write_list(repository)
        print("$ rorchestrator run --yes", flush=True)
        code = command(repository, "run", "--yes")
        print("\n$ git ls-tree --name-only feature/app", flush=True)
        tree = ["git", "-C", repository, "ls-tree", "--name-only", "feature/app"]
        subprocess.run(tree, check=False)
    print("\nThe repository of the demo is removed again, with its report.")
    return code


def write_list(
    repository: str,
    claude: Sequence[str] = (sys.executable, os.path.join(HERE, "core", "claude", "simulated.py")),
    pace: float = 1.0,
) -> None:
    """Write the feature list; ``pace`` is a factor for :data:`SECONDS`."""
    features = [
        {
            "id": id,
            "name": f"The {id}",
            "depends_on": needed,
            "estimated_tokens": int(20_000 * SECONDS[id]),
            "prompt": [
                f"simulate: {json.dumps(step)}"
                for step in (
                    {"sleep": SECONDS[id] * pace},
                    {"write": f"{id}.py", "content": f"# the {id}\n"},
                )
            ],
        }
        for id, needed in FEATURES.items()
    ]
    document = {
        "project": {"name": "Demo shop", "repo_path": "."},
        "claude": {"command": list(claude)},
        "features": features,
    }
    os.mkdir(os.path.join(repository, "config"))
    with open(os.path.join(repository, "config", "feature_list.json"), "w") as file:
        json.dump(document, file, indent=2)


def command(folder: str, *words: str) -> int:
    """Type a command in a folder; its exit code."""
    argv = [sys.executable, os.path.join(HERE, "orchestrate.py"), *words]
    with subprocess.Popen(argv, cwd=folder) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.wait()  # It got Ctrl-C as well.
            raise


if __name__ == "__main__":
    sys.exit(guarded(main))
