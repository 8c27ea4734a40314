"""Ctrl-C, SIGTERM and SIGHUP: the first one stops, the second one kills, a late one is ignored."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from .cancellation import Cancellation

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """The signals of one run or one merge, in the running event loop.

    A signal sets ``stop`` and calls ``stopping``; where ``stop`` is set already, it calls ``kill``.
    """

    def __init__(
        self,
        stop: Cancellation,
        kill: Callable[[], object],
        stopping: Callable[[], object] = lambda: None,
    ) -> None:
        self.received: signal.Signals | None = None
        """The first signal; None if there was none."""
        self._stop = stop
        self._kill = kill
        self._stopping = stopping
        self._is_too_late = False
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            if not _is_ignored(number, signal.getsignal(number)):
                loop.add_signal_handler(number, self._on_signal, number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # They may be on hold.

    def ignore(self) -> None:
        """Ignore all further signals: there is nothing left to stop."""
        self._is_too_late = True

    def _on_signal(self, number: signal.Signals) -> None:
        if self._is_too_late:
            return
        self.received = self.received or number
        if self._stop.is_set():
            self._kill()
        else:
            self._stop.set()
            self._stopping()


def _is_ignored(number: signal.Signals, handler: object) -> bool:
    """Whether SIGHUP was ignored at the start, as under ``nohup``."""
    return number == signal.SIGHUP and handler == signal.SIG_IGN


class SignalReceived(Exception):
    """A signal asked the program to end."""

    def __init__(self, number: int) -> None:
        self.number = number


class Signals:
    """Within this context, signals raise :class:`SignalReceived`; for use without an event loop."""

    def __enter__(self) -> Signals:
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def install(self) -> None:
        """Install the handlers; again after each event loop, whose end removes them."""

        def heard(number: int, _: object) -> None:
            raise SignalReceived(number)

        self._handle(heard)

    def hold(self) -> None:
        """Let signals wait for :meth:`ignore`, or for the handlers of an event loop.

        One that raises while a loop is made would leave half a loop, and one that comes after its
        end has removed its handlers would kill the process.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def ignore(self) -> None:
        """Ignore signals during cleanup, also those on hold."""
        self._handle(signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _handle(self, handler: Callable[[int, object], None] | signal.Handlers) -> None:
        for number, before in self._before.items():
            if not _is_ignored(number, before):
                signal.signal(number, handler)
