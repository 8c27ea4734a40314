"""What a run will do with a feature (run, resume, skip, keep), and why."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Enum, dataclass, field

NEW = "new"
"""The reason of a feature that never ran."""


class Action(Enum):
    """What ``run`` does with a feature."""

    SKIP = "skip"
    LEAVE = "leave"
    """Neither completed nor run: the user skipped it or one of its dependencies."""
    RESUME = "resume"
    START = "start"


@dataclass(frozen=True)
class Decision:
    """What ``run`` does with a feature, and why: ``new``, ``prompt changed``, …"""

    feature: str
    action: Action
    reason: str
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """The hashes that make up ``key``, by name: they tell which input changed."""
    merged: str = ""
    """How the base branch holds its work, if that is why it does not run."""
