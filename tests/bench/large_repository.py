"""From the command to the start of the agent in a repository of 50,000 files, beside a bare
``git worktree add`` of the same commit.

Run: python3 -m tests.bench.large_repository [FILES]; the repository is made in ``TMPDIR``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from .agents import AGENT
from .measure import TOOL, Run, in_turn, median, run, scratch, show

FILES = 50_000
TIMES = 5
PER_FOLDER, FOLDERS_PER_AREA = 50, 50

LIMIT = 1.1
"""Of the first feature ÷ a bare `git worktree add`, with checks of the base or without."""

LATER = 1.1
"""Of the time between the end of a feature and the agent of the next one ÷ `git worktree add`."""

STATUS = 2.0
"""Of `status` ÷ `git status` in the feature's worktree: git takes most of the time."""

AGAIN = 0.35
"""Of a checkout that is ready for checks ÷ `git worktree add`, if a former one can be reused."""

SPARSE = 0.5
"""Of the first feature in a sparse cone of a tenth ÷ a full `git worktree add`."""

STAMP = 'date +%s.%N >"$STAMPS/$RORCHESTRATOR_FEATURE"'
"""What the agent does first."""

CHECK = "test -e area00/part00/file00.txt"


class Bench:
    """A large repository, a list for it, and both sides of each comparison."""

    def __init__(self, folder: str, env: Mapping[str, str], files: int) -> None:
        self.folder = folder
        self.stamps = os.path.join(folder, "stamps")
        self.env = {**env, "STAMPS": self.stamps}
        self.top = os.path.join(folder, "repository")
        self.worktrees = os.path.join(folder, "worktrees")
        self.agent = os.path.join(folder, "agent")
        with open(self.agent, "w") as file:
            file.write(AGENT.replace("SLEEP", ":").replace("read -r", f"{STAMP}\nread -r", 1))
        os.chmod(self.agent, 0o755)
        _write_files(self.top, files)
        self.git("init", "-q", "-b", "main")
        self.git("config", "gc.auto", "0")  # It would go on beside the first measurements.
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "files")
        self.git("gc", "-q")

    def git(self, *arguments: str) -> Run:
        """git in the main checkout."""
        return run(["git", *arguments], cwd=self.top, env=self.env)

    def clear(self) -> None:
        """As before the first run."""
        for path in (self.worktrees, self.stamps, os.path.join(self.top, ".git/rorchestrator")):
            shutil.rmtree(path, ignore_errors=True)
        os.mkdir(self.stamps)
        self.git("worktree", "prune")
        heads = os.path.join(self.top, ".git/refs/heads/feature")
        shutil.rmtree(heads, ignore_errors=True)
        shutil.rmtree(os.path.join(self.top, ".git/refs/rorchestrator"), ignore_errors=True)

    def add(self) -> Run:
        """A bare `git worktree add` of the base."""
        self.clear()
        return self.git("worktree", "add", "-q", "-b", "feature/bare", "../worktrees/bare", "main")

    def write_list(self, ids: Mapping[str, list[str]], **project: object) -> str:
        """The list of a run with one slot."""
        document = {
            "project": {
                "name": "bench",
                "repo_path": "repository",
                "max_parallel": 1,
                "start_interval_seconds": 0,
                "worktrees_path": "../worktrees",
                **project,
            },
            "claude": {"command": [self.agent]},
            "features": [
                {"id": id, "prompt": "do it", "depends_on": needed} for id, needed in ids.items()
            ],
        }
        path = os.path.join(self.folder, "feature_list.json")
        with open(path, "w") as file:
            json.dump(document, file)
        return path

    def orchestrate(self, path: str) -> float:
        """Run a list from the start; the time of its command."""
        self.clear()
        began = time.time()
        run([*TOOL, "run", "--yes", "--quiet", "--config", path], cwd=self.top, env=self.env)
        return began

    def stamp(self, id: str) -> float:
        """When the agent of a feature began."""
        with open(os.path.join(self.stamps, id)) as file:
            return float(file.read())

    def until_agent(self, **project: object) -> Callable[[], Run]:
        """From the command to the agent of the only feature."""

        def ours() -> Run:
            began = self.orchestrate(self.write_list({"one": []}, **project))
            return Run(self.stamp("one") - began, 0.0, 0.0)

        return ours

    def moments(self) -> list[tuple[float, str, str]]:
        """Time, type and feature of each event of the run."""
        with open(os.path.join(self.top, ".git/rorchestrator/journal.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        return [
            (datetime.fromisoformat(line["at"]).timestamp(), line["event"], line.get("feature", ""))
            for line in lines
        ]

    def later(self, **project: object) -> Callable[[], Run]:
        """From the second feature's preparation to its agent, after the first one ended."""

        def ours() -> Run:
            self.orchestrate(self.write_list({"one": [], "two": ["one"]}, **project))
            begun = next(at for at, kind, id in self.moments() if (kind, id) == PREPARING)
            return Run(self.stamp("two") - begun, 0.0, 0.0)

        return ours

    def clean_checkout(self) -> Run:
        """From the work of a second feature to the first check in a clean checkout of it."""
        path = self.write_list({"one": [], "two": ["one"]}, verify=[CHECK], verify_clean=True)
        self.orchestrate(path)
        checks = [at for at, kind, id in self.moments() if (kind, id) == CHECKED]
        return Run(checks[-1] - checks[-2], 0.0, 0.0)


PREPARING = ("preparing", "two")
CHECKED = ("checked", "two")


def _write_files(top: str, files: int) -> None:
    for number in range(files):
        folder, name = divmod(number, PER_FOLDER)
        area, part = divmod(folder, FOLDERS_PER_AREA)
        place = os.path.join(top, f"area{area:02}", f"part{part:02}")
        if not name:
            os.makedirs(place)
        with open(os.path.join(place, f"file{name:02}.txt"), "w") as file:
            file.write(f"line of file {number}\n" * 40)


def main(files: int = FILES, times: int = TIMES) -> int:
    """Make the repository, then measure both sides in turn."""
    with scratch() as (folder, env):
        bench = Bench(folder, env, files)
        check = {"verify": [CHECK]}
        kept = True
        for words, ours, limit in (
            ("first agent", bench.until_agent(), LIMIT),
            ("first agent, checked base", bench.until_agent(**check), LIMIT),
            ("second agent", bench.later(), LATER),
            ("second agent, checked base", bench.later(**check), LATER),
            ("clean checkout for checks", bench.clean_checkout, AGAIN),
        ):
            mine, bare = in_turn(ours, bench.add, times)
            kept &= show(f"{words} ÷ git worktree add", mine, bare, limit)
        kept &= _sparse(bench, [a.wall_seconds for a in bare], times)
        kept &= _status(bench, times)
    return 0 if kept else 1


def _sparse(bench: Bench, full: list[float], times: int) -> bool:
    """A cone of one area in ten."""
    bench.git("sparse-checkout", "set", "area00", "area01")
    mine, bare = in_turn(bench.until_agent(), bench.add, times)
    bench.git("sparse-checkout", "disable")
    show("first agent, sparse ÷ sparse git worktree add", mine, bare, 5.0)
    shares = [a.wall_seconds / b for a, b in zip(mine, full)]
    return median("first agent, sparse ÷ full git worktree add", shares, SPARSE)


def _status(bench: Bench, times: int) -> bool:
    bench.orchestrate(path := bench.write_list({"one": []}))
    look = [*TOOL, "status", "--config", path]
    of_git = ["git", "status", "--porcelain=v2", "--untracked-files=all"]
    mine, gits = in_turn(
        lambda: run(look, cwd=bench.top, env=bench.env),
        lambda: run(of_git, cwd=os.path.join(bench.worktrees, "one"), env=bench.env),
        times,
    )
    return show("status ÷ git status", mine, gits, STATUS)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
