"""The timeline of a run as a picture."""

from __future__ import annotations

import unittest

from core.model import events, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.views.svg_timeline import ROW, Scale, concurrency_svg, in_order, timeline_svg
from tests.support.html_pages import Page, page_of
from tests.support.run_views import COMPLETED, DONE, STORY, begun, feature_story, view_of
from tests.support.story import AT, RUN


def drawn(view_story: list[events.Event]) -> Page:
    view = view_of(view_story)
    return page_of(timeline_svg(view, in_order(view)))


class Timeline(unittest.TestCase):
    def test_features_are_rows_in_the_order_in_which_they_began(self) -> None:
        self.assertEqual([each.id for each in in_order(view_of(STORY))], ["auth", "docs", "api"])

    def test_each_attempt_is_a_bar_where_and_as_long_as_it_was(self) -> None:
        page = drawn(STORY)
        first, *_ = page.all("rect", "claude")
        # 3 s to 13 s of 40 s, in the first row.
        self.assertEqual((first["x"], first["width"]), ("7.500%", "25.000%"))
        self.assertEqual(first["y"], f"{(ROW - 12) / 2:g}")
        self.assertIn("auth: attempt 1, 10s", page.text)
        self.assertIn("api: attempt 1 (timed out), 10s", page.text)
        self.assertEqual(len(page.all("rect", "lost")), 1)
        self.assertIn("auth: setup, 1.0s", page.text)

    def test_waits_pauses_and_limits_are_drawn(self) -> None:
        page = drawn(STORY)
        [limit], [pause] = page.all("rect", "limit"), page.all("rect", "pause")
        self.assertEqual((limit["x"], limit["width"]), ("20.000%", "10.000%"))
        self.assertEqual((pause["x"], pause["width"]), ("32.500%", "2.500%"))
        self.assertIn("usage limit: 4.0s", page.text)
        self.assertIn("auth: worktree, or waiting for a slot, 1.0s", page.text)
        self.assertEqual(len(page.all("rect", "between")), 4)

    def test_after_a_check_that_is_sent_back_its_feature_is_between_two_attempts(self) -> None:
        broken = CheckVerdict("npm test", Scope.PROJECT, Verdict.BROKEN)
        sent_back = events_review.judged(AT + 38, RUN, "api", verdict=broken)
        story = [*STORY[:-3], sent_back, *STORY[-3:]]
        self.assertEqual(len(drawn(story).all("rect", "between")), 5)

    def test_the_critical_path_is_marked(self) -> None:
        self.assertEqual(len(drawn(STORY).all("rect", "path")), 2)

    def test_a_feature_without_a_slot_has_only_its_wait(self) -> None:
        story = [begun(["a", "b"]), *feature_story("a", AT, DONE, end=COMPLETED)]
        story += feature_story("b", AT, end=COMPLETED)[:2]
        view = view_of(story)
        self.assertEqual([each.id for each in in_order(view)], ["a", "b"])
        self.assertEqual(
            len(page_of(timeline_svg(view, in_order(view))).all("rect", "worktree")), 2
        )

    def test_the_axis_counts_from_the_start_in_round_numbers(self) -> None:
        for seconds, expected in (
            (40, ["0", "10s", "20s", "30s", "40s"]),
            (3, ["0", "1s", "2s", "3s"]),
            (1800, ["0", "5m", "10m", "15m", "20m", "25m", "30m"]),
            (7200, ["0", "30m", "1h", "1h30m", "2h"]),
        ):
            page = drawn([begun(["a"]), events.run_ended(AT + seconds, RUN, exit_code=0)])
            self.assertEqual(page.text.split(), expected)
        self.assertEqual(list(Scale(AT, 0.0).ticks()), [AT])
        self.assertEqual(Scale(AT, 0.0).at(AT), 0.0)
        self.assertEqual(len(list(Scale(AT, 6_000_000.0).ticks())), 7)

    def test_the_slots_in_use_are_below_a_line_at_their_number(self) -> None:
        page = page_of(concurrency_svg(view_of(STORY)))
        self.assertEqual([len(page.all("rect", "busy")), len(page.all("line", "slots"))], [3, 1])
        self.assertIn("2 at once, 4.0s", page.text)
        self.assertEqual(page_of(concurrency_svg(view_of([begun([])]))).all("rect"), [])
