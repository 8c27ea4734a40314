"""`history`, after real runs and after many."""

from __future__ import annotations

import time
import unittest

from tests.support.past_runs import story
from tests.support.workspace import Workspace, feature


class HistoryTest(unittest.TestCase):
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace([feature("auth"), feature("api")])
        cls.addClassCleanup(cls.space.close)
        now, ours = time.time(), "config/feature_list.json"
        cls.space.record(
            *story("r1", now - 40 * 86_400, ours, "auth", "api"),
            *story("r2", now - 100, ours, "auth"),
            *story("r3", now - 50, "other/list.json", "docs"),
        )

    def test_before_the_first_run_there_is_none(self) -> None:
        with Workspace([feature("a")]) as space:
            self.assertEqual(space.main("history").out, "No run has started yet.\n")
            said = space.main("history", "--since", "1d").out
            self.assertEqual(said, "No run since then.\n")
            self.assertEqual(space.main("history", "--json").json["runs"], [])

    def test_the_runs_of_the_list_are_shown_with_their_medians(self) -> None:
        said = self.space.main("history").out
        self.assertIn("2 runs: 3 features ran, 100 % completed, $1.50", said)
        self.assertIn("\nauth            2    100 %      10s          $0.50        $1.00", said)
        self.assertIn("\ncore ", said)
        self.assertNotIn("(no tag)", said)
        self.assertIn("3 runs: ", self.space.main("history", "--all-lists").out)
        self.assertIn("1 run: ", self.space.main("history", "--since", "30d").out)

    def test_one_feature_can_be_named(self) -> None:
        said = self.space.main("history", "--feature", "api").out
        self.assertEqual(len(said.splitlines()), 5)
        self.assertIn("r1   completed  10s", said)
        said = self.space.main("history", "--feature", "nothing")
        self.assertEqual((said.code, said.out), (2, ""))
        self.assertIn("no run had a feature 'nothing'", said.err)

    def test_costs_are_summed(self) -> None:
        for by, names in {"feature": ["auth", "api"], "tag": ["core", "(no tag)"]}.items():
            lines = self.space.main("history", "--by", by).out.splitlines()
            self.assertEqual([line.split("  ")[0] for line in lines[1:]], names)
        said = self.space.main("history", "--by", "run", "--json").json
        self.assertEqual([each["cost_usd"] for each in said["by"]["run"]], [1.0, 0.5])

    def test_the_accuracy_of_estimates_is_shown(self) -> None:
        said = self.space.main("history", "--accuracy").out
        self.assertIn("time of a run      100 %         2 runs", said)
        self.assertIn("time of a feature  50 %          3 features", said)
        found = self.space.main("history", "--json").json["accuracy"]
        self.assertEqual(found[1], {"of": "cost of a run", "error": 1.0, "count": 2})

    def test_a_faulty_list_and_a_cleanup_leave_it_as_it_is(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            self.assertEqual(space.main("cleanup", "--all", "--discard", "--yes").code, 0)
            before = space.main("history").out
            self.assertIn("1 run: 1 feature ran, 100 % completed, $0.05", before)
            space.document["features"] = []
            space.change()
            said = space.main("history")
            self.assertEqual(said.out, before)
            self.assertIn("The feature list cannot be used", said.err)


if __name__ == "__main__":
    unittest.main()
