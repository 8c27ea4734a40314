"""What if: the predicted time of a run with other numbers of slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model.frozen import dataclass
from .resolver import DAGResolver
from .schedule import predict

MANY = (24, 32, 48, 64)
"""The numbers of slots that are tried beyond the first sixteen."""

CLOSE = 1.05
"""A time is good enough if it is at most this many times the best one."""


@dataclass(frozen=True)
class Choice:
    """A number of slots, and the predicted time with it."""

    slots: int
    seconds: float
    speedup: float


def choices(dag: DAGResolver, seconds: Mapping[str, float]) -> list[Choice]:
    """The predicted times, up to a slot for each feature; slots that change nothing are left out.

    ``seconds`` has the predicted time of each feature.
    """
    found: list[Choice] = []
    count = len(dag.features)
    for slots in (*range(1, 17), *MANY):
        if slots > max(1, count):
            break
        timeline = predict(dag, slots, seconds)
        found.append(Choice(slots, timeline.makespan_seconds, timeline.speedup))
    least = min(choice.seconds for choice in found)
    last = next(at for at, choice in enumerate(found) if choice.seconds <= least)
    return found[: last + 1]


def enough(given: Sequence[Choice]) -> Choice:
    """The one with the fewest slots whose time is close to the best."""
    least = min(choice.seconds for choice in given)
    return next(choice for choice in given if choice.seconds <= least * CLOSE)
