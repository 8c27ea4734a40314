"""How much git traffic many machines make, simulated: clones and pushes a second.

A machine takes a ready feature, claims it, clones, works and pushes. The server does so many clones
and pushes at a time; the others wait. The arguments are what is assumed, and the same arguments
print the same table.
Run: python3 -m tests.bench.scaling [--features N] [--machines M] …
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

Graph = Mapping[str, Sequence[str]]

WINDOW_SECONDS = 60.0
"""A peak is the busiest window of this length."""


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of features, machines and the git server; times in seconds."""

    features: int = 100
    machines: int = 20
    shape: str = "layers"
    width: int = 0
    """Of `layers`: the features of a layer, each of which depends on two of the layer before.
    0 for as many as there are machines."""
    feature_seconds: float = 900.0
    """The median of what a feature takes without git."""
    spread: float = 0.6
    """The sigma of its lognormal distribution; 0 for features that all take the same time."""
    clone_seconds: float = 10.0
    clone_mib: float = 100.0
    push_seconds: float = 2.0
    server_slots: int = 8
    """How many clones and pushes the server does at the same time."""
    claims: int = 1
    """Pushes before a feature starts: a claim. None where the engine starts each job once."""
    clones: int = 1
    """Two where a job of its own pushes."""
    pushes: int = 1
    seed: int = 1


# GitHub Actions and GitLab CI push from a job of its own, which clones as well.
ENGINES: Mapping[str, Mapping[str, int]] = {
    "slurm": {"claims": 1, "clones": 1, "pushes": 1},
    "ci": {"claims": 0, "clones": 2, "pushes": 1},
}


def graph_of(given: Assumptions) -> Graph:
    """The dependencies of each feature."""
    chance = random.Random(given.seed)
    ids = [f"f{number}" for number in range(given.features)]
    if given.shape == "independent":
        return dict.fromkeys(ids, ())
    if given.shape == "chain":
        return {id: ids[number - 1 : number] if number else () for number, id in enumerate(ids)}
    graph: dict[str, Sequence[str]] = {}
    for number, id in enumerate(ids):
        width = given.width or given.machines
        start = number - number % width
        before = ids[max(start - width, 0) : start]
        graph[id] = chance.sample(before, min(2, len(before)))
    return graph


@dataclass
class Traffic:
    """What one simulated run did; times in seconds since its start."""

    makespan: float = 0.0
    clones: list[float] = field(default_factory=list)
    """When each began to be served."""
    pushes: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """How long each clone or push waited for the server."""
    git_seconds: float = 0.0
    """Of all machines together, the waits among them."""
    machine_seconds: float = 0.0
    most_machines: int = 0
    most_served: int = 0


class Simulator:
    """Runs the features of a graph on machines that share one git server."""

    def __init__(self, given: Assumptions) -> None:
        self.given = given
        self.traffic = Traffic()
        self._graph = graph_of(given)
        chance = random.Random(given.seed + 1)
        self._work = {
            id: given.feature_seconds * chance.lognormvariate(0.0, given.spread)
            for id in self._graph
        }
        self._dependents: dict[str, list[str]] = {id: [] for id in self._graph}
        for id, needed in self._graph.items():
            for one in needed:
                self._dependents[one].append(id)
        self._unmet = {id: len(needed) for id, needed in self._graph.items()}
        self._ready = deque(id for id, count in self._unmet.items() if not count)
        self._busy = self._served = self._order = 0
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._queue: deque[tuple[float, float, list[float], Callable[[], None]]] = deque()

    def run(self) -> Traffic:
        """Run all features to their end."""
        self._start_features()
        while self._events:
            self._now, _, act = heappop(self._events)
            act()
        self.traffic.makespan = self._now
        return self.traffic

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._order += 1
        heappush(self._events, (self._now + seconds, self._order, act))

    def _start_features(self) -> None:
        while self._ready and self._busy < self.given.machines:
            self._busy += 1
            self.traffic.most_machines = max(self.traffic.most_machines, self._busy)
            self._next_step(self._steps(self._ready.popleft()), self._now)

    def _steps(self, id: str) -> Iterator[Callable[[Callable[[], None]], None]]:
        """What a machine does for a feature, each step given what follows it."""
        given, traffic = self.given, self.traffic
        for _ in range(given.claims):
            yield lambda then: self._serve(given.push_seconds, traffic.pushes, then)
        yield lambda then: self._serve(given.clone_seconds, traffic.clones, then)
        yield lambda then: self._later(self._work[id], then)
        for _ in range(given.clones - 1):
            yield lambda then: self._serve(given.clone_seconds, traffic.clones, then)
        for _ in range(given.pushes):
            yield lambda then: self._serve(given.push_seconds, traffic.pushes, then)
        self._end(id)

    def _next_step(
        self, steps: Iterator[Callable[[Callable[[], None]], None]], started: float
    ) -> None:
        step = next(steps, None)
        if step is not None:
            step(lambda: self._next_step(steps, started))
            return
        self.traffic.machine_seconds += self._now - started
        self._busy -= 1
        self._start_features()

    def _end(self, id: str) -> None:
        for other in self._dependents[id]:
            self._unmet[other] -= 1
            if not self._unmet[other]:
                self._ready.append(other)

    def _serve(self, seconds: float, times: list[float], then: Callable[[], None]) -> None:
        self._queue.append((self._now, seconds, times, then))
        self._serve_next()

    def _serve_next(self) -> None:
        while self._queue and self._served < self.given.server_slots:
            self._served += 1
            self.traffic.most_served = max(self.traffic.most_served, self._served)
            asked, seconds, times, then = self._queue.popleft()
            times.append(self._now)
            self.traffic.waits.append(self._now - asked)
            self.traffic.git_seconds += self._now - asked + seconds
            self._later(seconds, lambda then=then: self._answered(then))  # type: ignore[misc]

    def _answered(self, then: Callable[[], None]) -> None:
        self._served -= 1
        self._serve_next()
        then()


