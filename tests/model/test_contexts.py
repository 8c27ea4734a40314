"""Context managers behave as those of ``contextlib``, in all that the program uses."""

from __future__ import annotations

import contextlib
import traceback
import unittest
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from core.model import contexts

Manager = Callable[[list[str]], AbstractContextManager[int]]


def lasting(told: list[str]) -> Iterator[int]:
    told.append("before")
    try:
        yield 7
    finally:
        told.append("after")


def swallowing(told: list[str]) -> Iterator[int]:
    try:
        yield 7
    except LookupError:
        told.append("swallowed")


def replacing(told: list[str]) -> Iterator[int]:
    try:
        yield 7
    except LookupError as error:
        raise OSError("instead") from error


def lengthy(told: list[str]) -> Iterator[int]:
    with contextlib.suppress(LookupError):
        yield 7
    yield 8


STEPS = (lasting, swallowing, replacing, lengthy)
ERRORS = (None, KeyError, ValueError, KeyboardInterrupt)


def outcome(manager: Manager, kind: type[BaseException] | None) -> tuple[list[str], str, bool]:
    """What a block with an exception tells, how it ends, and whether by that exception itself."""
    told: list[str] = []
    error = kind() if kind else None
    try:
        with manager(told) as given:
            told.append(str(given))
            if error is not None:
                raise error
    except BaseException as raised:
        return told, type(raised).__name__, raised is error
    return told, "", False


class Managers(unittest.TestCase):
    def test_blocks_end_as_those_of_contextlib(self) -> None:
        for steps in STEPS:
            for kind in ERRORS:
                with self.subTest(steps=steps.__name__, kind=kind):
                    ours = contexts.contextmanager(steps)
                    theirs = contextlib.contextmanager(steps)
                    self.assertEqual(outcome(ours, kind), outcome(theirs, kind))

    def test_a_traceback_has_only_the_lines_of_the_block(self) -> None:
        try:
            with contexts.contextmanager(lasting)([]):
                raise ValueError
        except ValueError as error:
            files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        self.assertEqual(files, [__file__])

    def test_values_and_names_reach_the_generator(self) -> None:
        def added(one: int, *, more: int) -> Iterator[int]:
            yield one + more

        with contexts.contextmanager(added)(1, more=2) as found:
            self.assertEqual(found, 3)


class Suppression(unittest.TestCase):
    def test_the_named_exceptions_end_a_block_silently(self) -> None:
        for kinds in ((OSError,), (LookupError, ValueError), ()):
            for kind in ERRORS:
                with self.subTest(kinds=kinds, kind=kind):
                    ours = outcome(lambda told, kinds=kinds: contexts.suppress(*kinds), kind)
                    theirs = outcome(lambda told, kinds=kinds: contextlib.suppress(*kinds), kind)
                    self.assertEqual(ours, theirs)


if __name__ == "__main__":
    unittest.main()
