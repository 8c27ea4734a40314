"""The gauge: each per cent is recorded once, and too full a window holds new attempts."""

from __future__ import annotations

import asyncio
import unittest

from core.model.events import Event
from core.model.window import Window
from core.process.cancellation import Cancellation
from core.runner.context import RunContext
from core.runner.gauge import Gauge
from core.runner.slots import Slots
from core.runner.usage_limit import UsageLimitGate


class GaugeTest(unittest.IsolatedAsyncioTestCase):
    def gauge(self, hold_at: float | None) -> Gauge:
        self.recorded: list[Event] = []
        stop = Cancellation()
        context = RunContext("r1", "", lambda: 50.0, self.recorded.append, stop)
        gate = UsageLimitGate(
            Slots(1),
            asyncio.Event(),
            lambda: 50.0,
            lambda until: None,
            grace_seconds=0.0,
            max_wait_seconds=1000.0,
        )
        return Gauge(context, gate, hold_at)

    async def test_each_per_cent_is_recorded_once(self) -> None:
        gauge = self.gauge(None)
        for share in (0.62, 0.625, 0.63, 0.63, 0.99):
            gauge.hear({"five_hour": Window("five_hour", share, 100.0)})
        self.assertEqual([event.data["utilization"] for event in self.recorded], [0.62, 0.63, 0.99])

    async def test_too_full_a_window_holds_new_attempts_and_says_so_once(self) -> None:
        gauge = self.gauge(0.9)
        for share in (0.9, 0.92, 0.95):
            gauge.hear({"five_hour": Window("five_hour", share, 100.0)})
        notes = [event.data["text"] for event in self.recorded if event.kind == "note"]
        expected = "5-hour window 92 % is above project.hold_at_utilization (90 %)"
        self.assertEqual(notes, [f"{expected}: nothing starts before its reset"])


if __name__ == "__main__":
    unittest.main()
