"""`status` and `plan` with features that are not merged while their base went on.

``python3 -m tests.bench.unmerged [FEATURES] [COMMITS]``: each command without the cache
of git's answers beside `git log -p` of the same commits, and with it beside a bare interpreter.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping

from tests.bench.measure import TOOL, run, scratch, show
from tests.bench.startup import BARE
from tests.support.paths import SIMULATED

FEATURES, COMMITS, RUNS = 40, 300, 5
FIRST, SECOND = 12.0, 8.0


def main(features: int = FEATURES, commits: int = COMMITS) -> int:
    """Make the repository, then measure."""
    with scratch() as (folder, env):
        repository = os.path.join(folder, "repository")
        list_of = _prepare(folder, repository, features, env)
        run([*TOOL, "run", "--yes", "--quiet", "--config", list_of], cwd=folder, env=env)
        _advance(repository, commits, env)
        print(f"{features} features that are not merged, {commits} commits on main")
        cache = os.path.join(env["HOME"], ".cache")
        kept = True
        log = ["git", "-C", repository, "log", "-p", f"-{commits}", "main"]
        for command in ("status", "plan"):
            rounds = []
            for _ in range(RUNS + 1):
                shutil.rmtree(cache, ignore_errors=True)
                look = [*TOOL, command, "--config", list_of]
                rounds.append([run(argv, cwd=folder, env=env) for argv in (look, log, look, BARE)])
            first, of_git, second, bare = zip(*rounds[1:])
            kept &= show(f"{command} ÷ git log -p", first, of_git, FIRST)
            kept &= show(f"{command} again ÷ bare interpreter", second, bare, SECOND)
    return 0 if kept else 1


def _prepare(folder: str, repository: str, features: int, env: Mapping[str, str]) -> str:
    """A repository with one file for each feature, and the list; the list's path."""
    run(["git", "init", "-q", "-b", "main", repository], cwd=folder, env=env)
    for number in range(features):
        with open(os.path.join(repository, f"file{number}.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"line {line}\n" for line in range(200))
    run(["git", "add", "."], cwd=repository, env=env)
    run(["git", "commit", "-q", "-m", "files"], cwd=repository, env=env)
    document = {
        "project": {"name": "Bench", "repo_path": repository, "max_parallel": 4},
        "claude": {"command": [sys.executable, "-S", SIMULATED]},
        "features": [{"id": f"f{n}", "name": f"F{n}", "prompt": "Do it."} for n in range(features)],
    }
    path = os.path.join(folder, "feature_list.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return path


def _advance(repository: str, commits: int, env: Mapping[str, str]) -> None:
    """Commits on main, each of which changes some lines of one file."""
    for number in range(commits):
        name = f"file{number % 20}.txt"
        with open(os.path.join(repository, name), "a", encoding="utf-8") as file:
            file.writelines(f"commit {number}, line {line}\n" for line in range(20))
        run(["git", "commit", "-q", "-a", "-m", f"commit {number}"], cwd=repository, env=env)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
