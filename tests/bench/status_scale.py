"""``status`` of a feature whose worktree has 50,000 files, beside ``git status`` in that worktree.

Run: python3 -m tests.bench.status_scale
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from .agents import write_agent, write_list
from .measure import TOOL, in_turn, repository, run, scratch, show

FILES = 50_000
TIMES = 9
LIMIT = 2.0
"""Less means that git takes most of the time."""


def main() -> int:
    """Run one feature in a repository of that size, then measure."""
    with scratch() as (folder, env):
        path = repository(folder, env)
        _fill(path, env)
        listed = os.path.join(folder, "feature_list.json")
        write_list(listed, write_agent(folder, 0), {"f0": []}, 1, "../worktrees")
        run([*TOOL, "run", "--yes", "--config", listed], cwd=path, env=env)
        look = [*TOOL, "status", "--config", listed]
        of_git = ["git", "status", "--porcelain=v2", "--untracked-files=all"]
        worktree = os.path.join(folder, "worktrees", "f0")
        times = in_turn(
            lambda: run(look, cwd=path, env=env),
            lambda: run(of_git, cwd=worktree, env=env),
            TIMES,
        )
        return 0 if show(f"status with {FILES} files ÷ git status", *times, LIMIT) else 1


def _fill(path: str, env: Mapping[str, str]) -> None:
    for number in range(FILES):
        if number % 100 == 0:
            os.makedirs(os.path.join(path, f"folder{number // 100}"))
        with open(os.path.join(path, f"folder{number // 100}", f"file{number}"), "w") as file:
            file.write(f"{number}\n")
    run(["git", "add", "-A"], cwd=path, env=env)
    run(["git", "commit", "-q", "-m", "files"], cwd=path, env=env)


if __name__ == "__main__":
    sys.exit(main())
