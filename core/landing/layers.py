"""The values of a landing: candidates, a stack of layers, what is held and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Union

from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import Enum, dataclass
from ..model.strategy import Strategy
from ..model.translate import N_


@dataclass(frozen=True)
class Candidate:
    """A completed feature; its own commits follow ``start_commit``, empty if unknown."""

    feature: Feature
    run: str
    tip: str
    start_commit: str
    needs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The feature's id."""
        return self.feature.id


@dataclass(frozen=True)
class Held:
    """Why a feature does not land; in a conflict, the other side and the files."""

    reason: str
    conflict_with: str = ""
    files: tuple[str, ...] = ()
    is_unknown: bool = False
    """Whether a preview can't tell if it would land."""


@dataclass(frozen=True)
class Layer:
    """A feature on a stack, and the commit that adds it."""

    candidate: Candidate
    commit: str
    strategy: Strategy
    """How it was added: ``rebase`` also if a merge would have brought in foreign commits."""


@dataclass(frozen=True)
class Stack:
    """Features stacked on ``base``, and why others are held."""

    base: str
    layers: tuple[Layer, ...]
    held: Mapping[str, Held]
    is_cut_short: bool = False
    """Whether stacking stopped below a conflict because the checks fail there already."""
    collided: tuple[str, ...] = ()
    """The features that git did not merge onto what was below them."""

    @property
    def tip(self) -> str:
        """The commit with all features."""
        return self.commit(len(self.layers))

    def commit(self, count: int) -> str:
        """The commit with the lowest ``count`` features."""
        return self.layers[count - 1].commit if count else self.base


SESSION = "RoRchestrator-Session"
"""The trailer with Claude's session, if Claude resolved the conflict."""


class Resolved(Enum):
    """Whether Claude resolved a conflict, or would be called."""

    RESOLVED = "resolved"
    KNOWN = "known"
    """Resolved by an earlier command."""
    FAILED = "failed"
    NOT_ASKED = "not asked"
    WOULD_ASK = "would ask"


@dataclass(frozen=True)
class Resolution:
    """The resolution of a conflict and its cost."""

    ending: Resolved
    commit: str = ""
    """The commit with the merged tree; empty if nothing may land."""
    reason: str = ""
    files: tuple[str, ...] = ()
    attempts: int = 0
    """For this feature by this command, like the cost."""
    cost_usd: float | None = 0.0
    session_id: str = ""

    def to_json(self) -> dict[str, object]:
        """As ``merge --json`` prints it."""
        return {**vars(self), "ending": self.ending.value}


Put = Union[str, tuple[str, ...], Held]
"""A commit with a feature on top, the files in conflict, or why it is held."""


def conflict_between(id: str, other: str, files: Sequence[str], *, together: bool = False) -> Held:
    """A feature that is held because of a conflict with another one, or with the branch.

    ``together``: only with others that landed below that one.
    """
    text = N_("{one} and {other} conflict")
    if together and files:
        text = N_("{one} conflicts in {files} with {other} and others together")
    elif files:
        text = N_("{one} and {other} conflict in {files}")
    return Held(text.format(one=id, other=other, files=some(files)), other, tuple(files))
