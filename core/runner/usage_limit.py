"""`UsageLimitGate`: all wait for the reset of a usage limit, one tries, the others follow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..model.translate import N_
from ..process.cancellation import first_of
from .slots import Slots

FIRST_GUESS_SECONDS = 60.0
LONGEST_GUESS_SECONDS = 3600.0
"""How long to wait if the reset is unknown; doubled each time."""

TOO_LATE = N_("the usage limit is reset later than --max-wait allows")
OUT_OF_TIME = N_("the usage limit is reset after the end of the run (--max-time)")

NAP_SECONDS = 30.0
"""How often to look at the clock. After a sleep of the machine, a wait is late by at most this."""


class UsageLimitGate:
    """The wait of one run for a usage limit.

    ``on_wait`` gets the end of the wait (seconds since 1970), and 0 when it is over.
    ``max_wait_seconds`` bounds each wait, from the first limit on; ``deadline``, by the monotonic
    clock, bounds all of them.
    """

    def __init__(
        self,
        slots: Slots,
        stop: asyncio.Event,
        clock: Callable[[], float],
        on_wait: Callable[[float], None],
        *,
        grace_seconds: float,
        max_wait_seconds: float,
        deadline: float = float("inf"),
    ) -> None:
        self.slots = slots
        self.stop = stop
        self.clock = clock
        self.on_wait = on_wait
        self.grace_seconds = grace_seconds
        self.max_wait_seconds = max_wait_seconds
        self.deadline = deadline
        self.until = 0.0
        """When the next attempt tries; 0 without a limit."""
        self._began = 0.0
        self._guesses = 0
        self._probing = False
        self._waiting = 0
        self._changed = asyncio.Event()

    async def wait(self, stop: asyncio.Event | None = None) -> str:
        """Wait until the limit is lifted, or until this caller may try. Return "", or a refusal.

        The first caller after the reset tries; :meth:`lift` releases the others. ``stop`` ends
        the wait of this caller; by default it is the stop of the run.
        """
        stop = stop or self.stop
        while self.until:
            left = self.until - self.clock()
            refused = self._refused(left)
            if refused:
                self.slots.close(refused)
                return refused
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
                return N_("interrupted")
        return ""

    def _leave(self) -> None:
        """A caller was stopped. If it was the last one, the gate must open."""
        if not (self._waiting or self._probing or self.stop.is_set()):
            self._probing = True
            self.lift()

    def lift(self) -> None:
        """An attempt got an answer: release those who wait."""
        if self._probing:
            self.until, self._guesses, self._probing = 0.0, 0, False
            self.slots.hold(False)
            self._changed.set()
            self.on_wait(0.0)

    def _refused(self, left: float) -> str:
        if self.until > self._began + self.max_wait_seconds:
            return TOO_LATE
        return OUT_OF_TIME if left > self.deadline - time.monotonic() else ""

    def begin(self, resets_at: float | None) -> None:
        """An attempt met the limit, whose reset (seconds since 1970) may be known.

        A reset in the past is ignored: the clocks differ, or the message was old.
        """
        now = self.clock()
        if not self.until:
            self._began = now
        self.slots.hold(True)
        self._probing = False
        if resets_at is None or resets_at <= now:
            resets_at = self._guess(now)
        until = resets_at + self.grace_seconds
        if until > self.until:
            self.until = until
            self.on_wait(until)
        self._changed.set()

    def hold(self, resets_at: float | None) -> bool:
        """Let no attempt start before a reset, because the window is nearly full.

        Features still get slots, so that one is there to try after the reset. Whether this is
        new: it is not if there is a wait already, or if the reset is over or unknown.
        """
        now = self.clock()
        if self.until or resets_at is None or resets_at <= now:
            return False
        self._began, self.until = now, resets_at + self.grace_seconds
        self.on_wait(self.until)
        return True

    def _guess(self, now: float) -> float:
        self._guesses += 1
        return now + min(FIRST_GUESS_SECONDS * 2.0 ** (self._guesses - 1), LONGEST_GUESS_SECONDS)

    async def _nap(self, seconds: float, stop: asyncio.Event) -> None:
        self._changed.clear()
        await first_of(self._changed, stop, timeout_seconds=seconds)
