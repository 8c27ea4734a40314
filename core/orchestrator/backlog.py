"""`Backlog`: the completed features that wait for a review, and how many of them may."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model.frozen import dataclass
from ..model.state import RunState
from ..model.unreviewed import unreviewed


@dataclass(frozen=True)
class Backlog:
    """How many completed features of a list may wait for a review before nothing new starts."""

    limit: int | None = None
    listed: Collection[str] = ()
    """The features of the list, in this run or not."""
    landed: Collection[str] = ()
    has_reader: bool = True
    """Whether it makes sense to wait: somebody may be there, or the run has a time limit."""

    def count(self, state: RunState, running: Iterable[str] = ()) -> int:
        """How many features wait for a review; 0 if there is no limit.

        The ``running`` ones count, too: some may have joined the list since.
        """
        if self.limit is None:
            return 0
        ids = dict.fromkeys((*self.listed, *running))
        return len(unreviewed(state, ids, self.landed))

    def is_full(self, count: int) -> bool:
        """Whether nothing new may start."""
        return self.limit is not None and count >= self.limit
