"""Signals as a command gets them that is started at a terminal, however the tests were started."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_at_a_terminal() -> Iterator[None]:
    """Children started meanwhile ignore neither SIGINT, as a shell's ``&`` wants it, nor SIGHUP,
    as ``nohup`` does: children inherit what is ignored, but no handler."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def raising(error: type[BaseException]) -> Iterator[None]:
    """SIGTERM raises this exception."""

    def heard(*_: object) -> None:
        raise error

    before = signal.signal(signal.SIGTERM, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
