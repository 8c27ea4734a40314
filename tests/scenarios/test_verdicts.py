"""Verdicts on checks: what they are, and what they cost, in whole runs with real git."""

from __future__ import annotations

import os
import signal

from core.model.check_verdict import CheckVerdict, Scope, Verdict
from tests.support.checks import PAUSE
from tests.support.commands import wait_until
from tests.support.once import once
from tests.support.workspace import Workspace, WorkspaceTest, feature

OWN, PROJECT = Scope.OWN, Scope.PROJECT
FLAKY, MISSING, BROKEN = Verdict.FLAKY, Verdict.MISSING, Verdict.BROKEN
NOT_YOURS, PROVED, KEPT = Verdict.NOT_YOURS, Verdict.PROVED, Verdict.KEPT
NOT_LOOKED_AT = Verdict.NOT_LOOKED_AT

FAILS_ONCE = "test -e $OUT/{0} || {{ touch $OUT/{0}; exit 1; }}"
"""A check that fails the first time it runs."""

RED = "test -e mended.md"
SAFE = "! test -e broken.md"
ODD = "! test -e odd.md"
SHAKY = f'test "$RORCHESTRATOR_FEATURE" != own || {{ {FAILS_ONCE.format("shaky")}; }}'
OWN_SHAKY = FAILS_ONCE.format("own-shaky")

FEATURES = (
    feature("breaks", {"write": "broken.md"}, PAUSE, {"bash": "git rm -qf broken.md; echo > b.md"}),
    feature(
        "own",
        {"write": "own.md", "content": "class Own:\n"},
        creates=["path:own.md", "path:README.md", "command:test -e own.md", "free text"],
        verify=["true", "test -e own.md", OWN_SHAKY],
    ),
    feature("lacks", verify=["test -e never.md", "! test -e lacks.md"], creates=["path:no.md"]),
    feature("odd", {"write": "odd.md"}, setup=["test $RORCHESTRATOR_FEATURE != _start_odd"]),
    feature(
        "blind",
        setup=["test $RORCHESTRATOR_FEATURE != _start_blind"],
        verify=["test -e blind.md"],
    ),
    feature("mends", {"write": "mended.md"}),
)

EXPECTED = {
    # (feature, whose check, check): (before, after, repeated) and the verdict
    ("breaks", PROJECT, RED): ((False, False, False), NOT_YOURS),
    ("breaks", PROJECT, SAFE): ((True, True, None), KEPT),  # at last
    ("own", PROJECT, RED): ((False, False, False), NOT_YOURS),
    ("own", PROJECT, SAFE): ((True, True, None), KEPT),
    ("own", PROJECT, SHAKY): ((None, False, True), FLAKY),
    ("own", OWN, "path:own.md"): ((False, True, None), PROVED),
    ("own", OWN, "path:README.md"): ((True, True, None), KEPT),
    ("own", OWN, "command:test -e own.md"): ((False, True, None), PROVED),
    ("own", OWN, "true"): ((True, True, None), KEPT),
    ("own", OWN, "test -e own.md"): ((False, True, None), PROVED),
    ("own", OWN, OWN_SHAKY): ((None, False, True), FLAKY),
    ("lacks", OWN, "path:no.md"): ((False, False, None), MISSING),
    ("lacks", OWN, "test -e never.md"): ((None, False, False), MISSING),
    ("lacks", OWN, "! test -e lacks.md"): ((None, False, False), MISSING),
    ("odd", PROJECT, ODD): ((None, False, False), BROKEN),
    ("blind", PROJECT, ODD): ((None, True, None), NOT_LOOKED_AT),
    ("blind", OWN, "test -e blind.md"): ((None, True, None), NOT_LOOKED_AT),
    ("mends", PROJECT, RED): ((False, True, None), PROVED),
    ("mends", PROJECT, SAFE): ((True, True, None), KEPT),
}

ATTEMPTS = {"breaks": 2, "own": 1, "lacks": 2, "odd": 2, "blind": 1, "mends": 1}
STATUSES = {"lacks": "failed", "odd": "failed"}


def open_workspace(test: type[WorkspaceTest]) -> Workspace:
    workspace = Workspace(apart=True)
    test.addClassCleanup(workspace.close)
    os.mkdir(workspace.beside("out"))
    workspace.environ["OUT"] = workspace.beside("out")
    return workspace


