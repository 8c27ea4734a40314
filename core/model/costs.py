"""Costs in USD and their sums: known, estimated or unknown; the rate of a model."""

from __future__ import annotations

from collections.abc import Iterable

from .frozen import dataclass

SHARE = "model_usage_since_last_result"
"""Since 2.1.330 a result's own share; its other figures are those of the whole session."""


def dollars(usd: float) -> str:
    """Dollars and cents; more digits where the cents would say nothing."""
    return f"${usd:.2f}" if usd >= 0.01 or usd == 0 else f"${usd:.4f}"


@dataclass(frozen=True)
class Paid:
    """What a model cost, and the input and cache tokens that it was given for that."""

    cost_usd: float
    tokens: int

    def __add__(self, other: Paid) -> Paid:
        return Paid(self.cost_usd + other.cost_usd, self.tokens + other.tokens)


@dataclass(frozen=True)
class Cost:
    """The summed cost of attempts."""

    known_usd: float = 0.0
    known: int = 0
    """Attempts whose cost is known."""
    unknown: int = 0
    estimated: int = 0
    """Of the unknown ones, those whose cost can be estimated."""
    estimated_usd: float = 0.0
    tokens_at_least: int = 0
    """Input and cache tokens of the attempts whose cost is unknown, as far as reported."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(one + more for one, more in zip(vars(self).values(), vars(other).values())))

    @property
    def usd(self) -> float | None:
        """The cost of the attempts that reported one; ``None`` where none of them did."""
        return None if self.unknown and not self.known else self.known_usd

    @property
    def is_complete(self) -> bool:
        """Whether every attempt reported its cost."""
        return not self.unknown

    @property
    def about_usd(self) -> float | None:
        """With estimates for the unknown ones; ``None`` where none is needed, or one is missing."""
        if self.unknown == 0 or self.estimated < self.unknown:
            return None
        return self.known_usd + self.estimated_usd


def total_usd(costs: Iterable[float | None]) -> float | None:
    """The sum of ``costs``; ``None`` if one of them is unknown."""
    known = list(costs)
    return None if None in known else sum(filter(None, known), 0.0)
