"""What a run was started with, there and back as the data of an event."""

from __future__ import annotations

import json
import unittest

from core.model.event_json import from_json, masked, to_json
from core.model.fold import fold
from core.model.provenance import Estimate, Provenance, provenance_data, provenance_of
from tests.support.run_views import PROVENANCE, begun


class InEvents(unittest.TestCase):
    def test_a_run_comes_back_from_json_as_it_was_started(self) -> None:
        event = begun(["auth", "api"])
        again = from_json(json.loads(json.dumps(to_json(event))))
        state = fold([again])
        assert state.run is not None
        self.assertEqual(state.run.provenance, PROVENANCE)
        self.assertEqual(state.run.provenance.estimated_usd, 1.5)

    def test_what_is_unknown_takes_no_room(self) -> None:
        self.assertEqual(provenance_data(Provenance()), {})
        self.assertEqual(provenance_of({}), Provenance())
        self.assertIsNone(Provenance().estimated_usd)

    def test_ids_are_not_masked_but_the_command_line_is(self) -> None:
        given = Provenance(command="run auth", depends_on={"api": ("auth",)})
        event = masked(begun(["api"], given), lambda text: text.replace("auth", "***"))
        self.assertEqual(event.data["command"], "run ***")
        self.assertEqual(event.data["depends_on"], {"api": ["auth"]})


class Strangers(unittest.TestCase):
    def test_values_that_nobody_wrote_are_left_out(self) -> None:
        found = provenance_of(
            {
                "depends_on": {"a": ["b"], "c": "d"},
                "estimates": {"a": [1, 2], "b": [1], "c": "x", "d": [-1, 2], "e": [1, None]},
                "estimated_seconds": "long",
                "max_cost_usd": -1,
            }
        )
        self.assertEqual(
            found, Provenance(depends_on={"a": ("b",)}, estimates={"a": Estimate(1.0, 2.0)})
        )
        self.assertEqual(provenance_of({"depends_on": [], "estimates": 5}), Provenance())
