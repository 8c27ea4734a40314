"""Lanes: features that wait for one another, so that no more than ``max_parallel`` run at once.

An engine starts a job when the jobs that it waits for have ended; few engines can limit how many
jobs of one run there are at once. So each feature gets a lane, and waits for the features before it
in its lane, whatever their result. The lanes are the slots of the predicted schedule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..dag.prediction import estimator
from ..dag.resolver import DAGResolver
from ..dag.schedule import predict
from ..model.frozen import dataclass, field


@dataclass(frozen=True)
class Lanes:
    """What a feature waits for beside its dependencies; nothing where these are enough."""

    lanes: tuple[tuple[str, ...], ...] = ()
    """The features of each lane, in their order."""
    before: Mapping[str, str] = field(default_factory=dict)
    """For engines that end a skipped job when everything that it waits for has ended: the feature
    before it in its lane, unless the feature waits for that one anyway."""
    all_before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For engines that end a skipped job at once, such as Slurm: all features before it in its
    lane, without its direct and indirect dependencies."""


def lanes(dag: DAGResolver, max_parallel: int, seconds: Mapping[str, float] | None = None) -> Lanes:
    """The lanes of all features.

    ``seconds`` are their predicted times; by default, the list's estimates decide. Every wait is
    for a feature that starts earlier in one schedule, so that no cycle arises.
    """
    graph = _Graph(dag)
    if graph.most_at_once() <= max_parallel:
        return Lanes()
    work = estimator(dag.features)
    given = seconds or {id: work(feature) for id, feature in dag.features.items()}
    starts = predict(dag, max_parallel, given).starts
    ends = {id: start + given[id] for id, start in starts.items()}
    found: list[list[str]] = [[] for _ in range(max_parallel)]
    before: dict[str, str] = {}
    all_before: dict[str, tuple[str, ...]] = {}
    for id, start in starts.items():
        lane = _choose(graph, [lane for lane in found if _end(lane, ends) <= start], ends, id)
        all_before[id] = tuple(other for other in lane if not graph.depends(id, other))
        if graph.must_wait(id, lane):
            before[id] = lane[-1]
        lane.append(id)
    return Lanes(
        tuple(map(tuple, found)), before, {id: ids for id, ids in all_before.items() if ids}
    )


def _end(lane: list[str], ends: Mapping[str, float]) -> float:
    return ends[lane[-1]] if lane else -1.0


def _choose(graph: _Graph, free: list[list[str]], ends: Mapping[str, float], id: str) -> list[str]:
    """The lane of a dependency, where no wait is needed; else the one that is free the longest."""

    def rank(lane: list[str]) -> tuple[bool, float]:
        return not (lane and graph.depends(id, lane[-1])), _end(lane, ends)

    return min(free, key=rank)


class _Graph:
    """What a feature depends on and waits for, directly or not, as the bits of integers."""

    def __init__(self, dag: DAGResolver) -> None:
        self.dag = dag
        self.ids = list(dag.features)
        self.bit = {id: 1 << place for place, id in enumerate(self.ids)}
        self.needed: dict[str, int] = {}
        for id in dag.order():
            self.needed[id] = self._below(id, self.needed)
        self.awaited: dict[str, int] = {}

    def _below(self, id: str, known: Mapping[str, int]) -> int:
        found = 0
        for dependency in self.dag.dependencies[id]:
            found |= known[dependency] | self.bit[dependency]
        return found

    def depends(self, id: str, other: str) -> bool:
        """Whether ``id`` depends on ``other``."""
        return bool(self.needed[id] & self.bit[other])

    def must_wait(self, id: str, lane: list[str]) -> bool:
        """Whether ``id`` must be told to wait for the last feature of a lane.

        Not if it waits for that one anyway. Ask once for each feature, after those it waits for.
        """
        self.awaited[id] = self._below(id, self.awaited)
        if not lane or self.awaited[id] & self.bit[lane[-1]]:
            return False
        self.awaited[id] |= self.awaited[lane[-1]] | self.bit[lane[-1]]
        return True

    def most_at_once(self) -> int:
        """The largest number of features of which none depends on another.

        By Dilworth's theorem, it is the least number of chains that have all features: one chain
        less for each pair of a largest matching of features with what they depend on.
        """
        after: dict[str, str] = {}
        ahead: dict[str, str] = {}
        for id in self.ids:
            self._extend(id, after, ahead)
        return len(self.ids) - len(after)

    def _extend(self, id: str, after: dict[str, str], ahead: dict[str, str]) -> None:
        """Give ``id`` a dependency ahead of it in its chain, if others can change theirs."""
        asked: dict[str, str] = {}
        seeking = [id]
        for one in seeking:
            for other in self._dependencies(one):
                if other in asked:
                    continue
                asked[other] = one
                if other in after:
                    seeking.append(after[other])
                    continue
                self._pass_on(other, asked, after, ahead)
                return

    def _pass_on(
        self, free: str, asked: Mapping[str, str], after: dict[str, str], ahead: dict[str, str]
    ) -> None:
        given: str | None = free
        while given is not None:
            taker = asked[given]
            left = ahead.get(taker)
            ahead[taker], after[given] = given, taker
            given = left

    def _dependencies(self, id: str) -> Iterator[str]:
        left = self.needed[id]
        while left:
            lowest = left & -left
            yield self.ids[lowest.bit_length() - 1]
            left ^= lowest
