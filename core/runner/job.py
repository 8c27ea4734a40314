"""`Job`: a feature for the runner, with its decision, base commit, state and dependencies."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.decision import Decision
from ..model.feature import Feature
from ..model.frozen import dataclass, field
from ..model.outcome import Status
from ..model.state import FeatureState
from ..worktree.branch_content import Origin


@dataclass(frozen=True)
class Job:
    """A feature that is to run."""

    feature: Feature
    decision: Decision
    known: FeatureState
    """The feature's state before this run works on it."""
    base_commit: str
    results: Mapping[str, str] = field(default_factory=dict)
    """The commits of dependencies whose work is not in the base."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """The branches of dependencies whose results are on one."""

    @property
    def last_number(self) -> int:
        """The number of the last attempt; above 0 if Claude may have worked in the worktree."""
        attempts = self.known.attempts
        return attempts[-1].number if attempts else int(self.known.is_inherited)

    @property
    def claude_is_done(self) -> bool:
        """Whether the last attempt succeeded, so that only commit and checks are missing."""
        last = self.known.last_outcome
        return last is not None and last.status is Status.COMPLETED
