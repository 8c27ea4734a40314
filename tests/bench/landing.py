"""What `merge` lands beside the optimum, and what choosing it takes: random graphs, real merges.

Run: python3 -m tests.bench.landing
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import combinations

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

from .measure import median, verdict

GRAPHS = 300
DEPENDENCIES = 0.05
CONFLICTS = 0.15
"""How likely an earlier feature is a dependency, and two features are in conflict."""

MOST = 1.05
"""The optimum ÷ what the rule for many features lands."""

TIMES = 5
SIZES = {20: 0.05, 200: 1.0}
"""The time to choose ÷ that of git for the trial merges of twenty features."""

OF_GIT = 4.0
"""Finding the largest set of twenty features that all change one file ÷ git's 190 trial merges."""


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
    return verdict("the optimum ÷ the rule for many features", 1 / rule, MOST)


def choosing(size: int, of_git: float) -> bool:
    """Print the time to choose among so many, for ten graphs."""
    chance, taken = random.Random(size), []
    for _ in range(10):
        graph = random_graph(chance, size, 1 / size, 3 / size)
        started = time.perf_counter()
        largest_set(*graph)
        taken.append(time.perf_counter() - started)
    words = f"the choice among {size} features ÷ 190 trial merges of git"
    return median(words, [seconds / of_git for seconds in taken], SIZES[size])


def merging() -> tuple[float, bool]:
    """The largest set of twenty features that change the same file; git's time, and the verdict."""
    ours, theirs = zip(*(_merged_once() for _ in range(TIMES)))
    middle = [statistics.median(side) for side in (ours, theirs)]
    words = f"20 features that change one file ÷ 190 trial merges of git: {middle[0]:.2f} s"
    words += f" against {middle[1]:.2f} s"
    return middle[1], median(words, [one / other for one, other in zip(ours, theirs)], OF_GIT)


def _merged_once() -> tuple[float, float]:
    """Seconds to stack them, and of git alone for each pair."""
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
        run_sync(stacker.passing({}))
        ours = time.perf_counter() - started
        started = time.perf_counter()
        for one, other in combinations([each.tip for each in candidates], 2):
            run_sync(git.try_run("merge-tree", "--write-tree", one, other, tries=1))
        return ours, time.perf_counter() - started


async def _passes(commit: str) -> str:
    return ""


def main() -> int:
    """Compare with the optimum, then measure."""
    of_git, is_kept = merging()
    kept = [of_the_optimum(), *(choosing(size, of_git) for size in SIZES), is_kept]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
