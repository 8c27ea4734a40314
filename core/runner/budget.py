"""What a run may cost: reserved before a feature starts, settled by what it really cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ..model.costs import dollars
from ..process.cancellation import first_of

OVER = "budget"
"""What the reason of a feature begins with that the budget had no room for."""

LEAST_USD = 0.01
"""What an attempt is worth being started for: it costs a turn at least, whatever it is told."""

NAP_SECONDS = 0.5
"""How often one that waits for money looks whether it is still wanted."""


class Budget:
    """A cap in USD for one run; without one everything fits.

    ``estimates`` are what the features are thought to cost. Settled costs only grow: where
    nobody knows what an attempt cost, its reservation stands for it.
    """

    def __init__(self, cap_usd: float | None, estimates: Mapping[str, float]) -> None:
        self.cap_usd = cap_usd
        self.estimates = estimates
        self.settled_usd = 0.0
        self._reserved: dict[str, float] = {}
        self._changed: asyncio.Event | None = None
        """Made by who waits first: up to Python 3.9 it belongs to the loop that it is made in."""

    @property
    def left_usd(self) -> float:
        """What is neither spent nor reserved."""
        assert self.cap_usd is not None
        return self.cap_usd - self.settled_usd - sum(self._reserved.values())

    async def reserve(self, feature: str, closed: Callable[[], str]) -> str:
        """Reserve what a feature is thought to cost. Empty, or why it can't start.

        It waits while others may still turn out to be cheaper than they were thought to be.
        """
        if self.cap_usd is None:
            return ""
        estimate = max(LEAST_USD, self.estimates[feature])
        while estimate > self.left_usd:
            if not self._reserved:
                left = dollars(max(0.0, self.left_usd))
                needed = dollars(estimate)
                return (
                    f"{OVER}: needs about {needed}, only {left} of {dollars(self.cap_usd)} is left"
                )
            self._changed = self._changed or asyncio.Event()
            self._changed.clear()
            await first_of(self._changed, timeout_seconds=NAP_SECONDS)
            if closed():
                return closed()
        self._reserved[feature] = estimate
        return ""

    def is_spent(self, feature: str) -> bool:
        """Whether not even the least is left that a feature could be granted."""
        if self.cap_usd is None:
            return False
        return self._reserved.get(feature, 0.0) + self.left_usd < LEAST_USD

    def grant(self, feature: str, share: int, at_most_usd: float | None) -> float | None:
        """What the next attempt of a feature may cost; ``None`` where nothing bounds it.

        Its reservation, and the ``share``-th part of what nobody has: that is reserved as well,
        so that all who run can never spend more than the cap.
        """
        if self.cap_usd is None:
            return at_most_usd
        reserved, left = self._reserved.get(feature, 0.0), max(0.0, self.left_usd)
        granted = reserved + left / share
        granted = granted if granted >= LEAST_USD else reserved + left
        granted = granted if at_most_usd is None else min(granted, at_most_usd)
        self._reserved[feature] = granted
        return granted

    def spend(self, feature: str, cost_usd: float | None) -> None:
        """An attempt is over: what it cost is no longer reserved, but gone."""
        reserved = self._reserved.get(feature, 0.0)
        spent = reserved if cost_usd is None else cost_usd
        self.settled_usd += spent
        if feature in self._reserved:
            self._reserved[feature] = max(0.0, reserved - spent)
        self._tell()

    def release(self, feature: str) -> None:
        """A feature is over: what is left of its reservation is free again."""
        self._reserved.pop(feature, None)
        self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set()
