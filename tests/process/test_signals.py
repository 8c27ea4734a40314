"""Signals outside of an event loop; ``nohup`` stays respected."""

from __future__ import annotations

import os
import signal
import unittest

from core.process.signals import Heard, Signals


class OutsideOfALoop(unittest.TestCase):
    def test_each_raises_and_the_handlers_from_before_come_back(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.assertRaises(Heard) as heard, Signals():
                os.kill(os.getpid(), number)
            self.assertEqual(heard.exception.number, number)
        self.assertEqual(signal.getsignal(signal.SIGTERM), before)

    def test_they_can_be_ignored_and_an_ignored_hangup_stays_so(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        with Signals() as handlers:
            os.kill(os.getpid(), signal.SIGHUP)
            handlers.ignore()
            os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
