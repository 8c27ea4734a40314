"""System calls that fail when they are told to: the disk of a bad day."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock


def fails(*given: object) -> int:
    """The disk is broken."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def writes_half(file: int, content: bytes) -> int:
    """The disk is full in the middle."""
    return _write(file, content[: len(content) // 2])


_write = os.write


@contextmanager
def nth_call(name: str, nth: int, instead: Callable[..., object] = fails) -> Iterator[list[int]]:
    """The ``nth`` call of ``os.<name>`` is done by ``instead``; how many calls there were."""
    real = getattr(os, name)
    calls = [0]

    def call(*arguments: object, **options: object) -> object:
        calls[0] += 1
        return (instead if calls[0] == nth else real)(*arguments, **options)

    with mock.patch.object(os, name, call):
        yield calls
