"""The bodies of notifications: within the limits of the services, and without their markup."""

from __future__ import annotations

import hashlib
import hmac
import json
import unittest
from typing import Any

from core.model.feature import Occasion, ReceiverType
from core.views import notice_bodies
from core.views.notice import Notice

HOSTILE = "<!channel> @everyone [x](https://evil.example) *b* `c` & <@U1> ~s~ ||t||"


def notice(title: str = "Shop: api failed", *lines: str, on: Occasion = Occasion.FAILED) -> Notice:
    return Notice("r1-1", (on,), 1.0, title, lines, ("rorchestrator logs api",), "Shop", "r1")


class Slack(unittest.TestCase):
    def text(self, given: Notice) -> str:
        body = notice_bodies.slack(given)
        self.assertLess(len(json.dumps(body)), 40_000)
        blocks: Any = body["blocks"]
        text: str = blocks[0]["text"]["text"]
        return text

    def test_a_message_has_its_facts_and_the_next_command(self) -> None:
        expected = "*Shop: api failed*\n2 of 3\nnext: `rorchestrator logs api`"
        self.assertEqual(self.text(notice("Shop: api failed", "2 of 3")), expected)

    def test_no_text_of_ours_is_markup(self) -> None:
        text = self.text(notice(HOSTILE, HOSTILE))
        self.assertNotIn("<", text)
        self.assertIn("&lt;!channel&gt;", text)
        self.assertEqual(text.count("`"), 2, "those around the command")
        fallback = notice_bodies.slack(notice(HOSTILE))["text"]
        self.assertNotIn("<", str(fallback))

    def test_long_texts_stay_under_the_limit(self) -> None:
        text = self.text(notice("&" * 9_000, *["<" * 9_000] * 50))
        self.assertLessEqual(len(text), notice_bodies.SLACK_CHARACTERS)


class Discord(unittest.TestCase):
    def embed(self, given: Notice) -> Any:
        body: Any = notice_bodies.discord(given)
        self.assertEqual(body["allowed_mentions"], {"parse": []})
        return body["embeds"][0]

    def test_an_embed_has_its_facts_and_a_colour(self) -> None:
        embed = self.embed(notice("Shop: api failed", "2 of 3"))
        self.assertEqual(embed["title"], "Shop: api failed")
        self.assertEqual(embed["description"], "2 of 3\nnext: rorchestrator logs api")
        colours = {
            Occasion.FAILED: notice_bodies.RED,
            Occasion.FEATURE_FAILED: notice_bodies.RED,
            Occasion.LIMIT: notice_bodies.AMBER,
            Occasion.FINISHED: notice_bodies.GREEN,
        }
        for occasion, colour in colours.items():
            self.assertEqual(self.embed(notice("t", on=occasion))["color"], colour)

    def test_no_text_of_ours_is_markup_or_a_mention(self) -> None:
        text = self.embed(notice("t", HOSTILE))["description"]
        self.assertNotIn("@everyone", text)
        self.assertNotIn("https://", text)
        for mark in "*`[]<>~|":
            self.assertEqual(text.count(mark), text.count("\\" + mark), mark)

    def test_long_texts_stay_under_the_limits(self) -> None:
        embed = self.embed(notice("*" * 9_000, *["@" * 9_000] * 50))
        self.assertLessEqual(len(embed["title"]), 256)
        self.assertLessEqual(len(embed["description"]), 4_096)


class Webhooks(unittest.TestCase):
    def body(self, type: ReceiverType, secret: str = "") -> notice_bodies.Body:
        return notice_bodies.body_of(type, notice("t"), secret, 1234.5)

    def test_each_service_gets_its_own_form(self) -> None:
        keys = {
            ReceiverType.SLACK: "blocks",
            ReceiverType.DISCORD: "embeds",
            ReceiverType.WEBHOOK: "needs_you",
        }
        for type, key in keys.items():
            self.assertIn(key, json.loads(self.body(type).content))

    def test_a_key_signs_the_body_and_the_time(self) -> None:
        body = self.body(ReceiverType.WEBHOOK, "s3cret")
        self.assertEqual(body.headers["X-RoRchestrator-Timestamp"], "1234")
        self.assertEqual(body.headers["X-RoRchestrator-Delivery"], "r1-1")
        made = hmac.new(b"s3cret", b"1234." + body.content, hashlib.sha256).hexdigest()
        self.assertEqual(body.headers["X-RoRchestrator-Signature"], f"sha256={made}")

    def test_without_a_key_nothing_is_signed(self) -> None:
        self.assertNotIn("X-RoRchestrator-Signature", self.body(ReceiverType.WEBHOOK).headers)


if __name__ == "__main__":
    unittest.main()
