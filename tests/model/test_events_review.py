"""The events of review and handover."""

from __future__ import annotations

import unittest

from core.model.events_review import BY_COMMANDS
from core.model.fold_review import CHANGES
from tests.support.every_event import EVERY


class EventsOfReviewTest(unittest.TestCase):
    def test_those_of_commands_have_a_feature_and_no_run(self) -> None:
        self.assertLess(BY_COMMANDS, set(CHANGES))
        for kind in BY_COMMANDS:
            self.assertEqual((EVERY[kind].feature, EVERY[kind].run), ("auth", ""), kind)
            self.assertEqual(EVERY[kind].data["list"], "config/feature_list.json")


if __name__ == "__main__":
    unittest.main()
