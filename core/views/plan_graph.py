"""The graph of the features as text for other tools: Mermaid and Graphviz (DOT).

Each status has a shape and a colour of its own, and is a word in the node: no reader needs colours.
Texts are cleaned, cut and escaped here; they have to be masked before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from ..model.decision import Action, Decision
from ..model.frozen import Enum, dataclass
from ..model.outcome import Status
from ..model.terminal_text import one_line
from ..model.translate import N_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..dag.schedule import Plan


class NodeStatus(Enum):
    """What is shown of a feature; the value is the word in its node."""

    UP_TO_DATE = N_("up to date")
    COMPLETED = N_("completed")
    WILL_RUN = N_("will run")
    RESUMES = N_("resumes")
    RUNNING = N_("running")
    FAILED = N_("failed")
    BLOCKED = N_("blocked")
    SKIPPED = N_("skipped")
    WAITING = N_("waiting")
    NOT_SELECTED = N_("not selected")


@dataclass(frozen=True)
class Node:
    """A feature in the graph."""

    id: str
    label: str
    """Its name; empty, or the same as the id, for none."""
    status: NodeStatus
    depends_on: Sequence[str] = ()
    """Ids; those without a node are left out."""
    note: str = ""
    """Shown instead of the status's word, such as ``failed: 2 checks``."""


LONGEST = 60
"""The characters of a line in a node."""

MOST_EDGES = 500
MOST_CHARACTERS = 50_000
"""Mermaid draws no larger graph (``maxEdges``, ``maxTextSize``): a page can't allow more."""


@dataclass(frozen=True)
class Look:
    """How a status looks: its colours, and its shape in each language."""

    fill: str
    line: str
    brackets: tuple[str, str]
    """Around a node in Mermaid: its shape there."""
    shape: str
    """Its shape in DOT."""
    style: str = ""
    """The style in DOT, beside ``filled``; a dashed line is dashed in Mermaid, too."""


_DONE = Look("#dafbe1", "#1a7f37", ("([", "])"), "box", "rounded")
_IDLE = Look("#f6f8fa", "#57606a", ("(", ")"), "ellipse", "dashed")
LOOKS = {
    NodeStatus.UP_TO_DATE: _DONE,
    NodeStatus.COMPLETED: _DONE,
    NodeStatus.WILL_RUN: Look("#fff8c5", "#9a6700", ("[", "]"), "box"),
    NodeStatus.RESUMES: Look("#fff8c5", "#9a6700", ("[[", "]]"), "component"),
    NodeStatus.RUNNING: Look("#ddf4ff", "#0969da", ("[/", "/]"), "parallelogram"),
    NodeStatus.FAILED: Look("#ffebe9", "#cf222e", ("{{", "}}"), "hexagon"),
    NodeStatus.BLOCKED: Look("#ffebe9", "#cf222e", ("[/", "\\]"), "trapezium", "dashed"),
    NodeStatus.SKIPPED: Look("#f6f8fa", "#57606a", ("[\\", "/]"), "invtrapezium", "dashed"),
    NodeStatus.WAITING: _IDLE,
    NodeStatus.NOT_SELECTED: _IDLE,
}

_OF_STATUS = {
    Status.PENDING: NodeStatus.WAITING,
    Status.COMPLETED: NodeStatus.COMPLETED,
    Status.BLOCKED: NodeStatus.BLOCKED,
    Status.SKIPPED: NodeStatus.SKIPPED,
}


def status_in_run(status: Status) -> NodeStatus:
    """The status of a feature that a run reports."""
    if status.active:
        return NodeStatus.RUNNING
    return _OF_STATUS.get(status, NodeStatus.FAILED)


def status_in_plan(decision: Decision, *, selected: bool, skipped: bool) -> NodeStatus:
    """The status of a feature as ``run`` would treat it; ``skipped`` by the user."""
    if decision.action is Action.SKIP:
        return NodeStatus.UP_TO_DATE
    if decision.action is Action.LEAVE:
        return NodeStatus.SKIPPED if skipped else NodeStatus.BLOCKED
    if not selected:
        return NodeStatus.NOT_SELECTED
    return NodeStatus.RESUMES if decision.action is Action.RESUME else NodeStatus.WILL_RUN


