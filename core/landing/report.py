"""What a `merge` is asked for and what it did, feature by feature; its JSON report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .stack import (
    STRATEGIES,
    Resolution,
    Resolved,
)


@dataclass(frozen=True)
class Wanted:
    """What is to land, and how: the features ``ids``, or all; on ``into``, or on the base."""

    ids: tuple[str, ...] = ()
    into: str = ""
    strategy: str = STRATEGIES[0]
    keep_going: bool = False
    resolve: bool = False
    max_cost_usd: float | None = None
    """What resolving may cost at most."""
    stale: bool = False
    """Whether what is out of date lands all the same."""


class LandingState(Enum):
    """What became of a feature in a ``merge``."""

    LANDED = "landed"
    WOULD_LAND = "would land"
    ALREADY = "already"
    """The target holds it."""
    HELD = "held"
    UNKNOWN = "unknown"
    """A look can't tell."""


@dataclass
class Ending:
    """One feature of a ``merge``."""

    id: str
    branch: str
    state: LandingState = LandingState.UNKNOWN
    commit: str = ""
    """The first commit of the target that holds it."""
    merged: str = ""
    """How the target held it before."""
    by_hand: str = ""
    """What the user did with its branch since its run."""
    reason: str = ""
    """Why it is held, or why it did not land by the strategy that was asked for."""
    conflict_with: str = ""
    files: tuple[str, ...] = ()
    resolution: Resolution | None = None
    """What became of its conflict, where Claude was, or would be, asked."""

    @property
    def would_ask(self) -> bool:
        """Whether Claude would be asked to resolve its conflict."""
        return self.resolution is not None and self.resolution.ending is Resolved.WOULD_ASK

    def to_json(self) -> dict[str, object]:
        """As ``merge --json`` prints it."""
        resolution = self.resolution.to_json() if self.resolution else None
        return {**vars(self), "state": self.state.value, "resolution": resolution}


@dataclass(frozen=True)
class MergeReport:
    """What a ``merge`` did: the branch was at ``before`` and is, or would be, at ``after``."""

    into: str
    strategy: str
    before: str
    after: str
    features: tuple[Ending, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for is on the branch, or would be."""
        held = (LandingState.HELD, LandingState.UNKNOWN)
        return not any(ending.state in held for ending in self.features)

    def to_json(self) -> dict[str, object]:
        """As ``merge --json`` prints it."""
        features = [ending.to_json() for ending in self.features]
        return {"event": "merge", **vars(self), "features": features}
