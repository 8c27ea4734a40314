"""One thread tells all pages that listen; it sleeps while nobody does."""

from __future__ import annotations

import os
import socket
import threading
import time
import unittest
from typing import Any
from unittest import mock

from core.model import events
from core.model.mask import Mask
from core.model.outcome import FeatureOutcome, Status
from core.views.web import feed as feed_module
from core.views.web.feed import BEAT_SECONDS, LOOK_SECONDS, Feed
from core.views.web.listeners import BEAT, Listener
from tests.support.boards import BoardTest, again, running, says, told
from tests.support.commands import wait_until
from tests.support.run_views import COMPLETED, LATE, RUN, begun
from tests.support.story import AT


class Page:
    """A page that listens: our end of its connection."""

    def __init__(self, test: unittest.TestCase, feed: Feed, **asked: Any) -> None:
        theirs, self.ours = socket.socketpair()
        test.addCleanup(self.ours.close)
        self.ours.settimeout(20)
        self.listener = Listener(theirs, **asked)
        test.addCleanup(self.listener.close)
        feed.connect(self.listener)

    def raw(self) -> bytes:
        self.ours.setblocking(False)
        found = b""
        try:
            while True:
                chunk = self.ours.recv(1 << 20)
                if not chunk:
                    return found
                found += chunk
        except BlockingIOError:
            return found

    def read(self, *kinds: str) -> list[Any]:
        """Kind and data of what came since the last time, of some kinds or of all."""
        return [each for each in told([self.raw()]) if not kinds or each[0] in kinds]


