"""The features as a directed acyclic graph: order, waves, descendants, critical path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ..model.errors import UserError
from ..model.feature import Feature


def cycle(dependencies: Mapping[str, Sequence[str]]) -> list[str]:
    """Ids along one cycle, each needing the next, the first again at the end; else empty."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        return _chain(error)
    return []


def _chain(error: CycleError) -> list[str]:
    # graphlib lists a node before the one that needs it; "a needs b" reads the other way.
    return list(reversed(error.args[1]))


class DAGResolver:
    """Answers questions about the order of features.

    Dependencies that are not among ``features`` are ignored, so that a part of a list can
    be resolved alone. Raises :class:`UserError` when the features form a cycle.
    """

    def __init__(self, features: Iterable[Feature]) -> None:
        self.features = {feature.id: feature for feature in features}
        self.dependencies: dict[str, tuple[str, ...]] = {
            feature.id: tuple(d for d in feature.depends_on if d in self.features)
            for feature in self.features.values()
        }
        try:
            self._order = list(TopologicalSorter(self.dependencies).static_order())
        except CycleError as error:
            chain = " needs ".join(_chain(error))
            raise UserError(
                f"dependency cycle: {chain}",
                hint="remove one of these depends_on entries",
            ) from None
        self.dependents: dict[str, list[str]] = {id: [] for id in self.features}
        for id, needed in self.dependencies.items():
            for dependency in needed:
                self.dependents[dependency].append(id)

    def sorter(self) -> TopologicalSorter[str]:
        """A prepared sorter; only what completed may be marked ``done()``."""
        # graphlib frees successors on done(), so a failed feature is never marked done.
        sorter = TopologicalSorter(self.dependencies)
        sorter.prepare()
        return sorter

    def waves(self) -> list[list[str]]:
        """Features by the length of their longest chain of dependencies, in list order."""
        depth: dict[str, int] = {}
        for id in self.order():
            depth[id] = 1 + max((depth[d] for d in self.dependencies[id]), default=-1)
        waves: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
        for id in self.features:
            waves[depth[id]].append(id)
        return waves

    def order(self) -> list[str]:
        """A topological order: each feature after all that it depends on."""
        return self._order

    def descendants(self, id: str) -> list[str]:
        """Every feature that needs ``id``, directly or not, in list order."""
        return self._closure([id], self.dependents, without=True)

    def ancestors(self, ids: Iterable[str]) -> list[str]:
        """``ids`` and everything that they need, in list order."""
        return self._closure(ids, self.dependencies, without=False)

    def _closure(
        self, start: Iterable[str], edges: Mapping[str, Sequence[str]], *, without: bool
    ) -> list[str]:
        roots = list(start)
        seen = set(roots)
        queue = list(roots)
        while queue:
            for next_id in edges[queue.pop()]:
                if next_id not in seen:
                    seen.add(next_id)
                    queue.append(next_id)
        if without:
            seen.difference_update(roots)
        return [id for id in self.features if id in seen]

    def remaining(self, work: Callable[[Feature], float]) -> dict[str, float]:
        """Work on the longest path from the start of each feature to the end of the list."""
        longest: dict[str, float] = {}
        for id in reversed(self.order()):
            after = max((longest[d] for d in self.dependents[id]), default=0.0)
            longest[id] = work(self.features[id]) + after
        return longest

    def critical_path(self, work: Callable[[Feature], float]) -> list[str]:
        """The chain of features whose summed ``work`` bounds any schedule from below."""
        longest = self.remaining(work)
        path: list[str] = []
        choices: Sequence[str] = [id for id in self.features if not self.dependencies[id]]
        while choices:
            path.append(max(choices, key=longest.__getitem__))
            choices = self.dependents[path[-1]]
        return path
