"""What a run will do with a feature (run, resume, skip, keep), and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from .frozen import dataclass, field


class Action(Enum):
    """What ``run`` does with a feature."""

    SKIP = "skip"
    LEAVE = "leave"
    """It is not done, and not run either: the user skipped it, or something that it needs."""
    RESUME = "resume"
    START = "start"


@dataclass(frozen=True)
class Decision:
    """What ``run`` would do with a feature, and why: ``new``, ``prompt changed``, …"""

    feature: str
    action: Action
    reason: str
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """The hashes that went into ``key``, by name, so that a change can be named."""
    merged: str = ""
    """How the base branch holds its work, where that is why it does not run."""
