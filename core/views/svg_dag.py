"""The graph of features as SVG: layers from left to right, status by colour and by shape."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ..dag.resolver import DAGResolver
from ..model.frozen import dataclass
from ..model.translate import _
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
    features = {each.id: each for each in view.features}
    path = frozenset(zip(view.critical_path, view.critical_path[1:]))
    drawn = drawing(graph(view.features), lambda id, x, y: _node(features[id], x, y), path)
    title = _("The graph of {count} features").format(count=len(view.features))
    return (
        f'{svg_tag(*drawn.size)} class="dag" role="group" aria-label="{title}">{drawn.body}</svg>'
    )


@dataclass(frozen=True)
class Drawing:
    """A graph as the content of an SVG picture."""

    size: tuple[int, int]
    """Width and height."""
    body: str


def drawing(
    dag: DAGResolver,
    node: Callable[[str, int, float], str],
    path: Collection[tuple[str, str]] = (),
) -> Drawing:
    """A graph; ``node`` draws the feature of an id with its top left corner at (x, y).

    The edges of ``path`` have the class ``critical``.
    """
    placed = layout(dag)
    edges = "".join(_edges(placed, path))
    places = {id: placed.places[id] for id in dag.features}
    nodes = "".join(node(id, _left(layer), _top(row)) for id, (layer, row) in places.items())
    return Drawing(_size(placed), edges + nodes)


def svg_tag(width: int, height: int) -> str:
    """The beginning of the tag of a picture."""
    return f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}"'


def clipped(label: str, x: int, y: float) -> str:
    """The label of a node, cut at its end."""
    # A picture of its own, which cuts off what a wide font makes too long.
    return (
        f'<svg x="{x + 32}" y="{y:.1f}" width="{WIDTH - 38}" height="{HEIGHT}">'
        f'<text y="20.5">{text(shorten(label, LABEL_COLUMNS, Style()))}</text></svg>'
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


def _node(feature: FeatureView, x: int, y: float) -> str:
    said = text(f"{feature.id}: {feature.name} ({_(feature.status.words)})")
    classes = f"node {mark_of(feature.status).tone}{' critical' if feature.is_critical else ''}"
    return (
        f'<a href="{address(feature.id)}" class="{classes}"><title>{said}</title>'
        f'<rect x="{x}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        + mark(feature.status, f'x="{x + 9}" y="{y + 8:.1f}"')
        + f"{clipped(feature.id, x, y)}</a>"
    )
