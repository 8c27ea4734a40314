"""How good the order is in which ready features start: simulated on 10,000 random graphs.

Each makespan is divided by max(critical path, work ÷ slots), which no schedule beats. The order is
decided with estimates that are off by up to half; the features take their true times.
Run: python3 -m tests.bench.schedule_quality [--graphs N] [--seed N]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from core.dag.resolver import DAGResolver
from core.dag.schedule import longest_path_first, wave_order
from core.model.feature import Feature

from .measure import verdict

Graph = Mapping[str, Sequence[str]]
Key = Callable[[str], "tuple[float, ...]"]

OFF = 0.5
"""How far an estimate may be off, as a share of the true time."""

SLOTS = (2, 3, 4, 6, 8, 12, 16, 32)


# -- random graphs ------------------------------------------------------------------------------


def layered(chance: random.Random) -> Graph:
    """Layers of up to eight; each feature needs one to three of the layer before."""
    graph: dict[str, Sequence[str]] = {}
    before: list[str] = []
    for layer in range(chance.randint(2, 8)):
        ids = [f"{layer}.{number}" for number in range(chance.randint(1, 8))]
        graph.update(
            (id, chance.sample(before, min(len(before), chance.randint(1, 3)))) for id in ids
        )
        before = ids
    return graph


def series_parallel(chance: random.Random) -> Graph:
    """An edge, again and again replaced by two edges in series or in parallel."""
    edges, count = [(0, 1)], 2
    for _ in range(chance.randint(3, 40)):
        edge = chance.randrange(len(edges))
        start, end = edges[edge]
        if chance.random() < 0.5:
            edges[edge : edge + 1] = [(start, count), (count, end)]
        else:
            edges += [(start, count), (count, end)]
        count += 1
    needs: dict[int, set[int]] = {node: set() for node in range(count)}
    for start, end in edges:
        needs[end].add(start)
    return {str(node): sorted(map(str, ids)) for node, ids in needs.items()}


def wide(chance: random.Random) -> Graph:
    """Many independent features, and a few that need some of them."""
    roots = [f"r{number}" for number in range(chance.randint(10, 50))]
    tops = {
        f"t{n}": chance.sample(roots, chance.randint(1, 4)) for n in range(chance.randint(0, 9))
    }
    return {**dict.fromkeys(roots, ()), **tops}


def deep(chance: random.Random) -> Graph:
    """A few chains, with an edge from one to the next here and there."""
    graph: dict[str, Sequence[str]] = {}
    for chain in range(chance.randint(2, 6)):
        for link in range(chance.randint(3, 12)):
            needed = [f"{chain}.{link - 1}"] if link else []
            other = f"{chain - 1}.{chance.randint(0, 11)}"
            graph[f"{chain}.{link}"] = [
                *needed,
                *([other] if other in graph and chance.random() < 0.2 else []),
            ]
    return graph


GRAPHS = (layered, series_parallel, wide, deep)


def times(chance: random.Random, graph: Graph) -> dict[str, float]:
    """The true time of each feature: even, spread, or with a heavy tail."""
    draw = chance.choice(
        (
            lambda: chance.uniform(0.8, 1.2),
            lambda: chance.lognormvariate(0, 0.6),
            lambda: min(chance.paretovariate(1.5), 30.0),
        )
    )
    return {id: draw() for id in graph}


# -- the schedules ------------------------------------------------------------------------------


def simulate(graph: Graph, slots: int, seconds: Mapping[str, float], key: Key) -> float:
    """The makespan if the ready feature with the least key starts in each free slot."""
    unmet = {id: len(needed) for id, needed in graph.items()}
    dependents: dict[str, list[str]] = {id: [] for id in graph}
    for id, needed in graph.items():
        for one in needed:
            dependents[one].append(id)
    ready: list[tuple[tuple[float, ...], int, str]] = []
    running: list[tuple[float, int, str]] = []
    now, order = 0.0, 0
    newly = [id for id, count in unmet.items() if not count]
    while newly or ready or running:
        for id in newly:
            heappush(ready, (key(id), order, id))
            order += 1
        while ready and len(running) < slots:
            _, at, id = heappop(ready)
            heappush(running, (now + seconds[id], at, id))
        now, _, ended = heappop(running)
        newly = []
        for id in dependents[ended]:
            unmet[id] -= 1
            if not unmet[id]:
                newly.append(id)
    return now


def in_waves(dag: DAGResolver, graph: Graph, slots: int, seconds: Mapping[str, float]) -> float:
    """The makespan if each wave waits for the end of the one before."""
    waves = (dict.fromkeys(wave, ()) for wave in dag.waves())
    order = wave_order(dag)
    return sum(simulate(wave, slots, seconds, order) for wave in waves)


@dataclass(frozen=True)
class Makespans:
    """The makespans of one graph, each divided by what no schedule beats."""

    ours: float
    waves: float
    fifo: float
    perfect: float


def drawn(chance: random.Random) -> Makespans:
    """A random graph, scheduled in each way."""
    graph = chance.choice(GRAPHS)(chance)
    seconds, slots = times(chance, graph), chance.choice(SLOTS)
    guessed = {id: took * chance.uniform(1 - OFF, 1 + OFF) for id, took in seconds.items()}
    dag = DAGResolver(Feature(id, id, depends_on=tuple(needed)) for id, needed in graph.items())
    path = max(dag.remaining(lambda feature: seconds[feature.id]).values())
    least = max(path, sum(seconds.values()) / slots)
    return Makespans(
        simulate(graph, slots, seconds, longest_path_first(dag, guessed)) / least,
        in_waves(dag, graph, slots, seconds) / least,
        simulate(graph, slots, seconds, lambda id: (0.0,)) / least,
        simulate(graph, slots, seconds, longest_path_first(dag, seconds)) / least,
    )


def draw(count: int, seed: int) -> Iterator[Makespans]:
    """``count`` random graphs."""
    chance = random.Random(seed)
    return (drawn(chance) for _ in range(count))


# -- the figures --------------------------------------------------------------------------------


def show(name: str, found: Sequence[float]) -> None:
    """Print mean, P95 and worst."""
    p95 = statistics.quantiles(found, n=20)[-1]
    print(f"{name:20} {statistics.mean(found):8.4f} {p95:8.4f} {max(found):8.4f}")


def main() -> int:
    """Print the table and the verdicts; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--graphs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = list(draw(options.graphs, options.seed))
    ours = [each.ours for each in found]
    print(f"{'makespan ÷ bound':20} {'mean':>8} {'P95':>8} {'worst':>8}")
    show("longest path first", ours)
    show("waves", [each.waves for each in found])
    show("first come, first", [each.fifo for each in found])
    show("perfect knowledge", [each.perfect for each in found])
    slower = [each.ours / each.waves for each in found if each.ours > each.waves * (1 + 1e-9)]
    kept = [
        verdict("mean", statistics.mean(ours), 1.03),
        verdict("P95", statistics.quantiles(ours, n=20)[-1], 1.10),
        verdict("worse than waves, of all graphs", 100 * len(slower) / len(found), 1.0, " %"),
        verdict("the worst of these ÷ waves", max(slower, default=1.0), 1.02),
        verdict(
            "mean ÷ perfect knowledge",
            statistics.mean(ours) / statistics.mean(each.perfect for each in found),
            1.01,
        ),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
