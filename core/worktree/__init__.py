"""Worktrees of features: created, inspected, committed, kept, removed."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager

__all__ = ["WorktreeManager"]


def __getattr__(name: str) -> object:
    """The manager is imported when it is asked for: ``plan`` of a new list does without it."""
    if name not in __all__:
        raise AttributeError(name)
    from . import manager

    return manager.WorktreeManager
