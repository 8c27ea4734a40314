"""The courier: a process of its own that sends the notifications of a run.

A dead endpoint can't slow a run that way, and the courier can still say that the run was killed.
Its standard input has pickled values of the run: :class:`Setup` first, then :class:`Notice` and
:class:`Last`, at the end :class:`End`. Standard output has the faults: the number of a receiver and
a text, one a line.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from ..model.feature import Receiver
from ..model.frozen import dataclass
from ..model.translate import _
from ..model.words import counted
from ..process.own_program import own_program
from .delivery import TIMEOUT_SECONDS, send
from .notice import Notice

TRIES = 3

WAITS_SECONDS = (1.0, 4.0)
"""Between two tries."""

END_SECONDS = 5.0
"""For what is left at the end of a run, which waits for it."""

LAST_SECONDS = 30.0
"""The same if the run was killed, so that nobody waits."""

WAITING = 100
"""How many notices may wait for one receiver; more are dropped."""


@dataclass(frozen=True)
class Setup:
    """The first value: the receivers by their number in the list."""

    receivers: Mapping[int, Receiver]
    folder: str
    """Where commands run."""


@dataclass(frozen=True)
class Last:
    """What to send if the run ends without :class:`End`, because it was killed."""

    notice: Notice


@dataclass(frozen=True)
class End:
    """The run is over: nothing more comes."""

    seconds: float = END_SECONDS
    """How long it waits for us."""


class Carrier:
    """Sends notices to one receiver, one at a time, in a thread."""

    def __init__(
        self,
        receiver: Receiver,
        number: int,
        folder: str,
        report: int,
        waits_seconds: Sequence[float] = WAITS_SECONDS,
    ) -> None:
        self.receiver = receiver
        self.number = number
        self.folder = folder
        self.report = report
        self.waits_seconds = waits_seconds
        self.deadline = float("inf")
        self.dropped = 0
        self._is_failing = False
        self._waiting: queue.Queue[Notice | None] = queue.Queue()
        self._ending = threading.Event()
        # A daemon: a server that sends a byte now and then must not keep us alive.
        self.thread = threading.Thread(target=self._carry_all, daemon=True)
        self.thread.start()

    def take(self, notice: Notice) -> None:
        """Send a notice soon, if it is about something that the receiver wants."""
        if not set(notice.occasions).intersection(self.receiver.on):
            return
        if self._waiting.qsize() >= WAITING:
            self.dropped += 1
        else:
            self._waiting.put(notice)

    def end(self, deadline: float) -> None:
        """No more notices come; those that wait have until ``deadline`` (monotonic)."""
        self.deadline = deadline
        self._waiting.put(None)
        self._ending.set()

    def _carry_all(self) -> None:
        for notice in iter(self._waiting.get, None):
            fault = self._carried(notice)
            if fault and not self._is_failing:
                tell(self.report, self.number, fault)
            self._is_failing = bool(fault)
        if self.dropped:
            fault = _("{notifications} too many at once, dropped").format(
                notifications=counted(self.dropped, "notification")
            )
            tell(self.report, self.number, fault)

    def _carried(self, notice: Notice) -> str:
        """Send a notice; the last fault if no try succeeded."""
        fault, number = "", 0
        tries = 1 if self._is_failing else TRIES
        while True:
            left = self.deadline - time.monotonic()
            if left <= 0:
                return fault or _("there was no time left at the end of the run")
            limit = min(TIMEOUT_SECONDS, left)
            done = send(self.receiver, notice, os.environ, self.folder, limit)
            fault = done.fault
            if not done.may_succeed or number + 1 == tries:
                return fault
            wait = max(self.waits_seconds[number], done.wait_seconds)
            # At the end there is no time to wait for long.
            if self._ending.wait(wait):
                time.sleep(min(wait, 0.2))
            number += 1


def tell(report: int, number: int, fault: str) -> None:
    """Tell the run, if it still listens, that a receiver has a fault."""
    with suppress(OSError):
        os.write(report, f"{number} {fault}\n".encode("utf-8", "replace"))


def main(given: int = 0, report: int = 1, waits_seconds: Sequence[float] = WAITS_SECONDS) -> None:
    """Send what comes through ``given``; tell ``report`` what could not be sent."""
    carriers: list[Carrier] = []
    last: Notice | None = None
    seconds = LAST_SECONDS
    for value in _values(given):
        if isinstance(value, Setup):
            carriers = [
                Carrier(receiver, number, value.folder, report, waits_seconds)
                for number, receiver in value.receivers.items()
            ]
        elif isinstance(value, Notice):
            _hand_over(carriers, value)
        elif isinstance(value, Last):
            last = value.notice
        else:
            assert isinstance(value, End)
            last, seconds = None, value.seconds
    if last is not None:
        _hand_over(carriers, last)
    deadline = time.monotonic() + seconds
    for carrier in carriers:
        carrier.end(deadline)
    for carrier in carriers:
        carrier.thread.join(max(0.0, deadline + 0.1 - time.monotonic()))
        if carrier.thread.is_alive():
            tell(report, carrier.number, _("no answer in time"))


def _hand_over(carriers: Sequence[Carrier], notice: Notice) -> None:
    for carrier in carriers:
        carrier.take(notice)


def _values(given: int) -> Iterator[object]:
    # A run that was killed while it wrote leaves half a value.
    with open(given, "rb", closefd=False) as file, suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(file)


def command() -> list[str]:
    """The command line that starts a courier with this interpreter."""
    return own_program(__name__)
