"""Makespan ÷ max(critical path, work ÷ slots), with agents of a second.

The bound counts one second a feature: what the agent takes to start counts against us.
Run: python3 -m tests.bench.makespan
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping

from .agents import write_agent, write_list
from .measure import TOOL, repository, run, scratch, verdict

LIMIT = 1.08
SECONDS = 1.0


def layered(sizes: list[int], seed: int) -> dict[str, list[str]]:
    """Layers of the given sizes; each feature needs one to three of the layer before."""
    chance = random.Random(seed)
    graph: dict[str, list[str]] = {}
    before: list[str] = []
    for layer, size in enumerate(sizes):
        ids = [f"l{layer}n{number}" for number in range(size)]
        for id in ids:
            graph[id] = chance.sample(before, min(len(before), chance.randint(1, 3)))
        before = ids
    return graph


GRAPHS = {
    "chain of 8": ({f"c{n}": [f"c{n - 1}"] if n else [] for n in range(8)}, 4),
    "32 independent": ({f"i{n}": [] for n in range(32)}, 4),
    "layers 4-8-8-4": (layered([4, 8, 8, 4], seed=3), 4),
}


def bound(graph: dict[str, list[str]], slots: int) -> float:
    """The shortest time that any schedule can take."""
    depth: dict[str, int] = {}
    for id, needed in graph.items():
        depth[id] = 1 + max((depth[d] for d in needed), default=0)
    return SECONDS * max(max(depth.values()), len(graph) / slots)


def warm_up(folder: str, path: str, env: Mapping[str, str]) -> None:
    """Compile everything once, as an installation has it."""
    listed = os.path.join(folder, "warm_up.json")
    os.mkdir(os.path.join(folder, "warm"))
    agent = write_agent(os.path.join(folder, "warm"), 0)
    write_list(listed, agent, {"warm-up": []}, 1, "../worktrees")
    run([*TOOL, "run", "--yes", "--config", listed], cwd=path, env=env)


def main() -> int:
    """Run each graph once in a fresh repository."""
    kept = True
    for name, (graph, slots) in GRAPHS.items():
        with scratch() as (folder, env):
            path = repository(folder, env)
            listed = os.path.join(folder, "feature_list.json")
            write_list(listed, write_agent(folder, SECONDS), graph, slots, "../worktrees")
            argv = [*TOOL, "run", "--yes", "--config", listed]
            warm_up(folder, path, env)
            took = run(argv, cwd=path, env=env).wall_seconds
        least = bound(graph, slots)
        words = f"{name} on {slots} slots: {took:.2f} s against {least:.2f} s"
        kept = verdict(words, took / least, LIMIT) and kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
