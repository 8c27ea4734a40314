"""What an active feature is doing: worktree, setup, Claude, commit or checks."""

from __future__ import annotations

from .frozen import Enum
from .translate import N_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .events import Event


class Phase(Enum):
    """A part of a feature's work; each begins with an event."""

    NONE = ""
    """It is not active."""
    WORKTREE = N_("worktree")
    """Its worktree is created or reopened, or it is waiting for a slot."""
    SETUP = N_("setup")
    CLAUDE = N_("claude")
    BETWEEN = N_("between")
    """Claude ended, or has not started yet."""
    INSPECTION = N_("inspection")
    """Its worktree is inspected before the commit."""
    COMMIT = N_("commit")
    CHECKS = N_("checks")


_PHASES = {
    "preparing": Phase.WORKTREE,
    "setting_up": Phase.SETUP,
    "ready": Phase.BETWEEN,
    "attempt_started": Phase.CLAUDE,
    "attempt_ended": Phase.BETWEEN,
    "verifying": Phase.INSPECTION,
    "committing": Phase.COMMIT,
    "checking": Phase.CHECKS,
    "ended": Phase.NONE,
    "queued": Phase.NONE,
}
"""The phase that an event begins, by its kind."""

_RESOLVING = {"resolution_started": Phase.CLAUDE, "resolution_ended": Phase.WORKTREE}

MERGE = "merge-"
"""How the id of a ``merge`` begins."""


def phase_begun_by(event: Event) -> Phase | None:
    """The phase that an event begins; ``None`` if it begins none."""
    if event.kind == "judged":
        from .check_verdict import Verdict

        sent_back = {verdict.value for verdict in Verdict if verdict.is_sent_back}
        # All checks have ended by then, and Claude is told of it.
        return Phase.BETWEEN if str(event.data.get("verdict")) in sent_back else None
    if event.kind in _RESOLVING:
        # In a merge, no feature is active.
        return None if event.run.startswith(MERGE) else _RESOLVING[event.kind]
    return _PHASES.get(event.kind)
