"""What a rehearsal writes down, and how it is told."""

from __future__ import annotations

import unittest

from core.dag.resolver import DAGResolver
from core.model.feature import Feature
from core.model.outcome import Stage
from core.rehearsal.findings import BASE, LANDING, Finding, FindingKind, Notebook, of_details
from core.reporter.style import Style
from core.runner.failure import Failure

PLAIN = Style(100, False, False)


class NotebookTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.notes = Notebook(lambda: self.now)
        needs: dict[str, tuple[str, ...]] = {"a": (), "b": ("a",), "c": ()}
        self.dag = DAGResolver(Feature(id, id, depends_on=on) for id, on in needs.items())

    def takes(self, seconds: float, row: str, part: str) -> None:
        with self.notes.timed(row, part):
            self.now += seconds

    def told(self, **more: bool) -> list[str]:
        return list(self.notes.lines(self.dag, PLAIN, **more))

    def test_the_same_finding_of_several_features_is_one(self) -> None:
        for features in (("a",), ("b", "a")):
            self.notes.met(Finding(FindingKind.SETUP, "`x` failed", "mend it", features))
        (finding,) = self.notes.findings
        self.assertEqual(finding.features, ("a", "b"))
        self.notes.met(Finding(FindingKind.CHECKS, "`x` failed", "mend it", ("a",)))
        self.assertEqual(len(self.notes.findings), 2)

    def test_consequences_of_a_failing_base_or_setup_refer_to_it(self) -> None:
        self.notes.met(Finding(FindingKind.SETUP, "`x` failed"))
        self.notes.met(Finding(FindingKind.CHECKS, "`y` failed"))
        failure = Failure("`x` failed", stage=Stage.SETUP).within("in a clean checkout, {what}")
        self.assertEqual(failure.what, "in a clean checkout, setup: `x` failed")
        self.assertTrue(self.notes.explains(failure.origin))
        self.assertFalse(self.notes.explains("`y` failed"))

    def test_the_critical_path_is_of_what_dependents_wait_for(self) -> None:
        self.takes(1, BASE, "checks")
        self.takes(2, "a", "setup")
        self.takes(3, "b", "worktree")
        self.takes(4, "c", "worktree")
        self.takes(100, "c", "cleanup")
        self.takes(5, LANDING, "merge")
        self.assertEqual(self.notes.critical_path(self.dag), ([BASE, "a", "b", LANDING], 11))
        self.assertEqual(self.notes.document(self.dag)["overhead_seconds"], 11)

    def test_a_part_that_is_met_twice_takes_the_sum_of_both_also_where_it_fails(self) -> None:
        self.takes(1, "a", "setup")
        with self.assertRaises(ValueError), self.notes.timed("a", "setup"):
            self.now += 2
            raise ValueError
        self.assertEqual(self.notes.sum("a"), 3)

    def test_findings_are_shown_with_the_next_step_and_the_times(self) -> None:
        self.notes.met(Finding(FindingKind.NAMES, "the branch is taken", "rename it"))
        self.notes.met(Finding(FindingKind.BASE, "`x` failed", "", (BASE,), "one\ntwo\x1b[2J"))
        self.notes.met(Finding(FindingKind.CHECKS, "`y` failed", "mend it", ("a",)), expected=True)
        self.takes(0.25, BASE, "checks")
        self.takes(75, "a", "setup")
        expected = [
            "The run would have these problems:",
            "  names: the branch is taken",
            "    next: rename it",
            "  base: `x` failed",
            "      one",
            "      two",
            "",
            "Failing, as expected before Claude's work:",
            "  checks (a): `y` failed",
            "",
            "OVERHEAD (time outside Claude)  worktree  copy  setup  checks  commit  merge  cleanup"
            "  all",
            "the base                        -         -     -      0.25s   -       -"
            "      -        0.25s",
            "a                               -         -     1m15s  -       -       -"
            "      -        1m15s",
            "On the critical path, outside Claude: 1m15s (the base -> a)",
        ]
        self.assertEqual(self.told(), expected)
        self.assertEqual(self.told(quiet=True), expected[:6])

    def test_no_finding_is_stated_unless_the_rehearsal_was_stopped(self) -> None:
        nothing = "No problems found."
        self.assertEqual(self.told(quiet=True), [nothing])
        stopped = "Stopped before everything was tried."
        self.assertEqual(self.told(is_whole=False, quiet=True), [stopped])
        self.notes.met(Finding(FindingKind.NAMES, "taken"))
        both = [stopped, "The run would have these problems:", "  names: taken"]
        self.assertEqual(self.told(is_whole=False, quiet=True), both)

    def test_each_fault_of_an_error_is_a_finding(self) -> None:
        found = [
            finding.what
            for finding in of_details(FindingKind.NAMES, "in the way", ("x", "y"), "go")
        ]
        self.assertEqual(found, ["x", "y"])
        (finding,) = of_details(FindingKind.NAMES, "in the way", (), "go")
        self.assertEqual((finding.what, finding.next), ("in the way", "go"))


if __name__ == "__main__":
    unittest.main()
