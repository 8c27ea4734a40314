"""What an active feature is doing: worktree, setup, Claude, commit or checks."""

from __future__ import annotations

from enum import Enum

from .events import Event
from .translate import N_


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


def phase_begun_by(event: Event) -> Phase | None:
    """The phase that an event begins; ``None`` if it begins none."""
    if event.kind == "checked" and event.data.get("passed") is not True:
        return Phase.BETWEEN  # The first check that fails is the last one.
    return _PHASES.get(event.kind)
