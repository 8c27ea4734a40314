"""How full the window of a usage limit is, as Claude's stream tells it."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import dataclass
from .json_values import Json, amount_of
from .translate import N_

NAMES = {
    "five_hour": N_("5-hour window"),
    "seven_day": N_("7-day window"),
    "seven_day_opus": N_("7-day window (Opus)"),
    "seven_day_sonnet": N_("7-day window (Sonnet)"),
}

FULLEST = 10.0
"""More than 1,000 % is not believed."""

STALE_SECONDS = 6 * 3600.0
"""A window whose reset is unknown is forgotten after this time."""


@dataclass(frozen=True)
class Window:
    """A window of a usage limit."""

    type: str
    utilization: float
    """1 is full."""
    resets_at: float | None = None
    """Seconds since 1970, if the stream told it."""
    seen_at: float = 0.0

    @property
    def percent(self) -> int:
        """The same, rounded down: 100 only if it is full."""
        return int(self.utilization * 100 + 1e-9)

    @property
    def name(self) -> str:
        """The window in words: ``5-hour window``."""
        return NAMES.get(
            self.type, N_("{type} window").format(type=self.type.replace("_", " ")).strip()
        )

    def __str__(self) -> str:
        return f"{self.name} {self.percent} %"

    def is_current(self, now: float) -> bool:
        """Whether it has not been reset since."""
        until = self.seen_at + STALE_SECONDS if self.resets_at is None else self.resets_at
        return now < until


def share_of(value: Json) -> float | None:
    """A share: up to 1 a fraction, above that per cent; ``None`` if it is neither."""
    amount = amount_of(value)
    if amount is None:
        return None
    share = amount if amount <= 1 else amount / 100
    return share if share <= FULLEST else None


def current(windows: Mapping[str, Window], now: float) -> list[Window]:
    """The windows that have not been reset, the fullest first."""
    found = [window for window in windows.values() if window.is_current(now)]
    return sorted(found, key=lambda window: -window.utilization)


def gauge(windows: Mapping[str, Window], now: float) -> str:
    """The fullest window in words; empty if none is known."""
    return next(map(str, current(windows, now)), "")
