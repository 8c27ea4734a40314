"""`Budget`: what a run may cost. Reserved before a feature starts, settled by its real cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ..model.costs import dollars
from ..model.translate import N_
from ..process.cancellation import first_of

OVER = N_("budget")
"""The first word of the reason if the budget was too small."""

LEAST_USD = 0.01
"""No attempt is started for less: it costs at least one turn, whatever its own limit is."""

NAP_SECONDS = 0.5
"""How often a feature that waits for budget checks whether it was stopped."""


class Budget:
    """A cap in USD for one run. Without a cap, everything fits.

    ``estimates`` has the expected cost of each feature. If the cost of an attempt is unknown,
    its reservation counts as spent.
    """

    def __init__(self, cap_usd: float | None, estimates: Mapping[str, float]) -> None:
        self.cap_usd = cap_usd
        self.estimates = estimates
        self.settled_usd = 0.0
        self._reserved: dict[str, float] = {}
        self._changed: asyncio.Event | None = None
        """Created in the event loop, to which it belongs up to Python 3.9."""

    @property
    def left_usd(self) -> float:
        """The part that is neither spent nor reserved."""
        assert self.cap_usd is not None
        return self.cap_usd - self.settled_usd - sum(self._reserved.values())

    async def reserve(self, feature: str, closed: Callable[[], str]) -> str:
        """Reserve the estimate of a feature. Return "", or why it can't start.

        Waits as long as running features may still cost less than their reservations.
        """
        if self.cap_usd is None:
            return ""
        estimate = max(LEAST_USD, self.estimates[feature])
        while estimate > self.left_usd:
            if not self._reserved:
                left = dollars(max(0.0, self.left_usd))
                needed = dollars(estimate)
                return N_("{over}: needs about {needed}, only {left} of {budget} is left").format(
                    over=OVER, needed=needed, left=left, budget=dollars(self.cap_usd)
                )
            self._changed = self._changed or asyncio.Event()
            self._changed.clear()
            await first_of(self._changed, timeout_seconds=NAP_SECONDS)
            if closed():
                return closed()
        self._reserved[feature] = estimate
        return ""

    def is_spent(self, feature: str) -> bool:
        """Whether less than :data:`LEAST_USD` is left for a feature."""
        if self.cap_usd is None:
            return False
        return self._reserved.get(feature, 0.0) + self.left_usd < LEAST_USD

    def grant(self, feature: str, share: int, at_most_usd: float | None) -> float | None:
        """What the next attempt of a feature may cost; ``None`` without a limit.

        Its reservation plus 1/``share`` of the rest. All of it is reserved, so that the running
        features together never spend more than the cap.
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
        """Settle the cost of an attempt that ended."""
        reserved = self._reserved.get(feature, 0.0)
        spent = reserved if cost_usd is None else cost_usd
        self.settled_usd += spent
        if feature in self._reserved:
            self._reserved[feature] = max(0.0, reserved - spent)
        self._tell()

    def release(self, feature: str) -> None:
        """Free the rest of the reservation of a feature that ended."""
        self._reserved.pop(feature, None)
        self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set()
