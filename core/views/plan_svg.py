"""The graph of a plan as an SVG file: status by colour, by mark, and in words below.

Colours are attributes, not styles: drawing programs that know no style sheets show them as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..dag.resolver import DAGResolver
from ..model.feature import Feature
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import headed
from .html_text import text
from .plan_graph import LOOKS, Node, NodeStatus
from .svg_dag import HEIGHT, MARGIN, WIDTH, clipped, drawing, svg_tag

LEGEND_HEIGHT = 30
LEGEND_WIDTH = 118

_DISC = '<circle cx="8" cy="8" r="7" fill="{0}"/>'
_RING = '<circle cx="8" cy="8" r="6" fill="none" stroke="{0}" stroke-width="2"/>'
_SQUARE = '<rect x="2" y="2" width="12" height="12" rx="2" fill="{0}"/>'
_DIAMOND = '<path d="M8 1 15 8 8 15 1 8Z" fill="{0}"/>'
_LINE = '<path d="{1}" fill="none" stroke="#fff" stroke-width="1.7"/>'


def _sign(shape: str, path: str) -> str:
    return shape + _LINE.replace("{1}", path)


MARKS = {
    NodeStatus.UP_TO_DATE: _sign(_DISC, "M4.7 8.3 7 10.6 11.3 5.8"),
    NodeStatus.COMPLETED: _sign(_DISC, "M4.7 8.3 7 10.6 11.3 5.8"),
    NodeStatus.WILL_RUN: '<path d="M4 2 14 8 4 14Z" fill="{0}"/>',
    NodeStatus.RESUMES: _RING + '<path d="M8 2A6 6 0 0 1 8 14Z" fill="{0}"/>',
    NodeStatus.RUNNING: _RING + '<circle cx="8" cy="8" r="3" fill="{0}"/>',
    NodeStatus.FAILED: _sign(_DIAMOND, "M5.8 5.8 10.2 10.2M10.2 5.8 5.8 10.2"),
    NodeStatus.BLOCKED: _sign(_SQUARE, "M4.6 8H11.4"),
    NodeStatus.SKIPPED: _sign(_SQUARE, "M5 5 8 8 5 11M8.4 5 11.4 8 8.4 11"),
    NodeStatus.WAITING: _RING,
    NodeStatus.NOT_SELECTED: _RING + '<path d="M4 8H12" stroke="{0}" stroke-width="2"/>',
}
"""The mark of each status, 16 × 16; ``{0}`` is its colour."""


def plan_svg(nodes: Sequence[Node]) -> str:
    """The picture as a document of its own, with a line end."""
    known = {node.id: node for node in nodes}
    given = [
        Feature(node.id, node.label, depends_on=tuple(d for d in node.depends_on if d in known))
        for node in nodes
    ]
    drawn = drawing(DAGResolver(given), lambda id, x, y: _node(known[id], x, y))
    used = list(dict.fromkeys(node.status for node in nodes))
    width = max(drawn.size[0], len(used) * LEGEND_WIDTH)
    legend = "".join(_legend(used, drawn.size[1] + 8))
    # The edges take these attributes; nodes and texts have their own.
    return (
        f'{svg_tag(width, drawn.size[1] + LEGEND_HEIGHT)} xmlns="http://www.w3.org/2000/svg" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<g fill="none" stroke="#8c959f">{drawn.body}</g>{legend}</svg>\n'
    )


def _node(node: Node, x: int, y: float) -> str:
    look = LOOKS[node.status]
    named = headed(node.id, node.label) if node.label else node.id
    said = f"{named} ({shown(node.note) or _(node.status.value)})"
    dashed = ' stroke-dasharray="4 3"' if look.style == "dashed" else ""
    return (
        f'<g stroke="none" fill="#1f2328"><title>{text(one_line(said))}</title>'
        f'<rect x="{x}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="7" '
        f'fill="{look.fill}" stroke="{look.line}"{dashed}/>'
        f"{_mark(node.status, x + 9, y + 8)}{clipped(node.id, x, y)}</g>"
    )


def _mark(status: NodeStatus, x: float, y: float) -> str:
    drawing = MARKS[status].replace("{0}", LOOKS[status].line)
    return f'<g transform="translate({x:g} {y:g})">{drawing}</g>'


def _legend(used: Sequence[NodeStatus], y: int) -> Iterator[str]:
    for number, status in enumerate(used):
        x = MARGIN + number * LEGEND_WIDTH
        words = f'<text x="{x + 22}" y="{y + 12.5:g}" fill="#57606a">{_(status.value)}</text>'
        yield _mark(status, x, y) + words
