"""`DAGResolver`, the graph of features: order, waves, descendants, critical path, cycles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ..model.errors import UserError
from ..model.feature import Feature
from ..model.translate import N_


def cycle(dependencies: Mapping[str, Sequence[str]]) -> list[str]:
    """The ids of a cycle, each depending on the next, the first repeated at the end; else empty."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        return _chain(error)
    return []


def _chain(error: CycleError) -> list[str]:
    # graphlib lists dependencies before dependents.
    return list(reversed(error.args[1]))


class DAGResolver:
    """The dependency graph of features.

    Dependencies outside of ``features`` are ignored, so that part of a list can be resolved.
    Raises :class:`UserError` for a cycle.
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
            chain = " → ".join(_chain(error))
            raise UserError(
                N_("dependency cycle: {chain}").format(chain=chain),
                hint=N_("remove one of these depends_on entries"),
            ) from None
        self.dependents: dict[str, list[str]] = {id: [] for id in self.features}
        for id, needed in self.dependencies.items():
            for dependency in needed:
                self.dependents[dependency].append(id)

    def sorter(self, begun: Collection[str] = ()) -> TopologicalSorter[str]:
        """A prepared sorter. Call ``done()`` only for completed features.

        Those that have ``begun`` wait for nothing any more, not even for a retried dependency.
        """
        # done() releases dependents, so a failed feature is never marked done.
        waiting = self.dependencies.items()
        sorter = TopologicalSorter({id: () if id in begun else needed for id, needed in waiting})
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
        """A topological order: dependencies before dependents."""
        return self._order

    def descendants(self, id: str) -> list[str]:
        """Every direct and indirect dependent of ``id``, in list order."""
        return self._closure([id], self.dependents, without=True)

    def held_up_by(self, id: str, begun: Collection[str]) -> list[str]:
        """Every dependent of ``id`` that can't start without it, as it has not ``begun``."""
        edges = {id: [d for d in found if d not in begun] for id, found in self.dependents.items()}
        return self._closure([id], edges, without=True)

    def ancestors(self, ids: Iterable[str]) -> list[str]:
        """``ids`` with all their direct and indirect dependencies, in list order."""
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
        """For each feature, the work on the longest path from its start to the end of the list."""
        longest: dict[str, float] = {}
        for id in reversed(self.order()):
            after = max((longest[d] for d in self.dependents[id]), default=0.0)
            longest[id] = work(self.features[id]) + after
        return longest

    def critical_path(self, work: Callable[[Feature], float]) -> list[str]:
        """The chain of features with the most ``work``, a lower bound of any schedule."""
        longest = self.remaining(work)
        path: list[str] = []
        choices: Sequence[str] = [id for id in self.features if not self.dependencies[id]]
        while choices:
            path.append(max(choices, key=longest.__getitem__))
            choices = self.dependents[path[-1]]
        return path
