"""Who may work now: slots, and the features that get ready for one."""

from __future__ import annotations

import asyncio

from ..process.cancellation import first_of

Place = tuple[float, int, int]
"""A feature's place in the queue: the lowest works first."""


class Slots:
    """``count`` slots. Each feature has a :class:`Turn`, and waits in it until one is free.

    Features get ready before a slot is free for them: one for each slot.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.closed = ""
        """Why nobody gets a slot any more; empty while they do."""
        self.full = asyncio.Event()
        """Set when it is time to look who is to get ready: the last slot is taken, say."""
        self.open = count
        """How many are given out at once: fewer after answers that ask for patience."""
        self.narrowed = 0
        """How often they became fewer."""
        self.paused = False
        """Whether the user wants nothing new to start; who works goes on."""
        self._held = False
        self.moved = asyncio.Event()
        """Set when a pause begins or ends, or nothing is started any more."""
        self._coming: list[Turn] = []
        self._working: list[Turn] = []

    @property
    def free(self) -> int:
        """How many slots can be given out now."""
        return 0 if self._held or self.paused else max(0, self.open - len(self._working))

    def narrow(self, seen: int) -> None:
        """Give out half as many from now on, though one at least.

        ``seen`` is what :attr:`narrowed` was before the attempt that was asked for patience: one
        that began earlier than the last time tells nothing new.
        """
        if seen == self.narrowed:
            self.open = max(1, self.open // 2)
            self.narrowed += 1

    def widen(self) -> None:
        """Give out one more again."""
        self.open = min(self.count, self.open + 1)
        self.serve()

    def hold(self, held: bool) -> None:
        """Give out none while it is held; who works goes on."""
        self._held = held
        self.serve()

    def pause(self, paused: bool) -> None:
        """Start nothing new while the user wants that; neither is anything got ready."""
        self.paused = paused
        self.serve()
        self._move()

    def _move(self) -> None:
        self.moved.set()
        self.full.set()

    def wants(self, place: Place) -> bool:
        """Whether a feature of this place should get ready.

        One for each free slot; where there is none, one for each that will be free. And each
        that goes before one of those.
        """
        some = self.free or self.count
        return not (self.closed or self.paused) and (
            len(self._coming) < some or place < self._coming[some - 1].place
        )

    def turn(self, place: Place) -> Turn:
        """Of a feature that is about to get ready."""
        turn = Turn(self, place)
        self._coming.append(turn)
        self._coming.sort(key=lambda turn: turn.place)
        return turn

    def close(self, reason: str) -> None:
        """Give no slot to anybody from now on, and turn away who waits; the first reason stays."""
        self.closed = self.closed or reason
        self.serve()
        self._move()

    def serve(self) -> None:
        """Call those who are ready and for whom there is a slot, or for whom there will be none.

        A free slot is kept for one of a lower place that is not ready yet: getting ready takes
        a moment, work takes its time.
        """
        for turn in list(self._coming) if self.closed else self._coming[: self.free]:
            if not turn.ready:
                continue
            if not self.closed:
                turn.number = self._free_number()
                self._coming.remove(turn)
                self._working.append(turn)
            turn.called.set()
        if not self.free:
            self.full.set()

    def _free_number(self) -> int:
        taken = {turn.number for turn in self._working}
        return min(set(range(self.count)) - taken)

    def leave(self, turn: Turn) -> None:
        """Forget a turn, wherever it was."""
        for place in (self._coming, self._working):
            if turn in place:
                place.remove(turn)
        self.serve()


class Turn:
    """A feature's way to a slot, and its time in it."""

    def __init__(self, slots: Slots, place: Place) -> None:
        self.slots = slots
        self.place = place
        self.number = 0
        """Of the slot, from 0 on, once it was given one: unique among those that work now."""
        self.ready = False
        self.called = asyncio.Event()
        self.held = False
        """Whether it has a slot, and only the user's pause keeps it from its next attempt."""
        self._refused = ""

    @property
    def slot_count(self) -> int:
        """How many slots the run has."""
        return self.slots.count

    @property
    def closed(self) -> str:
        """Why no slot is given out any more; empty while they are."""
        return self.slots.closed

    @property
    def narrowed(self) -> int:
        """How often the open slots became fewer."""
        return self.slots.narrowed

    def narrow(self, seen: int) -> None:
        """As :meth:`Slots.narrow`, after an attempt of this feature."""
        self.slots.narrow(seen)

    def widen(self) -> None:
        """As :meth:`Slots.widen`."""
        self.slots.widen()

    @property
    def works(self) -> bool:
        """Whether it has a slot."""
        return self in self.slots._working

    @property
    def refused(self) -> str:
        """Why it gets no slot any more; empty while it may, and while it has one."""
        return "" if self.works else self._refused or self.slots.closed

    async def begin(self) -> str:
        """Wait for a slot. Empty, or why there will be none."""
        if not self._refused:
            self.ready = True
            self.slots.serve()
            await self.called.wait()
        return self.refused

    async def until_resumed(self, stop: asyncio.Event) -> str:
        """Wait while the user wants nothing new. Empty, or why there is nothing more to start."""
        slots = self.slots
        while slots.paused and not (slots.closed or stop.is_set()):
            self.held = True
            slots.full.set()
            slots.moved.clear()
            await first_of(slots.moved, stop)
        self.held = False
        if not slots.paused:
            return ""
        return "interrupted" if stop.is_set() else slots.closed

    def refuse(self, reason: str) -> None:
        """Turn it away, before it has a slot; nobody waits for it any more."""
        self._refused = reason
        self.called.set()
        self.slots.leave(self)

    def end(self) -> None:
        """Give the slot to the next one."""
        self.slots.leave(self)
