"""How full a window is, in words and as a share."""

from __future__ import annotations

import unittest

from core.model.window import STALE_SECONDS, Window, current, gauge, share_of


class Windows(unittest.TestCase):
    def test_a_window_is_told_in_per_cent(self) -> None:
        cases = {
            ("five_hour", 0.62): "5-hour window 62 %",
            ("seven_day_opus", 0.999): "7-day window (Opus) 99 %",
            ("seven_day", 1.0): "7-day window 100 %",
            ("next_year", 0.29): "next year window 29 %",
            ("", 0.5): "window 50 %",
        }
        for (type, share), words in cases.items():
            self.assertEqual(str(Window(type, share)), words)

    def test_a_value_up_to_one_is_a_fraction(self) -> None:
        cases = {0: 0.0, 0.62: 0.62, 1: 1.0, 62: 0.62, 1000: 10.0, 2000: None, -1: None, "x": None}
        for given, share in cases.items():
            self.assertEqual(share_of(given), share, given)

    def test_the_fullest_that_was_not_reset_is_shown(self) -> None:
        windows = {
            "a": Window("five_hour", 0.9, 100.0),
            "b": Window("seven_day", 0.5, None, 50.0),
            "c": Window("seven_day_opus", 0.7, 200.0),
        }
        self.assertEqual(gauge(windows, 60.0), "5-hour window 90 %")
        self.assertEqual([w.utilization for w in current(windows, 150.0)], [0.7, 0.5])
        self.assertEqual(gauge(windows, 200.0 + STALE_SECONDS), "")


if __name__ == "__main__":
    unittest.main()
