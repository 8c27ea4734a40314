"""`core.claude.reset_time`: the reset in usage limit messages of many versions."""

from __future__ import annotations

import os
import time
import unittest
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from core.claude import reset_time

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc).timestamp()
"""Noon in London, eight in the morning in New York, which is on summer time already."""


def _utc(*when: int) -> float:
    return datetime(*when, tzinfo=timezone.utc).timestamp()  # type: ignore[arg-type, misc]


class Texts(unittest.TestCase):
    def setUp(self) -> None:
        self._zone = os.environ.get("TZ")
        os.environ["TZ"] = "UTC"
        time.tzset()

    def tearDown(self) -> None:
        os.environ.pop("TZ")
        if self._zone is not None:
            os.environ["TZ"] = self._zone
        time.tzset()

    def test_each_of_the_known_texts_is_understood(self) -> None:
        cases = {
            "Claude AI usage limit reached|1773144000": 1773144000.0,
            "Claude AI usage limit reached|1773144000123": 1773144000.0,
            "5-hour limit reached ∙ resets 2pm": _utc(2026, 3, 10, 14),
            "5-hour limit reached ∙ resets 11:30am": _utc(2026, 3, 10, 11, 30),
            "5-hour limit reached ∙ resets 11am": _utc(2026, 3, 11, 11),
            "5-hour limit reached ∙ resets 2am": _utc(2026, 3, 11, 2),
            "5-hour limit reached · resets 12am": _utc(2026, 3, 11),
            "limit reached · resets 12:30pm": _utc(2026, 3, 10, 12, 30),
            "You've hit your limit · resets 1:30am (Europe/Berlin)": _utc(2026, 3, 11, 0, 30),
            "You've hit your limit · resets 9am (America/New_York)": _utc(2026, 3, 10, 13),
            "You've hit your limit · resets 3pm (UTC)": _utc(2026, 3, 10, 15),
            "You've reached your weekly limit · resets Mar 12, 10am": _utc(2026, 3, 12, 10),
            "weekly limit · resets Mar 12 at 10am (Europe/London)": _utc(2026, 3, 12, 10),
            "weekly limit · resets Jan 2, 10am": _utc(2027, 1, 2, 10),
            "limit reached, resets at 14:05": _utc(2026, 3, 10, 14, 5),
            "limit · resets 3pm (Nowhere/Land)": _utc(2026, 3, 10, 15),
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(reset_time.resets_at(text, NOW), expected)

    def test_a_text_without_a_time_says_nothing(self) -> None:
        for text in (
            "",
            "You've hit your limit",
            "limit reached · resets soon",
            "limit · resets 25:00",
            "limit · resets Feb 30, 10am",
            "resets 5",
        ):
            with self.subTest(text):
                self.assertIsNone(reset_time.resets_at(text, NOW))

    def test_the_clock_change_of_the_zone_is_kept(self) -> None:
        berlin = ZoneInfo("Europe/Berlin")
        evening = datetime(2026, 3, 28, 23, 0, tzinfo=berlin).timestamp()
        found = reset_time.resets_at("limit · resets 4am (Europe/Berlin)", evening)
        self.assertEqual(found, _utc(2026, 3, 29, 2))
        autumn = datetime(2026, 10, 24, 23, 0, tzinfo=berlin).timestamp()
        found = reset_time.resets_at("limit · resets 4am (Europe/Berlin)", autumn)
        self.assertEqual(found, _utc(2026, 10, 25, 3))


if __name__ == "__main__":
    unittest.main()
