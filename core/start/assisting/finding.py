"""What the dependency assistant finds: findings with their evidence, and what it knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...model.frozen import Enum, dataclass, field


class Kind(Enum):
    """What is wrong with a dependency."""

    MISSING = "missing"
    """A feature needs another one, and does not depend on it."""
    NEEDLESS = "needless"
    """A feature depends on another one, and nothing shows that it has to."""
    RISKY = "risky"
    """Two features get in each other's way, or an entry of ``uses`` can't be right."""


class Rule(Enum):
    """What an evidence rests on."""

    USES = "uses"
    """An entry of ``uses`` is an entry of ``creates`` of another feature."""
    CLOSE = "close"
    """An entry of ``uses`` is nearly one."""
    NOBODY = "nobody"
    """An entry of ``uses`` that nothing creates."""
    PROMPT = "prompt"
    """A prompt names what another feature makes."""
    OWNER = "owner"
    """Two features have the same entry in ``creates``."""
    FILE = "file"
    """Two features write the same file."""
    BRANCHES = "branches"
    """Past branches changed the same file."""
    HISTORY = "history"
    """Files that commits of the base change together."""
    IMPLIED = "implied"
    """A dependency that follows from others."""
    PARALLEL = "parallel"
    """A dependency without evidence that makes the run longer."""
    CLAUDE = "claude"
    """Claude's opinion."""


@dataclass(frozen=True)
class Evidence:
    """Why there is a finding, in one sentence."""

    rule: Rule
    text: str


@dataclass(frozen=True)
class Finding:
    """A finding about one feature, and the change of its ``depends_on`` that it proposes."""

    kind: Kind
    feature: str
    others: tuple[str, ...]
    """The other features that it is about; empty if no feature creates what is used."""
    evidence: tuple[Evidence, ...]
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    is_safe: bool = False
    """Whether ``--yes`` accepts it."""
    saves_seconds: float | None = None
    """By how much the predicted time of a run becomes shorter."""
    restarts: bool = False
    """Whether the feature has begun: with other dependencies, it starts over."""

    @property
    def is_a_change(self) -> bool:
        """Whether it proposes a change of the list."""
        return bool(self.adds or self.removes)


@dataclass(frozen=True)
class Opinion:
    """A finding of Claude's, checked: both are features of the list."""

    kind: Kind
    feature: str
    other: str
    reason: str


@dataclass(frozen=True)
class Knowledge:
    """What is known beside the list. Without anything, only the list itself is evidence."""

    paths: Collection[str] = frozenset()
    """The files and folders of the base."""
    has_base: bool = False
    """Whether ``paths`` and ``defined`` are known."""
    defined: Collection[str] = frozenset()
    """Those of the names in question that the code of the base defines."""
    touched: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By feature: the files that its branch changed."""
    clashes: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    """Conflicts of branches that a run predicted: the files, by the ids of both features."""
    commits: Sequence[Collection[str]] = ()
    """The files of each of the latest commits of the base."""
    done: Collection[str] = frozenset()
    """Completed features: a change of their dependencies makes them run again."""
    begun: Collection[str] = frozenset()
    """Features with unfinished work, which other dependencies make start over."""
    merged: Collection[str] = frozenset()
    """Those of them that the base contains."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """The predicted time of each feature; without it, the list's estimates count."""
    slots: int = 3
    opinions: Sequence[Opinion] = ()
