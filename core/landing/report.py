"""Options of a `merge` and its report, feature by feature, also as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.frozen import Enum
from ..model.strategy import Strategy
from ..model.translate import N_
from .layers import Resolution, Resolved


@dataclass(frozen=True)
class MergeOptions:
    """What to land and how: the features ``ids``, or all; on ``into``, or on the base branch."""

    ids: tuple[str, ...] = ()
    into: str = ""
    strategy: Strategy = Strategy.MERGE
    resolve: bool = False
    max_cost_usd: float | None = None
    """Budget for resolving conflicts."""
    stale: bool = False
    """Whether to land features that are out of date too."""
    accepted: bool = False
    """Whether to land only what was accepted, as ``project.require_review`` does."""


class LandingState(Enum):
    """Result of a ``merge`` for one feature."""

    LANDED = N_("landed")
    WOULD_LAND = N_("would land")
    ALREADY = N_("already")
    """It was on the target before."""
    HELD = N_("held")
    UNKNOWN = N_("unknown")
    """A preview can't tell."""


@dataclass
class Ending:
    """Report of a ``merge`` on one feature."""

    id: str
    branch: str
    state: LandingState = LandingState.UNKNOWN
    commit: str = ""
    """The first commit of the target that contains it."""
    merged: str = ""
    """How it got onto the target before this merge."""
    by_hand: str = ""
    """How the user changed its branch since its run."""
    reason: str = ""
    """Why it is held, or why it landed with another strategy than requested."""
    conflict_with: str = ""
    files: tuple[str, ...] = ()
    resolution: Resolution | None = None
    """The resolution of its conflict, if Claude was, or would be, called."""

    @property
    def would_ask(self) -> bool:
        """Whether Claude would be called to resolve its conflict."""
        return self.resolution is not None and self.resolution.ending is Resolved.WOULD_ASK

    def to_json(self) -> dict[str, object]:
        """As ``merge --json`` prints it."""
        resolution = self.resolution.to_json() if self.resolution else None
        return {**vars(self), "state": self.state.value, "resolution": resolution}


@dataclass(frozen=True)
class MergeReport:
    """Report of a ``merge``: the branch was at ``before`` and is, or would be, at ``after``."""

    into: str
    strategy: Strategy
    before: str
    after: str
    features: tuple[Ending, ...]
    failing_alone: tuple[str, ...] = ()
    """Checks of the project that fail on the branch as it was: they held nothing back."""

    @property
    def is_complete(self) -> bool:
        """Whether every requested feature is, or would be, on the branch."""
        held = (LandingState.HELD, LandingState.UNKNOWN)
        return not any(ending.state in held for ending in self.features)

    def to_json(self) -> dict[str, object]:
        """As ``merge --json`` prints it."""
        features = [ending.to_json() for ending in self.features]
        strategy = self.strategy.value
        return {"event": "merge", **vars(self), "strategy": strategy, "features": features}