def peak(times: Sequence[float], seconds: float = WINDOW_SECONDS) -> float:
    """How many a second there were in the busiest window of so many seconds."""
    found, first = 0, 0
    ordered = sorted(times)
    for last, time in enumerate(ordered):
        while ordered[first] <= time - seconds:
            first += 1
        found = max(found, last - first + 1)
    return found / seconds


HEADINGS = (
    *("engine", "features", "machines", "hours", "clones/s", "at most", "pushes/s", "at most"),
    *("MiB/s at most", "longest wait", "in git"),
)


def row(engine: str, given: Assumptions) -> tuple[str, ...]:
    """A line of the table: rates are means over the run, and those of its busiest minute."""
    done = Simulator(given).run()
    clones, pushes = (len(times) / done.makespan for times in (done.clones, done.pushes))
    return (
        engine,
        str(given.features),
        str(given.machines),
        f"{done.makespan / 3600:.1f}",
        f"{clones:.3f}",
        f"{peak(done.clones):.2f}",
        f"{pushes:.3f}",
        f"{peak(done.pushes):.2f}",
        f"{peak(done.clones) * given.clone_mib:.0f}",
        f"{max(done.waits):.0f} s",
        f"{100 * done.git_seconds / done.machine_seconds:.1f} %",
    )


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    for cells in (HEADINGS, ("---",) * len(HEADINGS), *rows):
        yield f"| {' | '.join(cells)} |" if cells[0] != "---" else f"|{'|'.join(cells)}|"


def parser() -> argparse.ArgumentParser:
    """An option for each assumption; those of features and machines take several numbers."""
    made = argparse.ArgumentParser(
        prog="python3 -m tests.bench.scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--engine", choices=ENGINES, action="append", help="default: all")
    made.add_argument("--features", type=int, nargs="+", default=[10, 100, 1000], metavar="N")
    made.add_argument("--machines", type=int, nargs="+", default=[4, 20, 100], metavar="M")
    made.add_argument("--shape", choices=("layers", "independent", "chain"), default="layers")
    for name in ("claims", "clones", "pushes"):
        made.add_argument(f"--{name}", type=int, metavar="N", help="default: of the engine")
    for name in ("width", "server_slots", "seed"):
        value = getattr(Assumptions, name)
        made.add_argument(f"--{name.replace('_', '-')}", type=int, default=value, metavar="N")
    for name in ("feature_seconds", "spread", "clone_seconds", "clone_mib", "push_seconds"):
        value = getattr(Assumptions, name)
        made.add_argument(f"--{name.replace('_', '-')}", type=float, default=value, metavar="X")
    return made


def rows_of(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row for each engine, and each number of features with the machine count of its place."""
    named = {name: value for name, value in vars(options).items() if value is not None}
    pairs = [(n, m) for n in options.features for m in options.machines if m <= n]
    fields = set(Assumptions.__dataclass_fields__) - {"features", "machines"}
    for engine in options.engine or ENGINES:
        given = Assumptions(
            **{**ENGINES[engine], **{name: named[name] for name in fields if name in named}}
        )
        for features, machines in pairs:
            yield row(engine, replace(given, features=features, machines=machines))


def main() -> int:
    """Print the table."""
    print("\n".join(table(list(rows_of(parser().parse_args())))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
