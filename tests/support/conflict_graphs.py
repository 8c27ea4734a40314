"""Random features with dependencies and conflicts."""

from __future__ import annotations

import random
from itertools import combinations


def random_graph(
    chance: random.Random, size: int, needed: float, conflicting: float
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Features of which each needs earlier ones, and pairs in conflict."""
    ids = [f"f{number}" for number in range(size)]
    needs = {
        id: [other for other in ids[:place] if chance.random() < needed]
        for place, id in enumerate(ids)
    }
    pairs = [pair for pair in combinations(ids, 2) if chance.random() < conflicting]
    return needs, pairs
