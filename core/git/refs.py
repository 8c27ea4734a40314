"""The refs that a run reads and writes: branches, results, kept work, resolutions."""

from __future__ import annotations

from collections.abc import Mapping

HEADS = "refs/heads/"

STASH = "refs/stash"

RESULTS = "refs/rorchestrator/results/"
"""``<id>/<run>``: the commit point. Made once, never moved; keeps the objects from gc."""

KEPT = "refs/rorchestrator/kept/"
"""``<id>/<run>``: where a branch stood, with all its uncommitted work, before it was removed."""

RESOLUTIONS = "refs/rorchestrator/resolutions/"
"""``<id>/<key>``: a conflict as Claude resolved it, with passing checks; never paid for twice."""

SEEN = (HEADS, "refs/rorchestrator/", STASH)
"""The refs that a run looks at."""


def branch_name(spelled: str, refs: Mapping[str, str]) -> str:
    """The branch that ``spelled`` names, also by ``heads/…``; else ``spelled`` itself."""
    names = (spelled, spelled.removeprefix("heads/"), spelled.removeprefix(HEADS))
    return next((name for name in names if HEADS + name in refs), spelled)
