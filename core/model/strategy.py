"""The strategies of `merge`: a merge commit, one commit (squash) or copied commits (rebase)."""

from __future__ import annotations

from .frozen import Enum


class Strategy(Enum):
    """How a feature's work is put on a branch."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"
