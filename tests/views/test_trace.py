"""The trace of a run, as Perfetto reads it."""

from __future__ import annotations

import json
import unittest
from typing import Any

from core.model import events
from core.views.run_view import run_view
from core.views.trace import FEATURES, RUN, SLOTS, trace
from tests.support import run_views
from tests.support.run_views import COMPLETED, DONE, STORY, begun, feature_story, report_of, view_of
from tests.support.story import AT

Rows = list[dict[str, Any]]


def rows(story: list[events.Event]) -> Rows:
    found: Rows = json.loads(trace(view_of(story)))["traceEvents"]
    return found


def of(found: Rows, phase: str, process: int) -> Rows:
    return [row for row in found if row["ph"] == phase and row["pid"] == process]


class Trace(unittest.TestCase):
    def setUp(self) -> None:
        self.rows = rows(STORY)

    def test_every_event_has_what_its_kind_needs(self) -> None:
        for row in self.rows:
            keys = {"ph", "name", "pid", "tid", "args"}
            keys |= {"X": {"ts", "dur", "cat"}, "C": {"ts"}}.get(row["ph"], set())
            self.assertEqual(set(row), keys)
            self.assertTrue(all(isinstance(row.get(key, 0), int) for key in ("ts", "dur", "tid")))
            self.assertGreaterEqual(row.get("dur", 0), 0)

    def test_features_and_slots_are_named_rows(self) -> None:
        names = [
            (row["pid"], row["args"]["name"]) for row in self.rows if row["name"] == "thread_name"
        ]
        slots = [name for process, name in names if process == SLOTS]
        self.assertEqual(slots, ["slot 1", "slot 2"])
        features = [name for process, name in names if process == FEATURES]
        self.assertEqual(features, ["auth", "api", "docs"])

    def test_times_are_microseconds_since_the_start(self) -> None:
        [first] = [r for r in of(self.rows, "X", FEATURES) if r["name"] == "attempt 1"][:1]
        self.assertEqual((first["ts"], first["dur"]), (3_000_000, 10_000_000))
        self.assertEqual(first["args"]["cost_usd"], 0.123457)
        self.assertEqual(first["args"]["model"], "claude-opus")
        self.assertEqual(first["args"]["output_tokens"], 20)

    def test_phases_lie_within_their_feature(self) -> None:
        for thread in {row["tid"] for row in of(self.rows, "X", FEATURES)}:
            whole, *parts = [r for r in of(self.rows, "X", FEATURES) if r["tid"] == thread]
            for part in parts:
                self.assertGreaterEqual(part["ts"], whole["ts"])
                self.assertLessEqual(part["ts"] + part["dur"], whole["ts"] + whole["dur"])

    def test_a_slot_has_one_feature_at_a_time_and_is_used_again(self) -> None:
        held = [(r["tid"], r["name"]) for r in of(self.rows, "X", SLOTS)]
        self.assertEqual(held, [(1, "auth"), (2, "docs"), (1, "api")])

    def test_waits_and_the_slots_in_use_are_told(self) -> None:
        waits = [(r["name"], r["ts"], r["dur"]) for r in of(self.rows, "X", RUN)]
        expected = [("usage limit", 8_000_000, 4_000_000), ("paused", 13_000_000, 1_000_000)]
        self.assertEqual(waits, expected)
        used = [row["args"]["slots"] for row in of(self.rows, "C", RUN)]
        self.assertEqual(used, [2, 1, 0, 1, 0])

    def test_an_attempt_that_is_going_on_has_only_its_session(self) -> None:
        story = [begun(["auth"]), *feature_story("auth", AT, DONE, end=COMPLETED)[:5]]
        [attempt] = [row for row in rows(story) if row["name"] == "attempt 1"]
        self.assertEqual(attempt["args"], {"session": "s1"})

    def test_an_attempt_of_which_the_state_knows_nothing_is_a_bar_as_well(self) -> None:
        story = [begun(["auth"]), *feature_story("auth", AT, DONE, end=COMPLETED)]
        attempts = ("attempt_started", "attempt_ended")
        without = [event for event in story if event.kind not in attempts]
        view = run_view(report_of(without), story, AT + 60)
        found: Rows = json.loads(trace(view))["traceEvents"]
        self.assertEqual([r["args"] for r in found if r["name"] == "attempt 1"], [{}])

    def test_it_names_the_run(self) -> None:
        about = json.loads(trace(view_of(STORY)))["otherData"]
        self.assertEqual((about["run"], about["project"]), ("r1", "Shop"))
        self.assertEqual(about["rorchestrator"], run_views.PROVENANCE.version)
