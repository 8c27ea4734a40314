"""What setups do to the repository: accepted of the base commit, ended anywhere else, and named."""

from __future__ import annotations

import os
import unittest

from core.model.decision import Action
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import Fault, FeatureOutcome, Status
from core.model.state import RunState
from tests.support.once import skip_if_run_elsewhere
from tests.support.runner import RunnerTest
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

HUSKY = "git config core.hooksPath .husky/_"


class SetupGuardTest(RunnerTest):
    def setUp(self) -> None:
        super().setUp()
        self.repository = self.workspace

    def told(self, part: str) -> list[str]:
        return [text for text in self.notes() if part in text]

    def accepted(self) -> list[dict[str, str]]:
        """The facts of the events by which changes became the reference."""
        return [dict(e.data["facts"]) for e in self.events if e.kind == "setup_changed"]  # type: ignore

    def assert_completed(self, outcome: FeatureOutcome) -> None:
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)


class OfTheBase(SetupGuardTest):
    def test_a_shared_setting_is_accepted_named_once_and_of_later_setups(self) -> None:
        self.workspace.features(feature("a"), feature("b"), setup=[HUSKY])
        for outcome in self.run_features("a", "b"):
            self.assert_completed(outcome)
        what = "core.hookspath in .git/config; the same is accepted of later setups"
        self.assertEqual(self.told("accepted"), [f"setup: `{HUSKY}` changed {what}"])
        self.assertEqual(len(self.accepted()), 1)
        # The user takes it back: the next run knows it from the journal.
        self.repository.git("config", "--unset", "core.hooksPath")
        self.events.clear()
        self.workspace.features(feature("c"), feature("d"), setup=[HUSKY])
        for outcome in self.run_features("c", "d"):
            self.assert_completed(outcome)
        self.assertEqual(self.accepted(), [])

    def test_several_that_set_up_at_once_are_not_blamed_for_each_other(self) -> None:
        # One sets it after the other: git itself refuses two at the same moment.
        first, second = self.workspace.beside("first"), self.workspace.beside("second")
        until = "while [ ! -e '{}' ]; do sleep 0.02; done"
        a = f"{HUSKY}; touch '{first}'; {until.format(second)}"
        b = f"{until.format(first)}; {HUSKY}; touch '{second}'"
        both = f'if [ "$RORCHESTRATOR_FEATURE" = a ]; then {a}; else {b}; fi'
        self.workspace.features(feature("a"), feature("b"), setup=[both])
        for outcome in self.run_together("a", "b"):
            self.assert_completed(outcome)

    def test_a_worktree_may_be_made_sparse(self) -> None:
        self.repository.commit({"in/a": "x", "out/b": "x"})
        sparse = "git sparse-checkout set --no-cone /in"
        self.workspace.features(feature("a"), feature("b"), setup=[sparse])
        for outcome in self.run_features("a", "b"):
            self.assert_completed(outcome)
        self.assertFalse(os.path.exists(os.path.join(self.workspace.worktree("b"), "out")))
        self.assertEqual(self.workspace.added("feature/b"), {"b.md", "in/a", "out/b"})

    def test_changes_that_git_does_not_execute_are_only_named(self) -> None:
        twelve = "git config core.abbrev 12"
        again = [twelve, "git config core.abbrev 13", "git config --unset core.abbrev", twelve]
        self.workspace.features(feature("a"), setup=again)
        self.assert_completed(self.run_feature())
        named = f"the repository's settings changed in setup `{twelve}`: core.abbrev unset → 12"
        self.assertEqual(
            [text for text in self.told("settings changed") if twelve in text], [named]
        )

    def test_a_setting_may_go_as_well(self) -> None:
        self.repository.git("config", "core.pager", "less")
        gone = "git config --unset core.pager || true"
        self.workspace.features(feature("a"), feature("b"), setup=[gone])
        for outcome in self.run_features("a", "b"):
            self.assert_completed(outcome)
        (facts,) = self.accepted()
        self.assertEqual(list(facts.values()), [""])

    def test_a_setup_that_fails_after_a_change_does_not_make_others_guilty(self) -> None:
        self.workspace.features(feature("a", setup=[f"{HUSKY}; exit 1"]), feature("b"))
        failed, other = self.run_features("a", "b")
        self.assert_failed(failed, Fault.SETUP, "exit 1")
        self.assert_completed(other)