@once
class Matrix(WorkspaceTest):
    """One run whose features cover before, after and repeated, for own and project checks."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.workspace = open_workspace(cls)
        cls.workspace.features(
            *FEATURES,
            max_parallel=1,
            verify=[RED, SAFE, SHAKY, ODD],
            verify_base=False,
            verify_attempts=1,
        )
        cls.done = cls.workspace.run()
        cls.state = cls.workspace.state()

    def setUp(self) -> None:
        self.addCleanup(self._assert_clean, self.workspace)

    def verdict(self, id: str, scope: Scope, check: str) -> CheckVerdict:
        return self.state.feature(id).verdicts[f"{scope.value} {check}"]

    def test_each_check_has_the_verdict_of_its_results(self) -> None:
        for (id, scope, check), ((before, after, repeated), verdict) in EXPECTED.items():
            with self.subTest(id=id, check=check, before=before, after=after, repeated=repeated):
                found = self.verdict(id, scope, check)
                self.assertIs(found.verdict, verdict, found)
                self.assertEqual(bool(found.before), before is not None, found)

    def test_only_what_is_missing_or_broken_costs_an_attempt(self) -> None:
        attempts = {id: len(self.workspace.attempts(id)) for id in ATTEMPTS}
        self.assertEqual(attempts, ATTEMPTS)
        expected = {id: STATUSES.get(id, "completed") for id in ATTEMPTS}
        self.assertEqual(self.workspace.statuses(), expected)
        self.assertEqual(self.done.code, 1)

    def test_the_verdict_that_cost_an_attempt_is_in_the_journal_before_the_last_one(self) -> None:
        judged = [e for e in self.workspace.journal("breaks") if e["event"] == "judged"]
        self.assertEqual([e["verdict"] for e in judged if e["check"] == SAFE], ["broken", "kept"])

    def test_claude_is_told_of_all_that_failed_at_once_and_of_nothing_else(self) -> None:
        said = self.prompt("lacks")
        self.assertIn("and 3 checks failed.", said)
        self.assertIn("`creates` names path:no.md, but there is no such path", said)
        for check in ("test -e never.md", "! test -e lacks.md"):
            self.assertIn(f"check: `{check}` ended with exit 1", said)
        self.assertNotIn(RED, said)
        broken = self.prompt("breaks")
        self.assertIn("a check failed.", broken)
        self.assertIn("It passed on the commit that this branch started from.", broken)
        self.assertNotIn("It passed on the commit", said)

    def prompt(self, id: str) -> str:
        (run,) = os.listdir(os.path.join(self.workspace.state_folder, "logs"))
        path = os.path.join(self.workspace.state_folder, "logs", run, f"{id}.2.prompt")
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_a_reason_names_all_that_failed_with_the_output_of_the_first(self) -> None:
        reason = self.workspace.last("lacks")["reason"]
        self.assertIn("path:no.md, but there is no such path; check: `test -e never.md`", reason)

    def test_what_counts_as_passed_without_passing_is_noted(self) -> None:
        notes = [e["text"] for e in self.workspace.events("note") if e.get("feature") == "own"]
        excused = f"not yours: `{RED}` failed at the start commit, too"
        self.assertIn(excused, notes)
        of_lacks = [e["text"] for e in self.workspace.events("note") if e.get("feature") == "lacks"]
        self.assertEqual(of_lacks.count(excused), 1)  # Two commits were judged.
        self.assertTrue(any(note.startswith(f"flaky: `{SHAKY}`, `") for note in notes), notes)
        blind = [e["text"] for e in self.workspace.events("note") if e.get("feature") == "blind"]
        self.assertTrue(any("did not run at its start commit: setup: " in n for n in blind), blind)

    def test_a_start_commit_is_looked_at_once_for_all_features(self) -> None:
        looks = [e for e in self.workspace.events("checked") if "feature" not in e]
        commands = [e["command"] for e in looks]
        self.assertEqual(commands.count(RED), 1)

    def test_no_scratch_worktree_is_left(self) -> None:
        names = os.listdir(self.workspace.worktrees)
        self.assertEqual(sorted(names), sorted(ATTEMPTS))


class Looks(WorkspaceTest):
    """The checks of a completed feature at its start commit, when there is no time for them."""

    def waits(self) -> str:
        on = self.workspace.beside("on")
        self.check = f"case $PWD in *_start_*) touch {on}; sleep 300;; esac"
        return self.check

    def assert_not_looked_at(self) -> None:
        self.assert_statuses(a="completed")
        made = self.workspace.state().feature("a").verdicts[f"own {self.check}"]
        self.assertIs(made.verdict, NOT_LOOKED_AT)
        self.assertEqual(os.listdir(self.workspace.worktrees), ["a"])
        self.assertNotIn("_start_", self.workspace.git("worktree", "list"))

    def test_ctrl_c_ends_them(self) -> None:
        self.workspace.features(feature("a", verify=[self.waits()]))
        running = self.workspace.start("run", "--yes")
        words = "running the checks of a at their start commits, for at most 30s"
        wait_until(lambda: words in running.err, words)
        wait_until(lambda: os.path.exists(self.workspace.beside("on")), "the look")
        running.signal(signal.SIGINT)
        self.assertEqual(running.end().code, 130)
        self.assert_not_looked_at()

    def test_the_time_limit_of_the_run_ends_them(self) -> None:
        self.workspace.features(feature("a", verify=[self.waits()]))
        done = self.workspace.command("run", "--yes", "--max-time", "3s")
        self.assertEqual(done.code, 0, done)
        self.assert_not_looked_at()

    def test_a_run_waits_for_those_that_end_soon(self) -> None:
        self.workspace.features(feature("a", verify=["test -e a.md"]))
        done = self.workspace.run()
        self.assertNotIn("at their start commits", done.err)
        made = self.workspace.state().feature("a").verdicts["own test -e a.md"]
        self.assertEqual((made.verdict, made.before), (PROVED, "ended with exit 1"))
        said = self.workspace.main("logs", "_start_a", "--checks")
        self.assertIn("\n$ test -e a.md\n", said.out)
        self.assertEqual(self.workspace.main("logs", "_start_b", "--checks").code, 2)

    def test_the_checks_of_the_base_branch_are_a_look_at_features_that_start_there(self) -> None:
        bad = feature("a", {"write": "bad.md"})
        self.workspace.features(bad, verify=["! test -e bad.md"], verify_attempts=0)
        self.assertEqual(self.workspace.run().code, 1)
        made = self.workspace.state().feature("a").verdicts["project ! test -e bad.md"]
        self.assertEqual((made.verdict, made.before), (BROKEN, "ended with exit 0"))
        looks = [e for e in self.workspace.events("checked") if "feature" not in e]
        self.assertEqual(len(looks), 1)