def nodes_of_plan(plan: Plan, skipped: Collection[str], mask: Callable[[str], str]) -> list[Node]:
    """The features of a plan, wave by wave; the user ``skipped`` some."""
    nodes = []
    for id in (id for wave in plan.waves for id in wave):
        feature, decision = plan.features[id], plan.decisions[id]
        status = status_in_plan(decision, selected=id in plan.selected, skipped=id in skipped)
        note = decision.reason
        if note != status.value:
            note = f"{status.value}: {note}"
        nodes.append(Node(id, mask(feature.name), status, feature.depends_on, mask(note)))
    return nodes


def mermaid(nodes: Sequence[Node]) -> str:
    """A Mermaid flowchart, with a line end; its arrows lead from a dependency to its dependents.

    Mermaid draws no graph above :data:`MOST_EDGES` and :data:`MOST_CHARACTERS`.
    """
    # Ids could be words of Mermaid's own, such as "end".
    names = {node.id: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    for node in nodes:
        begin, end = LOOKS[node.status].brackets
        text = "<br/>".join(map(_in_mermaid, _lines(node)))
        lines.append(f'    {names[node.id]}{begin}"{text}"{end}:::{_name(node.status)}')
    lines += [f"    {names[a]} --> {names[b]}" for a, b in edges(nodes)]
    for status in _used(nodes):
        look = LOOKS[status]
        dashed = ",stroke-dasharray:4 3" if look.style == "dashed" else ""
        colours = f"fill:{look.fill},stroke:{look.line},color:#1f2328{dashed}"
        lines.append(f"    classDef {_name(status)} {colours}")
    return "\n".join(lines) + "\n"


def is_drawn_by_mermaid(nodes: Sequence[Node], text: str) -> bool:
    """Whether Mermaid draws the ``text`` of these nodes, or finds it too large."""
    return len(edges(nodes)) <= MOST_EDGES and len(text) <= MOST_CHARACTERS


def dot(nodes: Sequence[Node]) -> str:
    """A directed graph for Graphviz, with a line end."""
    lines = [
        "digraph features {",
        "    rankdir=LR;",
        '    node [fontname="Helvetica", fontcolor="#1f2328"];',
        '    edge [color="#57606a"];',
    ]
    for node in nodes:
        look = LOOKS[node.status]
        text = "\\n".join(map(_in_dot_label, _lines(node)))
        style = ",".join(filter(None, ("filled", look.style)))
        looks = f'shape={look.shape}, style="{style}", fillcolor="{look.fill}", color="{look.line}"'
        lines.append(f'    {_quoted(node.id)} [label="{text}", {looks}];')
    lines += [f"    {_quoted(a)} -> {_quoted(b)};" for a, b in edges(nodes)]
    return "\n".join([*lines, "}"]) + "\n"


def edges(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """Each dependency with its dependent, if both have a node."""
    ids = {node.id for node in nodes}
    return [(needed, node.id) for node in nodes for needed in node.depends_on if needed in ids]


def _lines(node: Node) -> Iterator[str]:
    yield _short(node.id)
    if node.label not in ("", node.id):
        yield _short(node.label)
    yield _short(node.note or node.status.value)


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _used(nodes: Sequence[Node]) -> list[NodeStatus]:
    return list(dict.fromkeys(node.status for node in nodes))


def _name(status: NodeStatus) -> str:
    return status.name.lower().replace("_", "-")


def _in_mermaid(text: str) -> str:
    """A text inside of the quotes of a node.

    Whatever could be markup is a character reference: quotes, HTML, Markdown (also a list, such as
    ``1. one``), formulas, and ``%%{…}%%``, which Mermaid reads before it knows of quotes.
    """
    # Between $$ and $$ is a formula, even as references.
    text = text.replace("$$", "$\u200b$")
    return "".join(
        each if _is_plain(each, text[:at][-1:], text[at + 1 :][:1]) else f"#{ord(each)};"
        for at, each in enumerate(text)
    )


def _is_plain(each: str, before: str, after: str) -> bool:
    if each in "-_.":
        return before.isalpha() and after.isalnum()
    return each.isalnum() or each in " ,/()'"


def _in_dot_label(text: str) -> str:
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def _quoted(id: str) -> str:
    """An id in DOT: only the quote is special."""
    return '"' + id.replace("\\", "\\\\").replace('"', '\\"') + '"'
