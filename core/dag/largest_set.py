"""`largest_set`: the most features that can land together, none without its dependencies.

It is exact where few features are tied together by conflicts. It has to find the largest
independent set of a graph, which takes too long for many: there, a rule decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

EXACT = 40
"""The most features in conflict with each other, directly or not, that are decided exactly."""


def largest_set(
    needs: Mapping[str, Collection[str]],
    conflicts: Iterable[tuple[str, str]],
    *,
    exact: int = EXACT,
) -> list[str]:
    """The largest set without two features in conflict and without one whose dependency is out.

    ``needs`` has the dependencies of each feature, every feature after its dependencies. Of several
    largest sets, it is the one that has the earlier features. Dependencies that are not in
    ``needs`` are there already.
    """
    graph = _Graph(needs, conflicts)
    lost = graph.impossible
    while graph.has_conflicts(lost):
        for group in list(graph.groups(lost)):
            if _size(group) <= exact:
                lost = _Search(graph).least(lost, group)
            else:
                lost |= graph.below[graph.cheapest(lost, group)]
    return graph.names(graph.with_what_fits(lost))


class _Graph:
    """Features by number, sets of them as the bits of an integer."""

    def __init__(
        self, needs: Mapping[str, Collection[str]], conflicts: Iterable[tuple[str, str]]
    ) -> None:
        self.ids = list(needs)
        number = {id: place for place, id in enumerate(self.ids)}
        self.above = [0] * len(self.ids)
        """What a feature needs, directly or not, and itself."""
        self.below = [0] * len(self.ids)
        """What depends on it, directly or not, and itself: it is lost together."""
        self.against = [0] * len(self.ids)
        """What it is in conflict with."""
        for place, id in enumerate(self.ids):
            self.above[place] = 1 << place
            for need in needs[id]:
                self.above[place] |= self.above[number[need]] if need in number else 0
            for each in _bits(self.above[place]):
                self.below[each] |= 1 << place
        for one, other in conflicts:
            self.against[number[one]] |= 1 << number[other]
            self.against[number[other]] |= 1 << number[one]
        self.impossible = 0
        """What needs two features in conflict."""
        for place in range(len(self.ids)):
            if self.foes(place) & self.above[place]:
                self.impossible |= 1 << place

    def foes(self, place: int) -> int:
        """The features in conflict with one or with what it needs."""
        return _union(self.against, self.above[place])

    def open_foes(self, place: int, lost: int) -> int:
        """The features in conflict with one, if neither is lost."""
        return 0 if lost >> place & 1 else self.against[place] & ~lost

    def has_conflicts(self, lost: int) -> bool:
        """Whether a conflict is left."""
        return any(self.open_foes(place, lost) for place in range(len(self.ids)))

    def groups(self, lost: int) -> Iterator[int]:
        """Features with a conflict, in groups that have nothing to do with each other."""
        left = self.in_conflict(lost, (1 << len(self.ids)) - 1)
        while left:
            group = reach = left & -left
            while reach:
                group |= reach
                # Two features are also tied together by what is lost with either of them.
                fallen = _union(self.below, group) & ~lost
                tied = _union(self.above, fallen) | _union(self.against, group)
                reach = tied & left & ~group
            yield group
            left &= ~group

    def in_conflict(self, lost: int, among: int) -> int:
        """Those of some features that have a conflict."""
        return sum(1 << place for place in _bits(among) if self.open_foes(place, lost))

    def cheapest(self, lost: int, group: int) -> int:
        """The feature to leave out first: it loses the fewest features for each conflict."""

        def cost(place: int) -> tuple[float, int]:
            gone = self.below[place] & ~lost
            ended = sum(_size(self.open_foes(each, lost)) for each in _bits(gone))
            return _size(gone) / ended, -place

        return min(_bits(self.in_conflict(lost, group)), key=cost)

    def with_what_fits(self, lost: int) -> int:
        """Take back, in order, what was left out and is in the way of nothing."""
        for place in _bits(lost):
            needed = self.above[place] & ~(1 << place)
            if not (needed & lost or self.against[place] & ~lost or self.impossible >> place & 1):
                lost &= ~(1 << place)
        return lost

    def names(self, lost: int) -> list[str]:
        """The ids of what is not lost."""
        return [id for place, id in enumerate(self.ids) if not lost >> place & 1]


class _Search:
    """Branch and bound: a feature in conflict is kept, without its foes, or left out."""

    def __init__(self, graph: _Graph) -> None:
        self.graph = graph
        self.best: int | None = None

    def least(self, lost: int, group: int) -> int:
        """``lost``, with the fewest further features that leave no conflict in the group."""
        self._visit(lost, group)
        assert self.best is not None
        return self.best

    def _visit(self, lost: int, group: int) -> None:
        graph = self.graph
        group = graph.in_conflict(lost, group)
        if self.best is not None and _size(lost) + self._least_more(lost, group) > _size(self.best):
            return
        if not group:
            if self.best is None or _is_better(lost, self.best):
                self.best = lost
            return
        place = max(_bits(group), key=lambda each: (_size(graph.open_foes(each, lost)), -each))
        # It is not lost with its foes: it would need one of them, and be impossible.
        self._visit(lost | _union(graph.below, graph.foes(place)), group)
        self._visit(lost | graph.below[place], group)

    def _least_more(self, lost: int, group: int) -> int:
        """A lower bound: of pairs in conflict with nothing in common, each loses one feature."""
        pairs = 0
        while group:
            place = (group & -group).bit_length() - 1
            foes = self.graph.open_foes(place, lost) & group
            group &= ~(1 << place | foes & -foes)
            pairs += bool(foes)
        return pairs


def _is_better(lost: int, than: int) -> bool:
    """Whether fewer features are lost, or as many, and the first that differs is not."""
    if _size(lost) != _size(than):
        return _size(lost) < _size(than)
    differ = lost ^ than
    return not lost & differ & -differ


def _size(mask: int) -> int:
    return bin(mask).count("1")


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _union(masks: list[int], places: int) -> int:
    union = 0
    for place in _bits(places):
        union |= masks[place]
    return union
