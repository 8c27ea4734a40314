"""The refs that a run makes: results, kept work, resolutions."""

from __future__ import annotations

RESULTS = "refs/rorchestrator/results/"
"""``<id>/<run>``: the commit point. Made once, never moved; keeps the objects from gc."""


KEPT = "refs/rorchestrator/kept/"
"""``<id>/<run>``: where a branch stood, with all its uncommitted work, before it went."""


RESOLUTIONS = "refs/rorchestrator/resolutions/"
"""``<id>/<key>``: what Claude made of a conflict, and the checks passed: not paid for twice."""
