"""The line a minute of a run without a terminal."""

from __future__ import annotations

import os
import time
import unittest
import unittest.mock
from collections.abc import Mapping

from core.model import events
from core.model.fold import fold
from core.model.state import RunState
from core.reporter.style import Style
from core.views.activity import Activity
from core.views.heartbeat import SECONDS, Heartbeat, heartbeat
from tests.support.live_runs import MOMENTS, NOW, START, begun, busy


class HeartbeatTest(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(time.tzset)
        zone = unittest.mock.patch.dict(os.environ, TZ="UTC")
        zone.start()
        self.addCleanup(zone.stop)
        time.tzset()
        self.now = NOW
        self.reads = 0

    def read(self, state: RunState) -> Mapping[str, Activity]:
        self.reads += 1
        return busy()[1].activities

    def view(self, said: list[str]) -> Heartbeat:
        return Heartbeat(said.append, Style(), self.read, lambda: self.now, 10.0)

    def test_it_tells_what_is_done_what_runs_and_what_it_cost(self) -> None:
        state, facts = busy()
        self.assertEqual(
            heartbeat(state, NOW, Style(), facts.activities, 10.0),
            "[2023-11-14 22:25:25] 1/6 done · 12m05s · ~$13.26 of $10.00"
            " · api: claude 6m55s, Edit src/api/routes.py"
            " · search: claude 6m35s, $ npm run test -- --watch=false --coverage --reporter=verbo…"
            " (no output for 3m10s) · billing-and-invoices: setup 2m10s",
        )

    def test_it_says_why_nothing_runs(self) -> None:
        for name, expected in (
            ("first", "[2023-11-14 22:25:25] 0/2 done | 12m05s | $0.00"),
            ("paused", "0/2 done | 12m05s | ~$0.00 | paused | auth: claude 11m05s, thinks"),
            ("unread", "| waits for your review of 3 features | auth: claude 11m05s, thinks"),
            ("waiting", "2/5 done | 12m05s | ~$1.04 | usage limit until 2023-11-14 23:32 | "),
            (
                "late",
                "| api: inspection 2.0s | web: commit 12s | docs: checks 1m15s | app: waiting",
            ),
            (
                "crowded",
                " | feature-07: claude 11m48s, Read file7.py (no output for 11m48s) | +4 more",
            ),
        ):
            state, facts = MOMENTS[name]()
            line = heartbeat(state, NOW, Style(unicode=False), facts.activities)
            with self.subTest(name):
                self.assertIn(expected, line)

    def test_it_comes_once_a_minute_while_the_run_goes_on(self) -> None:
        said: list[str] = []
        view = self.view(said)
        view.on_tick()
        self.now += SECONDS
        view.on_tick()
        self.assertEqual(said, [])  # nothing has begun
        view.on_event(busy()[0], begun([]))
        for seconds, lines in ((SECONDS - 1, 0), (1, 1), (1, 1), (SECONDS - 1, 2), (600, 3)):
            self.now += seconds
            view.on_tick()
            self.assertEqual(len(said), lines)
        self.assertEqual(self.reads, 3)  # the logs are read for a line only
        ended = events.run_ended(NOW, "r1", exit_code=0)
        view.on_event(fold([begun([]), ended]), ended)
        self.now += SECONDS
        view.on_tick()
        self.assertEqual(len(said), 3)
        self.assertTrue(START < NOW < self.now)


if __name__ == "__main__":
    unittest.main()
