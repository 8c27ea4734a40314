"""What `merge` lands beside the optimum, and what choosing it takes: random graphs, real merges.

Run: python3 -m tests.bench.landing
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Mapping, Sequence

from core.dag.largest_set import largest_set
from core.git.opening import open_repository
from core.landing.layers import Candidate
from core.landing.stack import Stacker
from core.model.feature import Feature
from core.model.strategy import Strategy
from core.process.spawner import Spawner, run_sync
from core.worktree.manager import WorktreeManager
from tests.support.conflict_graphs import random_graph
from tests.support.repository import Repository

from .measure import verdict

GRAPHS = 300
DEPENDENCIES = 0.05
CONFLICTS = 0.15
"""How likely an earlier feature is a dependency, and two features are in conflict."""

LEAST_SHARE = 0.95
"""Of the optimum that the rule for many features reaches on average."""

SECONDS = {20: 0.1, 200: 2.0}
MERGE_SECONDS = 10.0
"""For twenty features that all change one file: 190 trial merges."""


def in_order(needs: Mapping[str, Sequence[str]], pairs: Sequence[tuple[str, str]]) -> int:
    """How many land if each one that is possible lands in its turn."""
    against = {*pairs, *((other, one) for one, other in pairs)}
    landed: list[str] = []
    for id, needed in needs.items():
        if all(need in landed for need in needed):
            landed += [] if any((id, other) in against for other in landed) else [id]
    return len(landed)


def of_the_optimum() -> bool:
    """Print the share of the optimum for each way to choose."""
    chance = random.Random(1)
    graphs = [random_graph(chance, 20, DEPENDENCIES, CONFLICTS) for _ in range(GRAPHS)]
    best = sum(len(largest_set(*graph)) for graph in graphs)
    rule = sum(len(largest_set(*graph, exact=0)) for graph in graphs) / best
    turn = sum(in_order(*graph) for graph in graphs) / best
    print(f"{GRAPHS} graphs of 20 features: {turn:.3f} of the optimum land in list order")
    print(f"by the rule for many features: {rule:.3f} (at least {LEAST_SHARE})")
    return rule >= LEAST_SHARE


def choosing(size: int) -> bool:
    """Print the time to choose among so many, the slowest of ten graphs."""
    chance, slowest = random.Random(size), 0.0
    for _ in range(10):
        graph = random_graph(chance, size, 1 / size, 3 / size)
        started = time.perf_counter()
        largest_set(*graph)
        slowest = max(slowest, time.perf_counter() - started)
    return verdict(f"the choice among {size} features", slowest, SECONDS[size], " s")


def merging() -> bool:
    """Print the time to find the largest set of twenty features that change the same file."""
    with Repository() as repository:
        lines = [f"line {number}\n" for number in range(100)]
        base = repository.commit({"text": "".join(lines)}, "text")
        candidates = []
        for number in range(20):
            changed = [*lines]
            for place in (number * 3, (number * 21) % 100):
                changed[place] = f"feature {number}\n"
            repository.git("checkout", "--quiet", "--detach", base)
            tip = repository.commit({"text": "".join(changed)}, f"f{number}")
            candidates.append(Candidate(Feature(f"f{number}", ""), "run", tip, base))
        git = run_sync(open_repository(Spawner(), repository.path, repository.environ))
        worktrees = WorktreeManager(git, os.path.join(repository.root, "worktrees"), "feature/")
        started = time.perf_counter()
        stacker = Stacker(
            worktrees, "main", base, candidates, strategy=Strategy.MERGE, check=_passes
        )
        stack = run_sync(stacker.passing({}))
        seconds = time.perf_counter() - started
    words = f"{len(stack.layers)} of 20 features that change one file, found by trial merges"
    return verdict(words, seconds, MERGE_SECONDS, " s")


async def _passes(commit: str) -> str:
    return ""


def main() -> int:
    """Compare with the optimum, then measure."""
    kept = [of_the_optimum(), *map(choosing, SECONDS), merging()]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
