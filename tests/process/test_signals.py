"""Signals in an event loop and outside of one; ``nohup`` is respected."""

from __future__ import annotations

import asyncio
import os
import signal
import unittest
from collections.abc import Iterator
from contextlib import contextmanager

from core.process.cancellation import Cancellation
from core.process.signals import SIGNALS, SignalReceived, Signals, StopSignals


class InALoop(unittest.TestCase):
    def setUp(self) -> None:
        self.calls: list[str] = []

    @contextmanager
    def stop_signals(self) -> Iterator[tuple[Cancellation, StopSignals]]:
        stop = Cancellation()
        made = StopSignals(
            stop,
            kill=lambda: self.calls.append("kill"),
            stopping=lambda: self.calls.append("stopping"),
        )
        try:
            yield stop, made
        finally:
            for number in SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)

    async def send(self, number: signal.Signals, calls: int) -> None:
        """Signal this process, and wait until so many calls were made."""
        os.kill(os.getpid(), number)
        while len(self.calls) < calls:
            await asyncio.sleep(0.001)

    def test_the_first_one_stops_and_the_second_one_kills(self) -> None:
        async def scene() -> None:
            with self.stop_signals() as (stop, signals):
                self.assertIsNone(signals.received)
                await self.send(signal.SIGTERM, 1)
                self.assertTrue(stop.is_set())
                await self.send(signal.SIGINT, 2)
                self.assertEqual(signals.received, signal.SIGTERM)

        asyncio.run(scene())
        self.assertEqual(self.calls, ["stopping", "kill"])

    def test_one_signal_kills_if_a_stop_came_before_it(self) -> None:
        async def scene() -> None:
            with self.stop_signals() as (stop, signals):
                stop.set()
                await self.send(signal.SIGINT, 1)
                self.assertEqual(signals.received, signal.SIGINT)

        asyncio.run(scene())
        self.assertEqual(self.calls, ["kill"])

    def test_a_late_one_is_ignored(self) -> None:
        async def scene() -> bool:
            with self.stop_signals() as (stop, signals):
                signals.ignore()
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(0.05)
                return stop.is_set() or signals.received is not None

        self.assertFalse(asyncio.run(scene()))
        self.assertEqual(self.calls, [])

    def test_a_hangup_that_was_ignored_at_the_start_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)

        async def scene() -> bool:
            with self.stop_signals() as (stop, _):
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.sleep(0.05)
                return stop.is_set()

        self.assertFalse(asyncio.run(scene()))


class OutsideOfALoop(unittest.TestCase):
    def test_each_raises_and_the_handlers_from_before_come_back(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.assertRaises(SignalReceived) as heard, Signals():
                os.kill(os.getpid(), number)
            self.assertEqual(heard.exception.number, number)
        self.assertEqual(signal.getsignal(signal.SIGTERM), before)

    def test_signals_can_be_ignored_and_an_ignored_hangup_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        with Signals() as handlers:
            os.kill(os.getpid(), signal.SIGHUP)
            handlers.ignore()
            os.kill(os.getpid(), signal.SIGTERM)

    def test_one_on_hold_is_ignored_or_waits_for_the_handlers_of_a_loop(self) -> None:
        async def heard() -> int | None:
            stop = Cancellation()
            signals = StopSignals(stop, kill=lambda: None)
            await asyncio.wait_for(stop.wait(), 10)
            return signals.received

        with Signals() as handlers:
            handlers.hold()
            os.kill(os.getpid(), signal.SIGTERM)
            handlers.ignore()
            handlers.install()
            handlers.hold()
            os.kill(os.getpid(), signal.SIGINT)
            self.assertEqual(asyncio.run(heard()), signal.SIGINT)


if __name__ == "__main__":
    unittest.main()
