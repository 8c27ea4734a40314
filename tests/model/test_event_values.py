"""Events read as typed values, whatever a journal holds."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.control_action import ControlAction
from core.model.event_values import Reply, conflict_of, reply_of, reset_of, text_of, window_of
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import Stray
from core.model.window import Window


class Values(unittest.TestCase):
    def test_a_window_is_as_full_as_the_event_says(self) -> None:
        seen = Window("five_hour", 0.62, 100.0)
        self.assertEqual(window_of(events.window(7.0, "r1", seen=seen)), replace(seen, seen_at=7.0))
        odd = Event("window", 7.0, "r1", data={"utilization": 62, "resets_at": "soon"})
        self.assertEqual(window_of(odd), Window("", 0.62, None, 7.0))
        for value in (None, "full", -1, 2000, True):
            event = Event("window", 7.0, "r1", data={"utilization": value})
            self.assertIsNone(window_of(event))
            self.assertEqual(fold([event]).windows, {})

    def test_a_reply_is_what_became_of_a_request(self) -> None:
        event = events.steered(
            1.0,
            "r1",
            "auth",
            action=ControlAction.SKIP,
            request="7",
            done=True,
            text="skipped",
            hint="type it",
            force=True,
        )
        reply = Reply(
            ControlAction.SKIP, "skip", True, "skipped", "type it", "auth", "r1", "7", True
        )
        self.assertEqual(reply_of(event), reply)
        self.assertEqual(
            reply.to_json(),
            {
                "action": "skip",
                "feature": "auth",
                "done": True,
                "text": "skipped",
                "hint": "type it",
                "run": "r1",
            },
        )

    def test_a_reply_of_the_whole_run_has_no_feature(self) -> None:
        document = reply_of(Event("steered", 1.0, "")).to_json()
        self.assertEqual(
            document,
            {"action": "", "feature": None, "done": False, "text": "", "hint": None, "run": None},
        )

    def test_an_action_of_a_newer_version_keeps_its_name(self) -> None:
        reply = reply_of(Event("steered", 1.0, "r1", data={"action": "rewind"}))
        self.assertEqual((reply.action, reply.command), (None, "rewind"))

    def test_only_true_is_done(self) -> None:
        for value in ("true", 1, None):
            event = Event("steered", 1.0, "r1", data={"done": value, "force": value})
            self.assertEqual((reply_of(event).is_done, reply_of(event).is_forced), (False, False))

    def test_a_conflict_has_files_as_long_as_it_exists(self) -> None:
        event = events.clash(1.0, "r1", "api", other="auth", files=["a", "b"])
        self.assertEqual(conflict_of(event), ("auth", ("a", "b")))
        event = events.clash(1.0, "r1", "api", other="auth", files=())
        self.assertEqual(conflict_of(event), ("auth", ()))
        self.assertEqual(conflict_of(Event("clash", 1.0, "r1", data={"files": "a"})), ("", ()))

    def test_notes_and_strays_have_a_text(self) -> None:
        self.assertEqual(text_of(events.note(1.0, "r1", "hello")), "hello")
        self.assertEqual(text_of(events.stray(1.0, "r1", "a", Stray(), "left x")), "left x")
        self.assertEqual(text_of(Event("note", 1.0, "r1")), "")

    def test_a_usage_limit_has_a_reset_until_it_is_lifted(self) -> None:
        event = events.paused(1.0, "r1", until=60.0)
        self.assertEqual(reset_of(event), "1970-01-01T00:01:00.000+00:00")
        self.assertEqual(reset_of(events.paused(1.0, "r1", until=0.0)), "")


if __name__ == "__main__":
    unittest.main()
