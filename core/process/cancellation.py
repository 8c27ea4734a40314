"""The wish to end: of a whole run, or of one of its features."""

from __future__ import annotations

import asyncio


class Cancellation(asyncio.Event):
    """Set where everything is to end; :meth:`of` is set as well where one feature is."""

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, asyncio.Event] = {}

    def of(self, feature: str) -> asyncio.Event:
        """The wish that this feature ends."""
        own = self._own.setdefault(feature, asyncio.Event())
        if self.is_set():
            own.set()
        return own

    def is_for(self, feature: str) -> bool:
        """Whether this feature is to end; any thread may ask."""
        own = self._own.get(feature)
        return self.is_set() or (own is not None and own.is_set())

    def set(self) -> None:
        """Let everything end."""
        super().set()
        for own in self._own.values():
            own.set()

    def forget(self, feature: str) -> None:
        """The feature is to go on after all."""
        self._own.pop(feature, None)
