"""The graph of dependencies while the assistant changes it: who depends on whom in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter


class Graph:
    """Dependencies by id, without cycles; answers in constant time whether one leads to another."""

    def __init__(self, dependencies: Mapping[str, Sequence[str]]) -> None:
        self.direct = {
            id: [each for each in needed if each in dependencies]
            for id, needed in dependencies.items()
        }
        self._bit = {id: 1 << number for number, id in enumerate(self.direct)}
        self._below: dict[str, int] = {}
        """All direct and indirect dependencies of each feature, as a set of bits."""
        for id in self.order():
            self._below[id] = self._union(self.direct[id])

    def order(self) -> list[str]:
        """All ids, dependencies first; where that leaves a choice, as in the list."""
        sorter = TopologicalSorter(self.direct)
        sorter.prepare()
        position = {id: number for number, id in enumerate(self.direct)}
        found: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=position.__getitem__)
            sorter.done(*ready)
            found += ready
        return found

    def _union(self, ids: Sequence[str]) -> int:
        found = 0
        for each in ids:
            found |= self._bit[each] | self._below[each]
        return found

    def depends(self, id: str, other: str) -> bool:
        """Whether ``id`` depends on ``other``, directly or not."""
        return bool(self._below[id] & self._bit[other])

    def are_ordered(self, one: str, other: str) -> bool:
        """Whether one of the two waits for the other."""
        return one == other or self.depends(one, other) or self.depends(other, one)

    def dependencies(self, id: str) -> list[str]:
        """All direct and indirect dependencies of a feature, in list order."""
        return [each for each, bit in self._bit.items() if self._below[id] & bit]

    def may_depend(self, id: str, other: str) -> bool:
        """Whether the dependency would be new and make no cycle."""
        return not self.are_ordered(id, other)

    def add(self, id: str, other: str) -> None:
        """Add a dependency that makes no cycle."""
        self.direct[id] = [*self.direct[id], other]
        gained, own = self._bit[other] | self._below[other], self._bit[id]
        for each, below in self._below.items():
            if each == id or below & own:
                self._below[each] = below | gained

    def implied(self, id: str) -> dict[str, str]:
        """The dependencies of a feature that others of it lead to, each with such a one."""
        direct = self.direct[id]
        found: dict[str, str] = {}
        for each in direct:
            by = next((other for other in direct if self.depends(other, each)), "")
            if by:
                found[each] = by
        return found

    def changed(self, id: str, *, adds: Sequence[str] = (), removes: Sequence[str] = ()) -> Graph:
        """Another graph, with changed dependencies of one feature."""
        kept = [each for each in self.direct[id] if each not in removes]
        return Graph({**self.direct, id: [*kept, *adds]})
