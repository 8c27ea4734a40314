"""Events as JSON: nothing is lost on the way, and unknown data is not believed."""

from __future__ import annotations

import json
import unittest

from core.model import event_json, events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Work
from tests.support.every_event import EVERY


class RoundTrip(unittest.TestCase):
    def test_each_kind_comes_back_from_json_as_it_was(self) -> None:
        for kind, event in EVERY.items():
            with self.subTest(kind=kind):
                self.assertEqual(event.kind, kind)
                text = json.dumps(event_json.to_json(event))
                self.assertTrue(text.isascii())
                self.assertNotIn("\n", text)
                self.assertEqual(event_json.from_json(json.loads(text)), event)

    def test_the_json_form_is_flat_and_names_version_kind_and_time(self) -> None:
        self.assertEqual(
            event_json.to_json(EVERY["based"]),
            {
                "v": 1,
                "event": "based",
                "at": "2023-11-14T22:13:20.125+00:00",
                "run": "r1",
                "feature": "auth",
                "start_commit": "57a7",
                "base_commit": "ba5e",
                "key": "key",
                "inputs": {"prompt": "abc"},
            },
        )
        self.assertNotIn("run", event_json.to_json(EVERY["cleaned"]))
        self.assertNotIn("feature", event_json.to_json(EVERY["note"]))

    def test_a_kind_of_a_later_version_is_read_as_it_is(self) -> None:
        value = {"v": 1, "event": "paused", "at": "2024-01-01T00:00:00+00:00", "until": 5}
        self.assertEqual(
            event_json.from_json(value), Event("paused", 1704067200.0, "", "", {"until": 5})
        )


class Strangers(unittest.TestCase):
    def test_a_file_that_we_did_not_write_is_refused_with_the_reason(self) -> None:
        good = {"v": 1, "event": "ended", "at": "2024-01-01T00:00:00+00:00", "status": "failed"}
        cases: list[tuple[object, str]] = [
            ([], "not a JSON object"),
            (None, "not a JSON object"),
            ({}, "format version None; this program reads version 1"),
            ({**good, "v": 2}, "format version 2; this program reads version 1"),
            ({**good, "at": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
            ({"v": 1, "event": "note"}, "'at' is missing"),
            ({"v": 1, "at": good["at"]}, "'event' is missing"),
            ({**good, "status": "splendid"}, "'splendid' is not a valid Status"),
            ({**good, "status": []}, "[] is not a valid Status"),
            ({**good, "feature": "a\x1b[2J"}, "an id contains a control character"),
            ({**good, "run": "\u202e"}, "an id contains a control character"),
            (good, "'feature' is missing"),
            ({**good, "status": "pending"}, "pending is not an outcome"),
            ({**good, "event": "attempt_ended", "status": "running"}, "running is not an outcome"),
            ({**good, "fault": "own"}, "'own' is not a valid Fault"),
            (
                {**good, "at": "1969-12-31T23:59:59+00:00"},
                "'1969-12-31T23:59:59+00:00' is not a valid time",
            ),
            (
                {**good, "at": "9999-12-31T23:59:59+00:00"},
                "'9999-12-31T23:59:59+00:00' is not a valid time",
            ),
            ({k: good[k] for k in ("v", "event", "at")}, "'status' is missing"),
        ]
        for value, reason in cases:
            with self.subTest(value=str(value)[:80]):
                with self.assertRaises(ValueError) as caught:
                    event_json.from_json(value)
                self.assertEqual(str(caught.exception), reason)


class Masking(unittest.TestCase):
    def test_displayed_texts_are_masked_and_values_for_the_next_run_are_not(self) -> None:
        work = Work("secret-commit", held_back=(".env.secret",))
        attempt = AttemptOutcome(
            Status.FAILED, "a secret", result="secret!", denied_tools=("secret",)
        )
        for made in (
            events.ended(
                1.0, "secret-run", "secret-id", FeatureOutcome(Status.FAILED, "a secret", work=work)
            ),
            events.attempt_ended(1.0, "secret-run", "secret-id", attempt),
            events.note(1.0, "run", "secret"),
            events.checked(
                1.0, "run", "a", key="secret", command="secret", passed=True, ending="secret"
            ),
            Event("of a later version", 1.0, "run", data={"changed": {"from": ["secret"]}}),
        ):
            masked = event_json.masked(made, lambda text: text.replace("secret", "***"))
            self.assertEqual((masked.run, masked.feature), (made.run, made.feature))
            for key, value in masked.data.items():
                with self.subTest(kind=made.kind, key=key):
                    told = key not in events.EXACT
                    self.assertEqual("***" in str(value), told and "secret" in str(made.data[key]))
        start = events.based(
            1.0,
            "run",
            Decision("a", Action.START, "new", "secret"),
            start_commit="secret",
            base_commit="secret",
        )
        self.assertEqual(event_json.masked(start, lambda text: "***"), start)

    def test_a_damaged_text_is_left_as_it_is(self) -> None:
        odd = Event("note", 1.0, "run", data={"text": 5})
        self.assertEqual(event_json.masked(odd, lambda text: "***"), odd)
