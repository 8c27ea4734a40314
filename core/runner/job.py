"""A feature as the runner gets it: decision, base, results, and what earlier runs left."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.decision import Decision
from ..model.feature import Feature
from ..model.frozen import dataclass, field
from ..worktree.branch_content import Origin


@dataclass(frozen=True)
class Job:
    """A feature that is due, and what earlier attempts left of it."""

    feature: Feature
    decision: Decision
    base_commit: str
    results: Mapping[str, str] = field(default_factory=dict)
    """Commit by dependency, of those whose work is not in the base already."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Of those of them that have a branch of ours."""
    start_commit: str = ""
    """Where the feature's branch started, if a run of ours made it."""
    session_id: str = ""
    attempts: int = 0
    """The number of its last attempt, in the worktree that is to be resumed."""
    numbered: int = 0
    """The number of its last attempt in this run, whatever became of that worktree."""
    spent_usd: float = 0.0
    """What its attempts in this run have cost so far."""
    claude_is_done: bool = False
    """Whether the last attempt succeeded and only what comes after it is missing."""
    was_checked: bool = False
    """Whether checks were begun after that."""
    is_ready: bool = False
    """Whether the worktree was set up already."""
    made: tuple[str, ...] | None = ()
    """The ignored files that this put there; ``None`` for all that there are."""
