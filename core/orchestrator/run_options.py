"""`RunOptions`: the options of a run: selection, slots, budget, time limits."""

from __future__ import annotations

from ..model.frozen import dataclass
from ..project.selection import Selection

MAX_WAIT_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class RunOptions:
    """The options of ``run``."""

    selection: Selection = Selection()
    max_parallel: int | None = None
    """The number of slots, instead of the list's ``max_parallel``."""
    sequential: bool = False
    fail_fast: bool = False
    max_cost_usd: float | None = None
    max_time_seconds: float | None = None
    max_wait_seconds: float = MAX_WAIT_SECONDS
    """The longest wait for the reset of a usage limit."""
    retried: str = ""
    """A feature whose skip ends with the user's consent to the run."""
    has_reader: bool = False
    """Whether somebody may be there to review, while the run waits for that."""
    retried_too: tuple[str, ...] = ()
    """Further features that go on with the same consent."""
    message: str = ""
    """What the user says to it."""
    more_attempts: int | None = None
    """How often a failing check of it is sent back to Claude."""
    command: str = ""
    """The command line, for the report."""
