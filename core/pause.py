"""Waits until a usage limit is lifted: everybody waits, then one tries, then the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .slots import Slots

FIRST_GUESS_SECONDS = 60.0
LONGEST_GUESS_SECONDS = 3600.0
"""How long is waited where nobody says when the limit is lifted; doubled each time."""

TOO_LATE = "the usage limit is lifted later than --max-wait allows"

NAP_SECONDS = 30.0
"""The clock is looked at so often: a machine that slept is late by that much at most."""


class Pause:
    """The pause of one run.

    ``told`` hears when everything stands still and until when (seconds since 1970), and, with
    0, when it goes on. ``max_wait_seconds`` bounds each wait, from the first limit on.
    """

    def __init__(
        self,
        slots: Slots,
        stop: asyncio.Event,
        clock: Callable[[], float],
        told: Callable[[float], None],
        *,
        grace_seconds: float,
        max_wait_seconds: float,
    ) -> None:
        self.slots = slots
        self.stop = stop
        self.clock = clock
        self.told = told
        self.grace_seconds = grace_seconds
        self.max_wait_seconds = max_wait_seconds
        self.until = 0.0
        """When the next one tries; 0 while nothing is paused."""
        self._began = 0.0
        self._guesses = 0
        self._probing = False
        self._waiting = 0
        self._changed = asyncio.Event()

    async def wait(self, resets_at: float | None, stop: asyncio.Event | None = None) -> str:
        """Wait until the limit is lifted, and it is one's turn. Empty, or why that is not to be.

        The first to come back tries; :meth:`lift` lets the others go on. ``stop`` is the wish
        that this one ends, else that all do.
        """
        stop = stop or self.stop
        self._close(resets_at)
        while self.until:
            if self.until > self._began + self.max_wait_seconds:
                self.slots.close(TOO_LATE)
                return TOO_LATE
            left = self.until - self.clock()
            if left <= 0 and not self._probing:
                self._probing = True
                return ""
            self._waiting += 1
            try:
                await self._nap(min(left, NAP_SECONDS) if left > 0 else NAP_SECONDS, stop)
            finally:
                self._waiting -= 1
            if stop.is_set():
                self._leave()
                return "interrupted"
        return ""

    def _leave(self) -> None:
        """One goes away before its time. The last one must not leave the door shut behind it."""
        if not (self._waiting or self._probing or self.stop.is_set()):
            self._probing = True
            self.lift()

    def lift(self) -> None:
        """Somebody got an answer: whoever waits for that goes on."""
        if self._probing:
            self.until, self._guesses, self._probing = 0.0, 0, False
            self.slots.hold(False)
            self._changed.set()
            self.told(0.0)

    def _close(self, resets_at: float | None) -> None:
        now = self.clock()
        if not self.until:
            self._began = now
            self.slots.hold(True)
        self._probing = False
        until = (resets_at or self._guess(now)) + self.grace_seconds
        if until > self.until:
            self.until = until
            self.told(until)
        self._changed.set()

    def _guess(self, now: float) -> float:
        self._guesses += 1
        return now + min(FIRST_GUESS_SECONDS * 2.0 ** (self._guesses - 1), LONGEST_GUESS_SECONDS)

    async def _nap(self, seconds: float, stop: asyncio.Event) -> None:
        self._changed.clear()
        waits = [asyncio.ensure_future(e.wait()) for e in (self._changed, stop)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
