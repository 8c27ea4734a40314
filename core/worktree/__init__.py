"""Worktrees of features: created, inspected, committed, kept, removed."""

from .manager import WorktreeManager

__all__ = ["WorktreeManager"]
