"""Refs that we write: refs/rorchestrator/results, …/kept, …/resolutions, …/undone; branch names."""

from __future__ import annotations

from collections.abc import Mapping

HEADS = "refs/heads/"

STASH = "refs/stash"

OWN = "refs/rorchestrator/"
"""Nothing else writes refs below it."""

RESULTS = "refs/rorchestrator/results/"
"""``<id>/<run>``, ``<id>/<run>.2``, …: the commit point of a result. Created once, never moved."""

KEPT = "refs/rorchestrator/kept/"
"""``<id>/<run>``: a removed branch with its uncommitted work."""

RESOLUTIONS = "refs/rorchestrator/resolutions/"
"""``<id>/<key>``: a conflict that Claude resolved, with passing checks. Paid for once."""

UNDONE = "refs/rorchestrator/undone/"
"""``<merge>``: the tip of a branch before ``undo`` moved it back."""

BASES = "refs/rorchestrator/bases/"
"""``<id>``: the merge of its dependencies that we pushed last, the base of its pull request."""

SEEN = (HEADS, OWN.rstrip("/"), STASH)
"""The refs that a run reads, also one in the place of our folder."""

DRIVER = "/dev/null/rorchestrator-merge-driver"
"""A path that cannot be executed. git's error names it where it would have started the driver."""


def branch_name(spelled: str, refs: Mapping[str, str]) -> str:
    """The branch that ``spelled`` names, with or without ``refs/heads/``; else ``spelled``."""
    names = (spelled, spelled.removeprefix("heads/"), spelled.removeprefix(HEADS))
    return next((name for name in names if HEADS + name in refs), spelled)
