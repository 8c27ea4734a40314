"""A feature's own cost – worktree, commit, bookkeeping – beside ``make -j2`` with the same agent.

make runs a script for each feature: once with the git commands that ``run`` was seen to start
for it, once with those of a careful user. The cost of a feature is the time from the start of the
first one to the end of the last one, divided by their number: the time that a command takes to
start is that of ``tests.bench.startup``.
Run: python3 -m tests.bench.own_cost [--where] [--many]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Sequence

from core.journal.journal import Journal
from core.model.events import Event

from . import where
from .agents import write_agent, write_list
from .by_hand import make_argv, write_script
from .measure import TOOL, median, repository, run, scratch
from .recorded_git import commands_in, script_of, traced

FEATURES = 60
SLOTS = 2
TIMES = 5
LIMIT = 1.15
BY_HAND_LIMIT = 2.0
"""Less would be a worse safety: ``docs/PERFORMANCE.md`` names what a user by hand goes without."""

MANY = 300
MANY_SLOTS = 8
ENDS = 50
GROWTH_LIMIT = 1.1


class Bench:
    """The same features with each tool, in a fresh repository each time."""

    def __init__(self, folder: str, env: dict[str, str], count: int, slots: int) -> None:
        self.folder, self.env, self.slots = folder, env, slots
        self.graph: dict[str, Sequence[str]] = {f"f{number:03}": () for number in range(count)}
        self.agent = write_agent(folder, 0)
        self.listed = os.path.join(folder, "feature_list.json")
        write_list(self.listed, self.agent, self.graph, slots, "../worktrees")

    def fresh(self) -> str:
        """A new repository; its path."""
        for name in ("repository", "worktrees", "logs"):
            shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
        return repository(self.folder, self.env)

    def run(self, *program: str) -> list[Event]:
        """Run all features; the journal's events."""
        path = self.fresh()
        run([*(program or TOOL), "run", "--yes", "--config", self.listed], cwd=path, env=self.env)
        state = os.path.join(path, ".git", "rorchestrator")
        return Journal(state).read()

    def ours(self) -> float:
        """Milliseconds a feature of a run."""
        moments = [event.at for event in self.run() if event.feature]
        return (moments[-1] - moments[0]) / len(self.graph) * 1000

    def makes(self, script: str) -> float:
        """Milliseconds a feature of make with a script."""
        path = self.fresh()
        os.mkdir(os.path.join(self.folder, "logs"))
        argv = make_argv(self.folder, script, self.graph, self.slots)
        return run(argv, cwd=path, env=self.env).wall_seconds / len(self.graph) * 1000

    def growth(self) -> float:
        """The CPU time of a feature of the last ones ÷ that of the first ones, in a run."""
        self.run(*where.PROGRAM)
        ends = where.read(self.env)["ends"]
        each = [after - before for before, after in zip(ends, ends[1:])]
        return statistics.median(each[-ENDS:]) / statistics.median(each[:ENDS])

    def growth_of_make(self, script: str) -> float:
        """The same with make, in three parts."""
        path, ids = self.fresh(), list(self.graph)
        os.mkdir(os.path.join(self.folder, "logs"))
        took = []
        for part in (ids[:ENDS], ids[ENDS:-ENDS], ids[-ENDS:]):
            argv = make_argv(self.folder, script, dict.fromkeys(part, ()), self.slots)
            took.append(run(argv, cwd=path, env=self.env).cpu_seconds)
        return took[2] / took[0]

    def recorded(self) -> str:
        """A script with the git commands that a run starts for one feature; its path."""
        with traced(self.env) as trace:
            self.run()
            commands = commands_in(trace)
        path = os.path.join(self.folder, "recorded")
        one = list(self.graph)[len(self.graph) // 2]
        with open(path, "w") as file:
            file.write(script_of(one, commands, self.folder, self.agent))
        os.chmod(path, 0o755)
        return path


def main() -> int:
    """Build the same list with each, in fresh repositories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--where", action="store_true", help="print where the time goes")
    parser.add_argument("--many", action="store_true", help="only the cost of the last of 300")
    asked = parser.parse_args()
    if asked.where:
        return where_it_goes()
    kept = [] if asked.many else compared()
    return 0 if all([*kept, *grown()]) else 1


def where_it_goes() -> int:
    """Print a table of what takes the time of a feature."""
    with scratch() as (folder, env):
        bench = Bench(folder, env, FEATURES, 1)
        bench.run()  # compiles everything
        with traced(env) as trace:
            bench.run(*where.PROGRAM)
            commands = commands_in(trace)
        print("\n".join(where.table(where.read(env), commands, FEATURES)))
    return 0


def compared() -> Sequence[bool]:
    """Whether the ratios to make keep their limits."""
    with scratch() as (folder, env):
        bench = Bench(folder, env, FEATURES, SLOTS)
        same = bench.recorded()
        by_hand = write_script(folder, bench.agent)
        sides: list[Callable[[], float]] = [
            bench.ours,
            lambda: bench.makes(same),
            lambda: bench.makes(by_hand),
        ]
        found = [[side() for side in sides] for _ in range(TIMES)]
    names = ("with the same git commands", "with those of a careful user")
    return [
        _told(name, [(row[0], row[side]) for row in found], limit)
        for side, name, limit in zip((1, 2), names, (LIMIT, BY_HAND_LIMIT))
    ]


def _told(name: str, pairs: Sequence[tuple[float, float]], limit: float) -> bool:
    mine, theirs = (statistics.median(side) for side in zip(*pairs))
    detail = f"{FEATURES} on {SLOTS} slots, {mine:.1f} against {theirs:.1f} ms"
    ratios = [ours / other for ours, other in pairs]
    return median(f"a feature ÷ by make {name}: {detail}", ratios, limit)


def grown() -> Sequence[bool]:
    """Whether the last of many features take hardly more CPU time than the first.

    git itself reads every worktree whenever it adds one. So it is compared with make as well.
    """
    with scratch() as (folder, env):
        bench = Bench(folder, env, MANY, MANY_SLOTS)
        script = bench.recorded()
        found = [(bench.growth(), bench.growth_of_make(script)) for _ in range(TIMES)]
    mine, makes = (statistics.median(side) for side in zip(*found))
    name = f"CPU time of a feature of the last {ENDS} ÷ of the first {ENDS}"
    detail = f"{MANY} on {MANY_SLOTS} slots"
    return [
        median(f"{name}: {detail}", [ours for ours, _ in found], GROWTH_LIMIT),
        median(
            f"{name}, ÷ the same with make: {mine:.2f} against {makes:.2f}",
            [ours / other for ours, other in found],
            GROWTH_LIMIT,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
