"""`Cancellation` of a run or of one feature; `first_of` waits for the first of several events."""

from __future__ import annotations

import asyncio


class Cancellation(asyncio.Event):
    """Set once the whole run is cancelled; :meth:`of` is the cancellation of one feature."""

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, asyncio.Event] = {}

    def of(self, feature: str) -> asyncio.Event:
        """The cancellation of one feature, set with that of the run at the latest."""
        own = self._own.setdefault(feature, asyncio.Event())
        if self.is_set():
            own.set()
        return own

    def is_for(self, feature: str) -> bool:
        """Whether this feature is cancelled; thread-safe."""
        own = self._own.get(feature)
        return self.is_set() or (own is not None and own.is_set())

    def set(self) -> None:
        """Cancel the whole run."""
        super().set()
        for own in self._own.values():
            own.set()

    def forget(self, feature: str) -> None:
        """Revoke the cancellation of one feature."""
        self._own.pop(feature, None)


async def first_of(*events: asyncio.Event, timeout_seconds: float | None = None) -> bool:
    """Wait until one of ``events`` is set; whether one was before the timeout."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return any(event.is_set() for event in events)
