"""What ``plan`` and ``run`` warn of before anything starts."""

from __future__ import annotations

from .. import hooks
from ..process.spawner import drive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .workplace import Workplace


def cautions(place: Workplace) -> tuple[str, ...]:
    """Everything that is allowed, and probably not meant."""
    worktree = place.worktrees.path("feature")
    return tuple(drive(hooks.idle(place.git, place.base_commit, worktree)))
