"""The content of the server: the page, its files, and what may be asked for."""

from __future__ import annotations

import unittest
from unittest import mock

from core.model.control_action import ControlAction
from core.model.errors import UserError
from core.model.mask import Mask
from core.views.web.feed import Feed
from core.views.web.listeners import Listener
from core.views.web.site import Site
from tests.support.boards import BoardTest, running
from tests.support.run_views import STORY, begun


class SiteTest(BoardTest):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[ControlAction, str]] = []
        feed = Feed(self.board, lambda: Mask({}), self.fail)
        self.feed = feed
        self.site = Site(feed, self.ask)

    def ask(self, action: ControlAction, feature: str) -> dict[str, object]:
        self.asked.append((action, feature))
        return {"done": True, "text": "done"}

    def refusal(self, action: str, feature: str = "") -> str:
        with self.assertRaises(UserError) as caught:
            self.site.carry_out(action, feature)
        return caught.exception.message

    def test_the_page_shows_the_journal_as_it_is_now(self) -> None:
        self.write(*STORY)
        self.assertIn("Shop", self.site.page("token").decode())
        self.assertNotIn("<script>", self.site.page("token").decode())

    def test_its_files_are_these_and_no_others(self) -> None:
        kinds = {}
        for path in ("/report.css", "/report.js", "/web.css", "/web.js", "/icon.svg"):
            kind, content = self.site.asset(path) or ("", b"")
            self.assertGreater(len(content), 100)
            kinds[path] = kind.partition(";")[0]
        self.assertEqual(
            kinds,
            {
                "/report.css": "text/css",
                "/report.js": "text/javascript",
                "/web.css": "text/css",
                "/web.js": "text/javascript",
                "/icon.svg": "image/svg+xml",
            },
        )
        for path in ("/", "/site.py", "/../site.py", "", "/web.css/.."):
            self.assertIsNone(self.site.asset(path))

    def test_a_browser_without_the_cookie_learns_what_to_do(self) -> None:
        self.assertIn("rorchestrator web", self.site.closed().decode())

    def test_pages_listen(self) -> None:
        self.assertFalse(self.site.is_full())
        listener = mock.Mock(spec=Listener)
        self.site.connect(listener)
        with mock.patch("core.views.web.feed.MOST_LISTENERS", 1):
            self.assertTrue(self.site.is_full())

    def test_the_run_in_progress_is_asked(self) -> None:
        self.write(begun(["auth", "api"]), *running("auth"))
        self.runs()
        for action, feature in (("pause", ""), ("stop", ""), ("retry", "auth"), ("skip", "api")):
            self.assertTrue(self.site.carry_out(action, feature)["done"])
        self.assertEqual(
            self.asked[2:], [(ControlAction.RETRY, "auth"), (ControlAction.SKIP, "api")]
        )

    def test_other_requests_and_features_are_refused(self) -> None:
        self.write(begun(["auth"]), *running("auth"))
        self.runs()
        for action, feature in (("attach", "auth"), ("pause", "auth"), ("skip", ""), ("run", "")):
            self.assertEqual(self.refusal(action, feature), "there is no such request")
        for feature in ("nothing", "../auth", "-head", "\x00"):
            self.assertEqual(self.refusal("stop", feature), "the run has no such feature")
        self.assertEqual(self.asked, [])

    def test_without_a_run_nothing_is_asked(self) -> None:
        self.assertEqual(self.refusal("stop"), "no run is in progress")
        self.write(*STORY)
        self.assertEqual(self.refusal("retry", "api"), "no run is in progress")
        self.assertEqual(self.asked, [])


if __name__ == "__main__":
    unittest.main()
