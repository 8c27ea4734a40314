"""`Notifier`: the view that sends notifications about a run. It hands them to a courier."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ..model.events import Event
from ..model.feature import Receiver
from ..model.state import RunState
from ..model.translate import _
from ..process.background import start_in_background
from ..process.environment import without_git
from ..reporter.documents import RunReport
from .courier import End, Last, Setup, command
from .delivery import receiver_fault
from .notice import Notices
from .view import View

PATIENCE_SECONDS = 7.0
"""How long a run waits for its courier at its end: somewhat longer than the courier takes."""

SAID_AFTER_SECONDS = 1.0
"""A longer wait is said."""


class Notifier(View):
    """Sends notifications. ``say`` gets a line about each receiver that can't be reached."""

    def __init__(
        self,
        receivers: Sequence[Receiver],
        notices: Notices,
        say: Callable[[str], None],
        folder: str,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._receivers = receivers
        self._notices = notices
        self._say = say
        self._folder = folder
        """Where commands run."""
        self._environ = environ
        self._given = -1
        self._report = -1
        self._group = 0
        self._heard = b""

    def at_start(self) -> None:
        """Start the courier, before the run has children: it must outlive them."""
        able: dict[int, Receiver] = {}
        for number, receiver in enumerate(self._receivers):
            fault = receiver_fault(receiver, self._environ)
            if fault:
                self._complain(number, fault)
            else:
                able[number] = receiver
        if not able:
            return
        reading, self._given = os.pipe()
        self._report, writing = os.pipe()
        try:
            self._group = start_in_background(
                command(), without_git(self._environ), stdin=reading, stdout=writing
            )
        finally:
            os.close(reading)
            os.close(writing)
        os.set_blocking(self._given, False)
        os.set_blocking(self._report, False)
        self._send(Setup(able, self._folder))

    def on_event(self, state: RunState, event: Event) -> None:
        """Send the notices of an event."""
        for notice in self._notices.of(state, event):
            self._send(notice)
        if event.kind == "run_started":
            self._send(Last(self._notices.killed(state)))
        self._hear()

    def on_tick(self) -> None:
        """Say which receivers can't be reached."""
        self._hear()

    def at_end(self, report: RunReport) -> None:
        """Send the notice of the end, and wait for the courier."""
        if self._given < 0:
            return
        self._send(self._notices.at_end(report))
        self._send(End())
        self._close_given()
        begun, has_said = time.monotonic(), False
        while self._report >= 0 and time.monotonic() - begun < PATIENCE_SECONDS:
            if select.select([self._report], [], [], 0.1)[0]:
                self._hear()
            elif not has_said and time.monotonic() - begun > SAID_AFTER_SECONDS:
                has_said = True
                self._say(_("Delivering the last notifications ..."))
        if self._report >= 0:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
            self._close_report()

    def _send(self, value: object) -> None:
        """Send a value to the courier. One that is stuck or gone gets nothing more."""
        if self._given < 0:
            return
        content = pickle.dumps(value)
        try:
            whole = os.write(self._given, content) == len(content)
        except OSError:
            whole = False
        if not whole:
            self._close_given()
            self._say(_("Notifications are off: their process does not answer"))

    def _hear(self) -> None:
        """Say what the courier could not send."""
        if self._report < 0:
            return
        try:
            chunk = os.read(self._report, 65536)
        except BlockingIOError:
            return
        if not chunk:
            self._close_report()
        *lines, self._heard = (self._heard + chunk).split(b"\n")
        for line in lines:
            number, _, fault = line.decode().partition(" ")
            self._complain(int(number), fault)

    def _complain(self, number: int, fault: str) -> None:
        type = self._receivers[number].type.value
        self._say(
            _(
                "Notifications to notify[{number}] ({type}) fail: {fault}. The run continues."
            ).format(number=number, type=type, fault=fault)
        )

    def _close_given(self) -> None:
        os.close(self._given)
        self._given = -1

    def _close_report(self) -> None:
        os.close(self._report)
        self._report = -1
