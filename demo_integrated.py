#!/usr/bin/env python3
"""Shows the whole tool at work on a diamond of four features, with a simulated agent.

Makes a temporary repository, runs `rorchestrator run --yes` in it as a user would, and shows
that the last branch holds the files of all four. No key, no network, nothing left behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from core.cli import guarded
from demo_worktree import make_repository

HERE = os.path.dirname(os.path.abspath(__file__))

FEATURES = {
    "model": [],
    "storage": ["model"],
    "search": ["model"],
    "app": ["storage", "search"],
}


def main() -> int:
    """Run, look; the exit code of the run."""
    with tempfile.TemporaryDirectory(prefix="rorchestrator-demo-") as folder:
        repository = os.path.join(folder, "shop")
        make_repository(repository)
        write_list(repository)
        print("$ rorchestrator run --yes", flush=True)
        code = command(repository, "run", "--yes")
        print("\n$ git ls-tree --name-only feature/app", flush=True)
        tree = ["git", "-C", repository, "ls-tree", "--name-only", "feature/app"]
        subprocess.run(tree, check=False)
    return code


def write_list(repository: str) -> None:
    """The feature list; the simulated agent takes the place of `claude`."""
    simulated = [sys.executable, os.path.join(HERE, "core", "claude", "simulated.py")]
    features = [
        {
            "id": id,
            "name": f"The {id}",
            "depends_on": needed,
            "estimated_tokens": 20_000,
            "prompt": "\n".join(
                f"simulate: {json.dumps(step)}"
                for step in ({"sleep": 0.5}, {"write": f"{id}.py", "content": f"# the {id}\n"})
            ),
        }
        for id, needed in FEATURES.items()
    ]
    document = {
        "project": {"name": "Demo shop", "repo_path": "."},
        "claude": {"command": simulated},
        "features": features,
    }
    os.mkdir(os.path.join(repository, "config"))
    with open(os.path.join(repository, "config", "feature_list.json"), "w") as file:
        json.dump(document, file, indent=2)


def command(folder: str, *words: str) -> int:
    """Run the tool in a folder; its exit code."""
    argv = [sys.executable, os.path.join(HERE, "orchestrate.py"), *words]
    with subprocess.Popen(argv, cwd=folder) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.wait()  # It heard Ctrl-C as well, and ends in order.
            raise


if __name__ == "__main__":
    sys.exit(guarded(main))
