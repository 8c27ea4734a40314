"""What Ctrl-C, SIGTERM and SIGHUP do: in an event loop, and outside of one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen(heard: Callable[[signal.Signals], None]) -> None:
    """Have ``heard`` called in the running event loop when a signal arrives."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        if not _is_ignored(number, signal.getsignal(number)):
            loop.add_signal_handler(number, heard, number)


def _is_ignored(number: signal.Signals, handler: object) -> bool:
    """Whether a hangup stays ignored, as ``nohup`` wants it."""
    return number == signal.SIGHUP and handler == signal.SIG_IGN


class Heard(Exception):
    """A signal asked the program to end."""

    def __init__(self, number: int) -> None:
        self.number = number


class Signals:
    """Outside of an event loop, signals raise :class:`Heard`; a context manager."""

    def __enter__(self) -> Signals:
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self.heed()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def heed(self) -> None:
        """Listen; again after each event loop, whose end removes the handlers."""

        def heard(number: int, _: object) -> None:
            raise Heard(number)

        self._handle(heard)

    def ignore(self) -> None:
        """Ignore signals while everything is removed."""
        self._handle(signal.SIG_IGN)

    def _handle(self, handler: Callable[[int, object], None] | signal.Handlers) -> None:
        for number, before in self._before.items():
            if not _is_ignored(number, before):
                signal.signal(number, handler)
