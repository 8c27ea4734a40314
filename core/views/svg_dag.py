"""The graph of features as SVG: layers from left to right, status by colour and by shape."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..reporter.style import Style, shorten
from .html_text import address, text
from .layers import Edge, Layout, layout
from .run_view import FeatureView, RunView, graph
from .status_marks import mark, mark_of

WIDTH, HEIGHT = 200, 32
"""Of a node."""

GAP_X, GAP_Y = 52, 12
"""Between the nodes of two layers, and of one."""

MARGIN = 3

LABEL_COLUMNS = 20
"""The columns of a label that fit into a node."""


def dag_svg(view: RunView) -> str:
    """The graph of a run. Its nodes lead to the sections of the features."""
    placed = layout(graph(view.features))
    width, height = _size(placed)
    title = f"The graph of {len(view.features)} features"
    path = frozenset(zip(view.critical_path, view.critical_path[1:]))
    edges = "".join(_edges(placed, path))
    nodes = "".join(_node(feature, *placed.places[feature.id]) for feature in view.features)
    return (
        f'<svg class="dag" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="group" aria-label="{title}">{edges}{nodes}</svg>'
    )


def _size(placed: Layout) -> tuple[int, int]:
    width = placed.layers * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    height = placed.rows * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    return max(1, width), max(1, round(height))


def _left(layer: int) -> int:
    return MARGIN + layer * (WIDTH + GAP_X)


def _top(row: float) -> float:
    return MARGIN + row * (HEIGHT + GAP_Y)


def _edges(placed: Layout, path: Collection[tuple[str, str]]) -> Iterator[str]:
    """The edges, those of the critical path last, so that nothing covers them."""
    for edge in sorted(placed.edges, key=lambda edge: (edge.start, edge.end) in path):
        critical = ' class="critical"' if (edge.start, edge.end) in path else ""
        yield f'<path{critical} d="{_curve(edge, placed)}"/>'


def _curve(edge: Edge, placed: Layout) -> str:
    layer, row = placed.places[edge.start]
    x, y = _left(layer) + WIDTH, _top(row) + HEIGHT / 2
    parts = [f"M{x} {y:.1f}"]
    for step, next_row in enumerate((*edge.bends, placed.places[edge.end][1]), 1):
        to_x, to_y = _left(layer + step), _top(next_row) + HEIGHT / 2
        half = (to_x - x) / 2
        parts.append(f"C{x + half:g} {y:.1f} {to_x - half:g} {to_y:.1f} {to_x} {to_y:.1f}")
        x, y = to_x, to_y
        if step <= len(edge.bends):
            x += WIDTH
            parts.append(f"H{x}")
    return "".join(parts)


def _node(feature: FeatureView, layer: int, row: float) -> str:
    x, y = _left(layer), _top(row)
    label = text(shorten(feature.id, LABEL_COLUMNS, Style()))
    said = text(f"{feature.id}: {feature.name} ({feature.status.words})")
    classes = f"node {mark_of(feature.status).tone}{' critical' if feature.is_critical else ''}"
    return (
        f'<a href="{address(feature.id)}" class="{classes}"><title>{said}</title>'
        f'<rect x="{x}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        + mark(feature.status, f'x="{x + 9}" y="{y + 8:.1f}"')
        # A picture of its own, which cuts off what a wide font makes too long.
        + f'<svg x="{x + 32}" y="{y:.1f}" width="{WIDTH - 38}" height="{HEIGHT}">'
        f'<text y="20.5">{label}</text></svg></a>'
    )
