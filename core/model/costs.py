"""Costs in USD and their sums: known, estimated or unknown; the rate of a model."""

from __future__ import annotations

from collections.abc import Iterable

from .frozen import dataclass

SHARE = "model_usage_since_last_result"
"""Since Claude Code 2.1.330: a result's own share. Its other figures are of the whole session."""


def dollars(usd: float) -> str:
    """Dollars and cents; more digits below a cent."""
    return f"${usd:.2f}" if usd >= 0.01 or usd == 0 else f"${usd:.4f}"


@dataclass(frozen=True)
class Paid:
    """The cost of a model and the input and cache tokens that it was paid for."""

    cost_usd: float
    tokens: int

    def __add__(self, other: Paid) -> Paid:
        return Paid(self.cost_usd + other.cost_usd, self.tokens + other.tokens)


@dataclass(frozen=True)
class Cost:
    """The summed cost of attempts."""

    known_usd: float = 0.0
    known: int = 0
    """The number of attempts with a known cost."""
    unknown: int = 0
    estimated: int = 0
    """How many of the unknown costs can be estimated."""
    estimated_usd: float = 0.0
    tokens_at_least: int = 0
    """The reported input and cache tokens of the attempts with an unknown cost."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(one + more for one, more in zip(vars(self).values(), vars(other).values())))

    @property
    def usd(self) -> float | None:
        """The sum of the known costs; ``None`` if there are only unknown ones."""
        return None if self.unknown and not self.known else self.known_usd

    @property
    def is_complete(self) -> bool:
        """Whether the cost of every attempt is known."""
        return not self.unknown

    @property
    def about_usd(self) -> float | None:
        """The sum with estimates; ``None`` if none is needed, or one is missing."""
        if self.unknown == 0 or self.estimated < self.unknown:
            return None
        return self.known_usd + self.estimated_usd


def total_usd(costs: Iterable[float | None]) -> float | None:
    """The sum of ``costs``; ``None`` if one of them is unknown."""
    known = list(costs)
    return None if None in known else sum(filter(None, known), 0.0)
