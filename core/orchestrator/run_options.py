"""What the user asks of a run: slots, costs, times."""

from __future__ import annotations

from ..model.frozen import dataclass
from ..project.selection import Selection

MAX_WAIT_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class RunOptions:
    """What the user asked of a run, beside the features."""

    selection: Selection = Selection()
    max_parallel: int | None = None
    """Slots, instead of the list's number."""
    sequential: bool = False
    fail_fast: bool = False
    max_cost_usd: float | None = None
    max_time_seconds: float | None = None
    max_wait_seconds: float = MAX_WAIT_SECONDS
    """How long to wait at most for a usage limit to be lifted."""
    retried: str = ""
    """A feature that is no longer skipped once the run is agreed to."""
