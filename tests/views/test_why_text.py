"""Why a feature is not running, as lines."""

from __future__ import annotations

import unittest

from core.project.changed_inputs import ChangedInput
from core.reporter.style import columns
from core.views.why import Cause, Standing, Why
from core.views.why_text import why_lines, why_table
from tests.support.story import ASCII, COLOUR, HOSTILE, PLAIN, is_safe

CHANGED = Why(
    "api",
    Standing.DUE,
    Cause.CHANGED,
    "runs again: prompt changed\nand more",
    changed=(ChangedInput("prompt", (), ("@@ -1 +1 @@", "-old", "+new", " same")),),
    commands=("rorchestrator run --only api",),
)
DONE = Why("auth", Standing.UP_TO_DATE, Cause.NONE, "is up to date")


class Lines(unittest.TestCase):
    def test_a_feature_shows_its_reason_the_difference_and_the_commands(self) -> None:
        self.assertEqual(
            list(why_lines(CHANGED, PLAIN)),
            [
                "api runs again: prompt changed",
                "    and more",
                "    @@ -1 +1 @@",
                "    -old",
                "    +new",
                "     same",
                "  → rorchestrator run --only api",
            ],
        )
        self.assertEqual(list(why_lines(CHANGED, ASCII))[-1], "  -> rorchestrator run --only api")
        self.assertIn("    \x1b[32m+new\x1b[0m", list(why_lines(CHANGED, COLOUR)))

    def test_the_list_of_all_has_one_line_for_each_that_is_not_up_to_date_and_its_command(
        self,
    ) -> None:
        long = Why("a-very-long-id-that-takes-much-room", Standing.DUE, Cause.NEW, "word " * 40)
        lines = list(why_table([CHANGED, DONE, long], PLAIN))
        self.assertEqual(len(lines), 4)
        self.assertTrue(all(columns(line) <= PLAIN.width for line in lines), lines)
        self.assertTrue(lines[0].startswith("api   "))
        self.assertEqual(lines[1], "  → rorchestrator run --only api")
        self.assertEqual(lines[3], "1 feature up to date")
        self.assertEqual(list(why_table([DONE, DONE], PLAIN)), ["2 features up to date"])

    def test_features_with_the_same_command_share_its_line(self) -> None:
        waits = [
            Why(id, Standing.WAITING, Cause.PAUSE, "waits", commands=("rorchestrator resume",))
            for id in ("a", "b")
        ]
        expected = ["a  waits", "b  waits", "  -> rorchestrator resume"]
        self.assertEqual(list(why_table(waits, ASCII)), expected)

    def test_hostile_text_does_not_reach_the_terminal(self) -> None:
        changed = (ChangedInput("prompt", (), (f"+{HOSTILE}",)),)
        hostile = Why(
            HOSTILE, Standing.DUE, Cause.NEW, HOSTILE, changed=changed, commands=(HOSTILE,)
        )
        for line in (*why_lines(hostile, PLAIN), *why_table([hostile], PLAIN)):
            self.assertTrue(is_safe(line), line)
        empty = Why("a", Standing.DUE, Cause.NEW, "")
        self.assertEqual(list(why_lines(empty, PLAIN)), ["a "])
