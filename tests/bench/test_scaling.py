"""The simulator of git traffic: what must hold of any run, and runs whose figures are known."""

from __future__ import annotations

import io
import re
import unittest
from contextlib import redirect_stdout
from dataclasses import replace
from unittest import mock

from tests.pages import ROOT
from tests.support.once import skip_if_run_elsewhere

from .scaling import Assumptions, Simulator, graph_of, main, peak

setUpModule = skip_if_run_elsewhere

EVEN = Assumptions(features=12, machines=4, spread=0.0, width=4, server_slots=100)
EACH = EVEN.push_seconds + EVEN.clone_seconds + EVEN.feature_seconds + EVEN.push_seconds
"""What a feature takes: claim, clone, work, push."""


def printed(*words: str) -> str:
    """What the command prints."""
    with mock.patch("sys.argv", ["scaling", *words]), redirect_stdout(io.StringIO()) as out:
        main()
    return out.getvalue()


class SimulatorTest(unittest.TestCase):
    def test_a_chain_takes_the_time_of_all_its_features(self) -> None:
        done = Simulator(replace(EVEN, shape="chain")).run()
        self.assertAlmostEqual(done.makespan, 12 * EACH)
        self.assertEqual(done.most_machines, 1)

    def test_independent_features_take_turns_on_the_machines(self) -> None:
        done = Simulator(replace(EVEN, shape="independent")).run()
        self.assertAlmostEqual(done.makespan, 3 * EACH)
        self.assertEqual((done.most_machines, done.most_served), (4, 4))
        self.assertAlmostEqual(done.machine_seconds, 12 * EACH)

    def test_a_layer_starts_when_what_it_needs_was_pushed(self) -> None:
        self.assertAlmostEqual(Simulator(EVEN).run().makespan, 3 * EACH)
        needs = [len(needed) for needed in graph_of(EVEN).values()]
        self.assertEqual(needs, [0] * 4 + [2] * 8)

    def test_every_feature_claims_clones_and_pushes(self) -> None:
        for clones, claims in ((1, 1), (2, 0)):
            given = Assumptions(features=50, clones=clones, claims=claims)
            done = Simulator(given).run()
            self.assertEqual(len(done.clones), 50 * clones)
            self.assertEqual(len(done.pushes), 50 * (claims + 1))

    def test_the_server_serves_so_many_at_a_time_and_the_others_wait(self) -> None:
        given = replace(EVEN, shape="independent", machines=12, claims=0, server_slots=3)
        done = Simulator(given).run()
        self.assertEqual(done.most_served, 3)
        self.assertAlmostEqual(max(done.waits), 3 * given.clone_seconds)
        free = Simulator(replace(given, server_slots=12)).run()
        self.assertEqual(max(free.waits), 0.0)
        self.assertGreater(done.git_seconds, free.git_seconds)

    def test_a_peak_is_that_of_the_busiest_window(self) -> None:
        self.assertEqual(peak([0.0, 30.0, 59.0, 60.0, 61.0], 60.0), 4 / 60)
        self.assertEqual(peak([], 60.0), 0.0)

    def test_the_same_arguments_print_the_same_table(self) -> None:
        first = printed("--features", "40", "--machines", "5")
        self.assertEqual(first, printed("--features", "40", "--machines", "5"))
        self.assertNotEqual(first, printed("--features", "40", "--machines", "5", "--seed", "2"))
        self.assertEqual(first.count("\n"), 4)

    def test_the_page_has_what_its_command_prints(self) -> None:
        page = (ROOT / "docs" / "SCALING.md").read_text(encoding="utf-8")
        (words,) = re.findall(r"^`python3 -m tests.bench.scaling (.*?)`", page, re.MULTILINE)
        self.assertIn(f"\n\n{printed(*words.split())}\n", page)


if __name__ == "__main__":
    unittest.main()
