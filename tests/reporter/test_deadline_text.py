"""The lines of `plan --by`."""

from __future__ import annotations

import unittest

from core.dag.deadline import Reachable
from core.model.moments import minute
from core.reporter.deadline_text import deadline_lines
from tests.support.plans import DIAMOND, plan_of
from tests.support.story import PLAIN


class Lines(unittest.TestCase):
    def test_the_set_is_told_with_its_confidence_and_the_command_that_runs_it(self) -> None:
        found = Reachable(("auth", "api"), 0.87, 500.0, 2.5, 1)
        plan = plan_of(DIAMOND, max_cost_usd=10)
        self.assertEqual(
            list(deadline_lines(plan, found, 1000.0, 3600.0, PLAIN)),
            [
                f"By {minute(1000.0)} (in 1h00m) on 2 slots, at most $10.00:",
                "2 of 4 features, with a confidence of 87 %: auth, api",
                "P90: 8m20s, $2.50",
                "The spread of 1 feature is a guess, for lack of past runs",
                "  → rorchestrator run --only auth,api --max-parallel 2 --max-cost 10",
            ],
        )

    def test_a_whole_plan_needs_no_selection_and_a_hopeless_one_says_so(self) -> None:
        whole = Reachable(("auth", "api", "batch", "app"), 1.0, 500.0, 2.5, 0)
        lines = list(deadline_lines(plan_of(DIAMOND), whole, 1000.0, 3600.0, PLAIN))
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[0].endswith("on 2 slots:"))
        found = Reachable(("auth",), 0.4, 500.0, 2.5, 0)
        lines = list(deadline_lines(plan_of(DIAMOND), found, 1000.0, 60.0, PLAIN))
        self.assertEqual(lines[1:], ["Not even auth is likely to be done: 40 %"])


if __name__ == "__main__":
    unittest.main()
