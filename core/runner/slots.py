"""Slots for running features, and the queue of features that prepare for one."""

from __future__ import annotations

import asyncio

from ..model.translate import N_
from ..process.cancellation import first_of

Place = tuple[float, int, int]
"""A feature's place in the queue. The lowest is first."""


class Slots:
    """The slots of one run. Each feature waits for one with a :class:`Turn`.

    As many features as there are slots prepare in advance, before a slot is free for them.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.closed = ""
        """Why no slot is given out any more, or ""."""
        self.full = asyncio.Event()
        """Set when another feature may have to prepare, for example if the last slot was taken."""
        self.open = count
        """How many slots are in use at most: fewer after a rate limit."""
        self.narrowed = 0
        """How often :attr:`open` was reduced."""
        self.paused = False
        """Whether the user paused the run. Running features continue."""
        self.only_known = False
        """Whether only features that had an attempt before get a slot, or begin one."""
        self._held = False
        self.moved = asyncio.Event()
        """Set when a pause begins or ends, and when the slots are closed."""
        self._coming: list[Turn] = []
        self._working: list[Turn] = []

    @property
    def free(self) -> int:
        """How many slots can be given out now."""
        return 0 if self._held or self.paused else max(0, self.open - len(self._working))

    def narrow(self, seen: int) -> None:
        """Halve the slots in use, down to one.

        ``seen`` is :attr:`narrowed` from before the attempt that met the rate limit. An attempt
        that began before the last reduction does not count.
        """
        if seen == self.narrowed:
            self.open = max(1, self.open // 2)
            self.narrowed += 1

    def widen(self) -> None:
        """Use one more slot again."""
        self.open = min(self.count, self.open + 1)
        self.serve()

    def hold(self, held: bool) -> None:
        """Give out no slot while held. Running features continue."""
        self._held = held
        self.serve()

    def hold_back(self, only_known: bool) -> None:
        """Let no first attempt begin while that is set. Other attempts and checks continue."""
        self.only_known = only_known
        self.serve()
        self._move()

    @property
    def _queue(self) -> list[Turn]:
        """The features that prepare or wait for a slot that they may get."""
        return [turn for turn in self._coming if not (self.only_known and turn.is_first)]

    def pause(self, paused: bool) -> None:
        """Start and prepare nothing while paused."""
        self.paused = paused
        self.serve()
        self._move()

    def _move(self) -> None:
        self.moved.set()
        self.full.set()

    def wants(self, place: Place) -> bool:
        """Whether a feature with this place should prepare.

        One prepares for each free slot or, if none is free, for each slot; and any that goes
        before one of them.
        """
        some, queue = self.free or self.count, self._queue
        return not (self.closed or self.paused) and (
            len(queue) < some or place < queue[some - 1].place
        )

    def turn(self, place: Place, *, is_first: bool = False) -> Turn:
        """The turn of a feature that is about to prepare, ``is_first`` for its first attempt."""
        turn = Turn(self, place, is_first)
        self._coming.append(turn)
        self._coming.sort(key=lambda turn: turn.place)
        return turn

    def close(self, reason: str) -> None:
        """Give out no more slots, and refuse those who wait. The first reason stays."""
        self.closed = self.closed or reason
        self.serve()
        self._move()

    def serve(self) -> None:
        """Give the free slots to features that are ready. If closed, refuse them all.

        A free slot is kept for a feature with a lower place that is still preparing: this takes
        much less time than the work of another one.
        """
        for turn in list(self._coming) if self.closed else self._queue[: self.free]:
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
        """Remove a turn from the queue or from its slot."""
        for place in (self._coming, self._working):
            if turn in place:
                place.remove(turn)
        self.serve()


class Turn:
    """A feature's wait for a slot, and its time in it."""

    def __init__(self, slots: Slots, place: Place, is_first: bool = False) -> None:
        self.slots = slots
        self.place = place
        self.is_first = is_first
        self.number = 0
        """The number of its slot, from 0: unique among running features."""
        self.ready = False
        self.called = asyncio.Event()
        self.held = False
        """Whether it has a slot, and waits with its next attempt for a review or a pause's end."""
        self._refused = ""

    @property
    def slot_count(self) -> int:
        """How many slots the run has."""
        return self.slots.count

    @property
    def closed(self) -> str:
        """Why no slot is given out any more, or ""."""
        return self.slots.closed

    @property
    def narrowed(self) -> int:
        """How often the slots in use were reduced."""
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
        """Why it gets no slot any more, or "" if it still can or has one."""
        return "" if self.works else self._refused or self.slots.closed

    async def begin(self) -> str:
        """Wait for a slot. Return "", or why there will be none."""
        if not self._refused:
            self.ready = True
            self.slots.serve()
            await self.called.wait()
        return self.refused

    async def until_resumed(self, stop: asyncio.Event) -> str:
        """Wait for the end of a pause and, before its first attempt, until nothing holds that back.

        Return "", or why nothing more is started.
        """
        slots = self.slots
        while self._is_held_back and not (slots.closed or stop.is_set()):
            self.held = True
            slots.full.set()
            slots.moved.clear()
            await first_of(slots.moved, stop)
        self.held = False
        if not self._is_held_back:
            return ""
        return N_("interrupted") if stop.is_set() else slots.closed

    @property
    def _is_held_back(self) -> bool:
        return self.slots.paused or (self.slots.only_known and self.is_first)

    def begin_attempt(self) -> None:
        """An attempt begins: from now on it is a feature that had one."""
        self.is_first = False

    def refuse(self, reason: str) -> None:
        """Refuse it a slot before it has one."""
        self._refused = reason
        self.called.set()
        self.slots.leave(self)

    def end(self) -> None:
        """Free its slot."""
        self.slots.leave(self)
