"""`Again`: what a user asked for with ``retry``: to go on with a feature, not to start it over."""

from __future__ import annotations

from .frozen import dataclass


@dataclass(frozen=True)
class Again:
    """A retry that resumes the feature's session, until it has a result or starts over."""

    attempts: int | None = None
    """How often a failing check is sent back to Claude; ``None`` for the list's setting."""
