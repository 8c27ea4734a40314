"""The event of a run that takes up a changed list."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.event_json import from_json, to_json
from core.model.events_reload import Reloaded, reloaded
from core.model.fold import fold
from core.model.provenance import Estimate, Provenance

STARTED = events.run_started(
    *(1.0, "r1"),
    pid=1,
    base_branch="main",
    base_commit="ba5e",
    features=("auth", "old"),
    max_parallel=2,
    provenance=Provenance("2.0", "run", depends_on={"auth": ()}, tags={"old": ("x",)}),
)

MADE = Reloaded(
    ("auth", "api"),
    joined=("api",),
    gone=("old",),
    out_of_date={"auth": "prompt changed"},
    provenance=Provenance(
        depends_on={"auth": (), "api": ("auth",)},
        estimates={"api": Estimate(5.0, 0.5)},
        estimated_seconds=9.0,
    ),
)


class ReloadedTest(unittest.TestCase):
    def test_the_run_has_other_features_and_expectations_from_then_on(self) -> None:
        event = from_json(to_json(reloaded(2.0, "r1", MADE, text="joins: api", automatic=True)))
        run = fold([STARTED, event]).run
        assert run is not None
        self.assertEqual(run.features, ("auth", "api"))
        self.assertEqual(run.out_of_date, {"auth": "prompt changed"})
        given = run.provenance
        self.assertEqual((given.version, given.command, given.tags), ("2.0", "run", {}))
        self.assertEqual(given.depends_on, {"auth": (), "api": ("auth",)})
        self.assertEqual((given.estimates["api"].seconds, given.estimated_seconds), (5.0, 9.0))

    def test_the_last_change_decides_and_damaged_reasons_are_left_out(self) -> None:
        first = reloaded(2.0, "r1", MADE, text="", automatic=False)
        damaged = events.Event("reloaded", 3.0, "r1", data={"features": [], "out_of_date": 7})
        run = fold([STARTED, first, damaged]).run
        assert run is not None
        self.assertEqual((run.features, run.out_of_date), ((), {}))

    def test_another_run_is_not_meant(self) -> None:
        run = fold([STARTED, reloaded(2.0, "r0", MADE, text="", automatic=False)]).run
        assert run is not None
        self.assertEqual(run.features, ("auth", "old"))
        self.assertEqual(fold([reloaded(2.0, "r0", MADE, text="", automatic=False)]).run, None)
