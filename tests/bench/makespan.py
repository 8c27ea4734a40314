"""Twelve graphs with real processes, by ``run``, ``make -j`` and ``ninja -j`` in turn.

The makespan lasts from the start of the first agent to the end of the last one. It is divided by
max(critical path, work ÷ slots), which counts only the time that the agents are told to take.
Run: python3 -m tests.bench.makespan [--times 1] [--graphs 12]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .agents import write_list, write_timed_agent
from .by_hand import make_argv, ninja_argv, write_script
from .measure import TOOL, median, repository, run, scratch
from .schedule_quality import Graph, deep, layered, series_parallel, wide

LIMIT = 1.10
APART = 0.03
"""At most so much longer than with make and ninja, as a share of the bound."""

LEAST_SECONDS, MOST_SECONDS = 8.0, 14.0
"""Of the bound: long enough that a second is a small part, short enough to wait for."""


def diamond(chance: random.Random) -> Graph:
    """Diamonds in a row: one feature, some that need it, and one that needs them."""
    graph: dict[str, Sequence[str]] = {"top0": ()}
    for row in range(chance.randint(2, 4)):
        middle = [f"m{row}.{number}" for number in range(chance.randint(2, 9))]
        graph.update((id, [f"top{row}"]) for id in middle)
        graph[f"top{row + 1}"] = middle
    return graph


def even(chance: random.Random) -> float:
    """Between one and two seconds."""
    return chance.uniform(1.0, 2.0)


def heavy(chance: random.Random) -> float:
    """Mostly a little more than a second, sometimes much more."""
    return min(chance.paretovariate(1.5), 8.0)


KINDS: Mapping[str, tuple[Callable[[random.Random], Graph], Callable[[random.Random], float]]] = {
    "layered": (layered, even),
    "series-parallel": (series_parallel, even),
    "wide": (wide, even),
    "deep": (deep, even),
    "diamond": (diamond, even),
    "heavy-tailed": (layered, heavy),
}


@dataclass(frozen=True)
class Case:
    """A graph, the seconds of each feature and the slots."""

    name: str
    graph: Graph
    seconds: Mapping[str, float]
    slots: int

    @property
    def bound(self) -> float:
        """The shortest time that any schedule can take, if nothing but the agents takes time."""
        ends: dict[str, float] = {}
        for id, needed in self.graph.items():
            ends[id] = self.seconds[id] + max((ends[one] for one in needed), default=0)
        return max(max(ends.values()), sum(self.seconds.values()) / self.slots)


def ordered(graph: Graph) -> Graph:
    """The same graph, each feature behind those that it needs."""
    found: dict[str, Sequence[str]] = {}
    while len(found) < len(graph):
        found.update(
            (id, needed)
            for id, needed in graph.items()
            if id not in found and all(one in found for one in needed)
        )
    return found


def drawn(chance: random.Random, kind: str, slots: int) -> Case:
    """The next random graph of a kind with more features than slots and a bound of some seconds."""
    shape, time = KINDS[kind]
    while True:
        graph = ordered(shape(chance))
        seconds = {id: round(time(chance), 2) for id in graph}
        case = Case(f"{kind}, {len(graph)} on {slots} slots", graph, seconds, slots)
        if len(graph) > slots and LEAST_SECONDS <= case.bound <= MOST_SECONDS:
            return case


@dataclass(frozen=True)
class Took:
    """One build, as shares of the bound."""

    makespan: float
    wall: float


class Bench:
    """One case, built in a fresh repository each time."""

    def __init__(self, folder: str, env: Mapping[str, str], case: Case) -> None:
        self.folder, self.env, self.case = folder, env, case
        self.times = os.path.join(folder, "times")
        self.agent = write_timed_agent(folder, case.seconds, self.times)

    def ours(self) -> Took:
        """By ``run``, whose estimates are right."""
        listed = os.path.join(self.folder, "feature_list.json")
        case = self.case
        tokens = {id: round(seconds * 1000) for id, seconds in case.seconds.items()}
        write_list(listed, self.agent, case.graph, case.slots, "../worktrees", tokens)
        return self._timed([*TOOL, "run", "--yes", "--config", listed])

    def by(self, tool: Callable[[str, str, Graph, int], list[str]]) -> Took:
        """By make or ninja."""
        script = write_script(self.folder, self.agent)
        return self._timed(tool(self.folder, script, self.case.graph, self.case.slots))

    def _timed(self, argv: Sequence[str]) -> Took:
        for name in ("repository", "worktrees", "times"):
            shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
        os.mkdir(self.times)
        path = repository(self.folder, self.env)
        wall = run(argv, cwd=path, env=self.env).wall_seconds
        moments: list[float] = []
        for id in self.case.graph:
            with open(os.path.join(self.times, id)) as file:
                moments += map(float, file.read().split())
        bound = self.case.bound
        return Took((max(moments) - min(moments)) / bound, wall / bound)


def main() -> int:
    """Build each graph with each tool, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--graphs", type=int, default=12)
    asked = parser.parse_args()
    chance = random.Random(1)
    cases = [drawn(chance, kind, slots) for slots in (4, 8) for kind in KINDS]
    found: list[tuple[Took, Took, Took]] = []
    for case in cases[: asked.graphs]:
        with scratch() as (folder, env):
            bench = Bench(folder, env, case)
            run([*TOOL, "run", "--help"], cwd=folder, env=env)  # compiles most of it
            took = [
                (bench.ours(), bench.by(make_argv), bench.by(ninja_argv))
                for _ in range(asked.times)
            ]
        found += took
        told = [
            f"{name} {statistics.median(t.makespan for t in side):.3f} "
            f"({statistics.median(t.wall for t in side):.3f} until it returned)"
            for name, side in zip(("run", "make", "ninja"), zip(*took))
        ]
        print(f"{case.name}, bound {case.bound:.2f} s: {', '.join(told)}", flush=True)
    return 0 if all(list(_verdicts(found))) else 1


def _verdicts(found: Sequence[tuple[Took, Took, Took]]) -> Sequence[bool]:
    ours = [mine for mine, _, _ in found]
    kept = [median("makespan ÷ bound", [took.makespan for took in ours], LIMIT)]
    for name, side in (("make", 1), ("ninja", 2)):
        apart = [took[0].makespan - took[side].makespan for took in found]
        kept.append(median(f"makespan ÷ bound, less that with {name}", apart, APART))
    for name, side in (("make", 1), ("ninja", 2)):
        walls = [took[0].wall / took[side].wall for took in found]
        kept.append(median(f"command to prompt ÷ that of {name}", walls, LIMIT))
    return kept


if __name__ == "__main__":
    sys.exit(main())
