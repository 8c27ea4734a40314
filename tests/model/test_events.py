"""Events: each kind has a constructor, and a time that JSON can hold."""

from __future__ import annotations

import unittest

from core.model import events
from tests.support.every_event import AT, EVERY


class Kinds(unittest.TestCase):
    def test_an_attempt_of_a_resolution_is_a_kind_of_its_own(self) -> None:
        found = events.of_resolution(EVERY["attempt_ended"])
        self.assertEqual(
            (found.kind, found.data), ("resolution_ended", EVERY["attempt_ended"].data)
        )

    def test_a_time_is_iso_8601_in_utc_with_milliseconds(self) -> None:
        self.assertEqual(events.timestamp(AT), "2023-11-14T22:13:20.125+00:00")


if __name__ == "__main__":
    unittest.main()
