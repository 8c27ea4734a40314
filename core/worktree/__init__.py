"""The git worktrees of the features: created, inspected, committed, removed."""

from .manager import WorktreeManager

__all__ = ["WorktreeManager"]
