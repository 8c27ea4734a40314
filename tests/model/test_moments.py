"""Times for people are local and have their date."""

from __future__ import annotations

import unittest
from datetime import datetime

from core.model.moments import clock, minute, minute_of, moment

AT = datetime(2026, 1, 2, 14, 30, 15).timestamp()


class Moments(unittest.TestCase):
    def test_a_moment_has_its_date(self) -> None:
        self.assertEqual(moment(AT), "2026-01-02 14:30:15")
        self.assertEqual(minute(AT), "2026-01-02 14:30")

    def test_a_clock_has_its_date_only_on_another_day(self) -> None:
        self.assertEqual(clock(AT, AT - 3600), "14:30:15")
        self.assertEqual(clock(AT, AT - 86400), "2026-01-02 14:30:15")

    def test_a_recorded_time_is_shown_in_the_local_zone_and_anything_else_as_it_is(self) -> None:
        local = datetime.fromtimestamp(AT).astimezone().isoformat()
        self.assertEqual(minute_of(local), "2026-01-02 14:30")
        self.assertEqual(minute_of("just now"), "just now")