class FeedTest(BoardTest):
    def setUp(self) -> None:
        super().setUp()
        self.feed = Feed(self.board, lambda: Mask({"A_TOKEN": "secret-of-mine"}), self.fail)
        self.log = os.path.join(self.folder, "auth.1.jsonl")

    def listens(self, **asked: Any) -> Page:
        return Page(self, self.feed, **asked)

    def begins(self) -> None:
        self.write(begun(["auth", "api"]), *running("auth", log=self.log))
        self.runs()

    def says(self, *texts: str, path: str = "") -> None:
        with open(path or self.log, "ab") as file:
            file.write(b"".join(map(says, texts)))

    # -- parts ------------------------------------------------------------------------------

    def test_all_pages_hear_the_same_and_a_new_one_hears_what_it_missed(self) -> None:
        self.begins()
        first = self.listens()
        self.feed.step(0)
        kinds = [kind for kind, _ in first.read()]
        self.assertEqual((kinds[0], set(kinds)), ("hello", {"hello", "part", "arrange"}))
        second = self.listens(since=self.board.position)
        self.feed.step(1)
        self.assertEqual(second.read(), [("hello", {})])
        self.write(events.ended(AT + 1, RUN, "auth", COMPLETED))
        self.feed.step(10)
        heard = first.read()
        self.assertIn("auth", [data.get("id") for _, data in heard])
        self.assertEqual(second.read(), heard)

    def test_what_changed_for_a_page_that_was_loaded_is_told_to_the_others(self) -> None:
        self.begins()
        page = self.listens()
        self.feed.step(0)
        page.read()
        self.write(events.ended(AT + 1, RUN, "auth", COMPLETED))
        self.board.load(1)  # Somebody loads the page.
        self.feed.step(1.1)
        self.assertIn("auth", [data.get("id") for _, data in page.read()])

    def test_a_page_that_is_gone_is_forgotten(self) -> None:
        page, other = self.listens(), self.listens()
        self.feed.step(0)
        page.ours.close()
        self.feed.step(LOOK_SECONDS)
        self.assertTrue(page.listener.is_gone)
        self.assertEqual(self.feed._listeners, [other.listener])

    def test_a_beat_tells_that_the_connection_is_there(self) -> None:
        page = self.listens()
        self.feed.step(100)
        page.raw()
        self.feed.step(101)
        self.assertEqual(page.raw(), b"")
        self.feed.step(100 + BEAT_SECONDS)
        self.assertEqual(page.raw(), BEAT)

    # -- what Claude does -------------------------------------------------------------------

    def test_what_claude_does_is_told_when_it_changes(self) -> None:
        self.begins()
        page = self.listens()
        self.feed.step(0)
        page.read()
        self.feed.step(1)
        self.assertEqual(page.read("activity"), [])
        self.says("I look at secret-of-mine first.")
        self.feed.step(2)
        ((_, said),) = page.read("activity")
        self.assertIn("I look at [masked A_TOKEN] first.", said["auth"]["action"])
        self.feed.step(3)
        self.assertEqual(page.read("activity"), [])
        late = self.listens()
        self.feed.step(3.1)
        self.assertEqual(late.read("activity"), [("activity", said)])
        self.write(events.ended(AT + 1, RUN, "auth", FeatureOutcome(Status.FAILED, "no")))
        self.feed.step(10)
        self.feed.step(12)
        self.assertEqual(page.read("activity"), [("activity", {"auth": None})])

    def test_each_attempt_has_its_own_log(self) -> None:
        self.begins()
        page = self.listens()
        self.says("one")
        self.feed.step(0)
        second = os.path.join(self.folder, "auth.2.jsonl")
        self.says("two", path=second)
        self.write(events.attempt_ended(AT, RUN, "auth", LATE), again("auth", AT, second, 2))
        self.feed.step(10)
        self.feed.step(12)
        self.assertEqual(page.read("activity")[-1][1]["auth"]["action"], "two")

    # -- what Claude said -------------------------------------------------------------------

    def lines(self, page: Page) -> list[str]:
        """The lines of Claude that a page got."""
        texts = [data["lines"] for _, data in page.read("claude")]
        return ["".join(part for _, part in line) for lines in texts for line in lines]

    def test_pages_that_follow_claude_read_it_together(self) -> None:
        self.begins()
        self.says("one")
        first, other = self.listens(follow="auth"), self.listens()
        self.feed.step(0)
        ((_, said),) = first.read("claude")
        self.assertEqual((said["attempt"], said["attempts"], said["anew"]), (1, [1], True))
        self.says("two")
        second = self.listens(follow="auth")
        self.feed.step(1)
        self.assertEqual((self.lines(first), self.lines(second)), (["two"], ["one", "two"]))
        self.feed.step(2)
        self.assertEqual((self.lines(first), self.lines(other)), ([], []))
        self.assertEqual(len(self.feed._claude), 1)
        for page in (first, second):
            page.ours.close()
        self.feed.step(4)
        self.feed.step(5)
        self.assertEqual(self.feed._claude, {})

    def test_a_page_follows_the_last_attempt_or_the_one_that_it_names(self) -> None:
        self.begins()
        self.says("one")
        last, first = self.listens(follow="auth"), self.listens(follow="auth", attempt=1)
        none = self.listens(follow="auth", attempt=7)
        self.feed.step(0)
        for page in (last, first, none):
            self.assertEqual(self.lines(page), ["one"])
        second = os.path.join(self.folder, "auth.2.jsonl")
        self.says("two", path=second)
        self.write(events.attempt_ended(AT, RUN, "auth", LATE), again("auth", AT, second, 2))
        self.feed.step(10)
        ((_, said),) = last.read("claude")
        self.assertEqual((said["attempt"], said["attempts"], said["anew"]), (2, [1, 2], True))
        self.assertEqual(self.lines(first), [])

    def test_features_that_are_not_shown_have_no_log(self) -> None:
        self.begins()
        pages = [self.listens(follow=id) for id in ("api", "nothing", "../../etc/passwd", "-bar")]
        self.feed.step(0)
        self.assertEqual([page.read("claude") for page in pages], [[], [], [], []])

    # -- the thread -------------------------------------------------------------------------

    def test_it_follows_the_journal_and_says_goodbye(self) -> None:
        page = self.listens()
        self.feed.start()
        heard: list[Any] = []

        def hears(kind: str, words: str) -> bool:
            heard.extend(page.read())
            return any(each == kind and words in str(data) for each, data in heard)

        wait_until(lambda: hears("part", "Nothing has run yet"), "the first state")
        self.begins()
        wait_until(lambda: hears("part", "In progress"), "the run")
        late = self.listens()
        self.write(events.run_ended(AT + 9, RUN, exit_code=0))
        self.feed.end()
        self.assertTrue(hears("part", "The run is over"))
        self.assertEqual(heard[-1], ("end", {}))
        self.assertEqual(late.read()[-1], ("end", {}))
        self.assertEqual(self.failures, [])

    def test_a_slow_page_still_gets_the_end(self) -> None:
        page, never = self.listens(), self.listens()
        for each in (page, never):
            each.listener.send([b": x\n" * 500_000], time.monotonic())
        heard: list[bytes] = []

        def read() -> None:
            heard.extend(iter(lambda: page.ours.recv(1 << 16), b""))

        reader = threading.Thread(target=read)
        reader.start()
        with mock.patch.object(feed_module, "GOODBYE_SECONDS", 0.3):
            self.feed.start()
            self.feed.end()
        reader.join()
        self.assertEqual(told([b"".join(heard)])[-1], ("end", {}))
        self.assertTrue(never.listener.is_gone)

    def test_without_a_page_it_does_nothing(self) -> None:
        with mock.patch.object(self.feed, "step") as step:
            self.feed.start()
            self.feed.end()
        step.assert_not_called()

    def test_without_a_page_it_ends_at_once(self) -> None:
        with mock.patch.object(self.board, "refresh") as refresh:
            self.feed._say_goodbye(0)
        refresh.assert_not_called()

    def test_a_mistake_of_ours_is_told(self) -> None:
        error = KeyError("a mistake")
        with mock.patch.object(self.feed, "step", side_effect=error):
            self.listens()
            self.feed.start()
            self.feed.join()
        self.assertEqual(self.failures, [error])


if __name__ == "__main__":
    unittest.main()