class OfAFeature(SetupGuardTest):
    def test_any_other_change_ends_the_feature_before_claude_and_names_the_command(self) -> None:
        evil = "git config core.hooksPath evil"
        self.workspace.features(
            feature("a"), feature("b", setup=[evil]), feature("c"), setup=[HUSKY]
        )
        first, second, third = self.run_features("a", "b", "c")
        self.assert_completed(first)
        named = f"setup: while `{evil}` ran, core.hookspath in .git/config changed"
        self.assert_failed(second, Fault.TAMPERED, named)
        self.assertEqual(self.state.feature("b").attempts, ())
        # Who comes later is told who it was.
        self.assert_failed(third, Fault.TAMPERED, f"while the setup of b ran (`{evil}`)")

    def test_a_branch_that_moves_ends_it_too(self) -> None:
        self.repository.commit({"later": "x"})
        self.repository.git("branch", "other", "HEAD~1")
        cases = {
            "git reset -q --hard other": "moved HEAD from ",
            "git checkout -q -b mine": "switched the worktree from feature/a to mine",
            "git checkout -q --detach": "switched the worktree from feature/a to no branch",
        }
        for command, what in cases.items():
            with self.subTest(command):
                self.workspace.features(feature("a"), setup=[command])
                outcome = self.run_feature()
                self.assert_failed(outcome, Fault.SETUP, f"setup: `{command}` {what}")
                self.assertEqual(self.state.feature("a").attempts, ())
                self.repository.git("worktree", "remove", "-f", self.workspace.worktree("a"))
                self.repository.git("branch", "-D", "feature/a")
                self.repository.git("branch", "-D", "mine", fails="mine" not in command)

    def test_settings_changed_before_the_setup_are_not_blamed_on_it(self) -> None:
        self.workspace.features(feature("a"), feature("b"), setup=["true"])

        def plant(event: Event, _: object) -> None:
            if event.kind == "setting_up" and event.feature == "b":
                self.repository.git("config", "core.pager", "evil")

        self.on_event = plant
        first, second = self.run_features("a", "b")
        self.assert_completed(first)
        self.assert_failed(second, Fault.TAMPERED, "git hooks or settings were ch")

    def test_a_worktree_that_is_resumed_is_compared_with_what_it_was(self) -> None:
        commit = {"bash": "git add -A && git commit -qm 'by Claude'"}
        self.workspace.features(feature("a", {"write": "a.txt"}, commit), setup=["true"])
        self.workspace.hook("pre-commit", "exit 0")
        self.assert_completed(self.run_feature())
        self.assert_completed(self.run_feature(action=Action.RESUME, is_ready=False))


class OfTheCheckOfTheBase(WorkspaceTest):
    def test_it_accepts_what_the_setup_changes_before_any_feature(self) -> None:
        self.workspace.features(
            feature("a"), feature("b", depends_on=["a"]), setup=[HUSKY], verify=["true"]
        )
        done = self.workspace.run("-v")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(done.err.count("the same is accepted of later setups"), 1)

    def test_a_setup_that_moves_its_head_is_refused_before_any_feature(self) -> None:
        self.workspace.commit({"later": "x"})
        command = "git reset -q --hard HEAD~1"
        self.workspace.features(feature("a"), setup=[command], verify=["true"])
        done = self.workspace.command("run", "--yes")
        self.assertEqual(done.code, 2, done.err)
        self.assertIn(f"setup: `{command}` moved HEAD from ", done.err + done.out)


class Journalled(unittest.TestCase):
    def test_fields_of_a_damaged_event_are_ignored(self) -> None:
        events = [
            Event("setup_changed", 1.0, "run", data={"facts": {"a": "1"}}),
            Event("setup_changed", 2.0, "run", data={"facts": "no object"}),
            Event("setup_changed", 3.0, "run", data={"facts": {"a": "2", "b": ""}}),
        ]
        self.assertEqual(fold(events).setups, {"a": "2", "b": ""})
        self.assertEqual(RunState().setups, {})


if __name__ == "__main__":
    unittest.main()
