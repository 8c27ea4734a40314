"""`Job`: a feature for the runner, with its decision, base commit, state and dependencies."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.decision import Action, Decision
from ..model.feature import Feature
from ..model.frozen import dataclass, field
from ..model.outcome import Status
from ..model.review import Comment
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

    @property
    def goes_on(self) -> bool:
        """Whether a retry goes on with the result that the feature has, or had before it."""
        known = self.known
        is_asked = known.again is not None and bool(known.last_result)
        return is_asked and self.decision.action is Action.RESUME

    @property
    def comments(self) -> tuple[Comment, ...]:
        """The comments for Claude: the open ones; where the work was rejected, all of them."""
        review = self.known.review
        return review.comments if review.is_rejected else review.open_comments
