"""The layout of a graph in layers: a position for each node, and the bends of each edge.

A small version of Sugiyama's method: a layer for each length of the longest chain, an order in
each layer by the mean position of the neighbours, then positions close to these neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..dag.resolver import DAGResolver
from ..model.frozen import dataclass

SWEEPS = 8
"""How often the layers are ordered, and how often their nodes are moved."""

_Node = tuple[str, str, int]
"""A feature (its id, an empty text, its layer), or a bend of an edge from one to another."""

_Near = Mapping[_Node, Sequence[_Node]]


@dataclass(frozen=True)
class Edge:
    """An edge from a dependency to a dependent, with its rows in the layers between."""

    start: str
    end: str
    bends: tuple[float, ...]


@dataclass(frozen=True)
class Layout:
    """Where each node is: its layer and its row; both begin at 0."""

    places: Mapping[str, tuple[int, float]]
    edges: tuple[Edge, ...]
    layers: int
    rows: float
    """The largest row + 1."""


def layout(dag: DAGResolver) -> Layout:
    """The layout of a graph, without edges that follow from others."""
    waves = dag.waves()
    nodes: dict[str, _Node] = {}
    for number, wave in enumerate(waves):
        nodes.update((id, (id, "", number)) for id in wave)
    layers = [[nodes[id] for id in wave] for wave in waves]
    before: dict[_Node, list[_Node]] = {}
    after: dict[_Node, list[_Node]] = {}
    chains: list[list[_Node]] = []
    for end, starts in _direct(dag).items():
        for start in starts:
            between = range(nodes[start][2] + 1, nodes[end][2])
            bends: list[_Node] = [(start, end, number) for number in between]
            for bend in bends:
                layers[bend[2]].append(bend)
            chain = [nodes[start], *bends, nodes[end]]
            for one, other in zip(chain, chain[1:]):
                after.setdefault(one, []).append(other)
                before.setdefault(other, []).append(one)
            chains.append(chain)
    rows = _rows(layers, before, after)
    return Layout(
        {id: (node[2], rows[node]) for id, node in nodes.items()},
        tuple(_edge(chain, rows) for chain in chains),
        len(layers),
        max(rows.values(), default=-1.0) + 1,
    )


def _edge(chain: Sequence[_Node], rows: Mapping[_Node, float]) -> Edge:
    return Edge(chain[0][0], chain[-1][0], tuple(rows[bend] for bend in chain[1:-1]))


def _direct(dag: DAGResolver) -> dict[str, list[str]]:
    """The dependencies of each node, without those that another dependency needs as well."""
    above: dict[str, frozenset[str]] = {}
    direct: dict[str, list[str]] = {}
    for id in dag.order():
        needed = dag.dependencies[id]
        indirect = frozenset().union(*(above[each] for each in needed))
        direct[id] = [each for each in dict.fromkeys(needed) if each not in indirect]
        above[id] = indirect.union(needed)
    return direct


def _rows(layers: Sequence[list[_Node]], before: _Near, after: _Near) -> dict[_Node, float]:
    """The row of each node and bend."""
    rows: dict[_Node, float] = {}
    for layer in layers:
        rows.update((node, float(number)) for number, node in enumerate(layer))
    for sweep in range(2 * SWEEPS):
        ordering = sweep < SWEEPS
        forwards = sweep % 2 == 0
        near = before if forwards else after
        for layer in layers if forwards else reversed(layers):
            wanted = {node: _mean(rows, near.get(node, ()), rows[node]) for node in layer}
            if ordering:
                layer.sort(key=wanted.__getitem__)
                rows.update((node, float(number)) for number, node in enumerate(layer))
            else:
                rows.update(zip(layer, _apart([wanted[node] for node in layer])))
    least = min(rows.values(), default=0.0)
    return {node: row - least for node, row in rows.items()}


def _mean(rows: Mapping[_Node, float], nodes: Sequence[_Node], otherwise: float) -> float:
    return sum(rows[node] for node in nodes) / len(nodes) if nodes else otherwise


def _apart(wanted: Sequence[float]) -> list[float]:
    """Rows in the same order, at least 1 apart, and as near as possible to those wanted.

    Rows that would come too close form a block around the mean of what its rows want.
    """
    blocks: list[tuple[float, int]] = []
    for row in wanted:
        # A block is the sum of where its first row would be, and its length.
        total, length = row, 1
        while blocks:
            last_total, last_length = blocks[-1]
            if last_total / last_length + last_length <= total / length:
                break
            blocks.pop()
            total = last_total + total - last_length * length
            length += last_length
        blocks.append((total, length))
    return [total / length + step for total, length in blocks for step in range(length)]
