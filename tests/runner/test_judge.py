"""Verdicts on the checks of one commit: repetition, other trees, clean checkouts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.model.check_verdict import CheckVerdict, Verdict
from core.model.decision import Action
from core.model.outcome import Fault
from core.runner.failure import Failure
from core.runner.judge import Judgement
from tests.support.checks import PAUSE, ChecksTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

REWRITES = "echo tidy > README.md"
"""A check that rewrites a tracked file, also where the feature starts."""


class JudgeTest(ChecksTest):
    def verdicts(self) -> dict[str, Verdict]:
        found = self.state.feature("a").verdicts
        return {name.split(" ", 1)[1]: made.verdict for name, made in found.items()}

    def made(self, check: str) -> CheckVerdict:
        return self.state.feature("a").verdicts[check]


class OtherTrees(JudgeTest):
    def test_a_check_that_rewrites_files_where_the_feature_starts_too_is_not_yours(self) -> None:
        self.lists(project={"verify": [REWRITES, "! grep -q tidy README.md"]}, verify=["true"])
        self.completes()
        expected = {
            REWRITES: Verdict.NOT_YOURS,
            "! grep -q tidy README.md": Verdict.NOT_LOOKED_AT,
            "true": Verdict.NOT_LOOKED_AT,
        }
        self.assertEqual(self.verdicts(), expected)
        # What it wrote is nobody's work, and is gone.
        self.assertEqual(self.workspace.git("status", "--porcelain", at=self.here()), "")
        self.assertIn(f"`{REWRITES}` changed README.md", self.made(f"project {REWRITES}").after)

    def test_after_one_of_its_own_that_rewrites_files_the_others_have_no_verdict(self) -> None:
        self.lists(verify=[REWRITES, "true"], project={"verify_attempts": 0})
        self.fails(Fault.CHECK, f"`{REWRITES}` changed README.md: it did not check the commit")
        self.assertEqual(self.verdicts(), {REWRITES: Verdict.MISSING})
        self.assertEqual(self.count("checked"), 1)  # Not repeated: the tree is another one.

    def test_nothing_excuses_a_check_that_moves_the_branch(self) -> None:
        commits = "git commit -q --allow-empty -m more"
        self.lists(project={"verify": ["false", commits, "true"], "verify_attempts": 0})
        self.fails(Fault.CHECK, "changed the branch")
        self.assertEqual(self.verdicts(), {"false": Verdict.NOT_YOURS, commits: Verdict.BROKEN})


class NamedTwice(JudgeTest):
    def test_a_check_that_is_also_its_own_runs_as_often_as_one_and_is_missing(self) -> None:
        self.lists(project={"verify": ["false"], "verify_attempts": 0}, verify=["false"])
        self.fails(Fault.CHECK, "check: `false` ended with exit 1")
        self.assertIs(self.made("project false").verdict, Verdict.NOT_YOURS)
        self.assertIs(self.made("own false").verdict, Verdict.MISSING)
        self.assertEqual(self.log("verify").count("$ false"), 2)
        self.assertFalse(any("not yours" in note for note in self.notes()), self.notes())


class CleanCheckouts(JudgeTest):
    def clean(self, *does: Mapping[str, object], **more: object) -> None:
        self.lists(*does, project={"verify_clean": True, "verify_attempts": 0}, **more)

    def test_a_check_that_needs_an_uncommitted_file_is_missing(self) -> None:
        self.clean({"write": ".env"}, {"write": "a.txt"}, verify=["test -f .env", "true"])
        self.fails(Fault.CHECK, "in a clean checkout, check: `test -f .env` ended with exit 1")
        expected = {"test -f .env": Verdict.MISSING, "true": Verdict.NOT_LOOKED_AT}
        self.assertEqual(self.verdicts(), expected)

    def test_a_check_that_fails_there_once_is_flaky(self) -> None:
        once = self.workspace.beside("once")
        flaky = f"case $PWD in *_clean_*) test -e {once} || {{ touch {once}; exit 1; }};; esac"
        self.clean(verify=[flaky])
        self.completes()
        self.assertEqual(self.verdicts(), {flaky: Verdict.FLAKY})

    def test_what_fails_in_the_worktree_is_not_repeated_there(self) -> None:
        seen = self.workspace.beside("seen")
        red = f"echo ${{PWD##*/}} >> {seen}; false"
        self.lists(project={"verify_clean": True, "verify": [red, "true"]})
        self.completes()
        self.assertEqual(self.verdicts()[red], Verdict.NOT_YOURS)
        with open(seen, encoding="utf-8") as file:
            self.assertEqual([name.split("~")[0] for name in file], ["a\n", "a\n", "_start_a"])

    def test_an_interrupted_setup_there_leaves_no_verdict(self) -> None:
        on = self.workspace.beside("on")
        waits = f"case $PWD in *_clean_*) touch {on}; sleep 300;; esac"
        self.clean(setup=[waits], verify=["true"])
        self.stop_when("on")
        self.assertEqual(self.run_feature().fault, Fault.INTERRUPTED)
        self.assertEqual(self.verdicts(), {})

    def test_an_interruption_there_leaves_no_verdict(self) -> None:
        on = self.workspace.beside("on")
        waits = f"case $PWD in *_clean_*) test -e {on} || {{ touch {on}; sleep 300; }};; esac"
        self.clean(verify=[waits])
        self.stop_when("on")
        self.assertEqual(self.run_feature().fault, Fault.INTERRUPTED)
        self.assertEqual(self.verdicts(), {})
        self.on_event = lambda event, stop: None
        self.completes(Action.RESUME)
        self.assertEqual(self.verdicts(), {waits: Verdict.NOT_LOOKED_AT})


class StartCommits(JudgeTest):
    def test_no_verdict_is_made_where_the_look_was_interrupted(self) -> None:
        on = self.workspace.beside("on")
        waits = f"case $PWD in *_start_*) touch {on}; sleep 300;; esac; false"
        self.lists(project={"verify": [waits]})
        self.stop_when("on")
        self.assertEqual(self.run_feature().fault, Fault.INTERRUPTED)
        self.assertEqual(self.verdicts(), {})
        self.assertEqual(self.attempts(), [(1, False)])

    def test_the_work_is_kept_if_its_start_commit_cannot_be_looked_at(self) -> None:
        self.lists(project={"verify": ["false"]})
        os.makedirs(self.workspace.beside("worktrees"))
        in_the_way = self.workspace.scratch_path("_start_a")
        with open(in_the_way, "x", encoding="utf-8"):
            pass
        self.fails(Fault.COMMIT, "could not add the worktree")
        os.unlink(in_the_way)
        self.completes(Action.RESUME)
        self.assertEqual(self.attempts(), [(1, False)])

    def test_a_fixed_check_is_judged_anew(self) -> None:
        self.lists({"write": "bad"}, PAUSE, {"bash": "rm bad; touch b"}, verify=["! test -e bad"])
        self.completes()
        self.assertEqual(self.verdicts(), {"! test -e bad": Verdict.NOT_LOOKED_AT})


class Judgements(ChecksTest):
    def test_several_failures_are_one_with_the_output_of_the_first(self) -> None:
        first, second = Failure("one fails", "its output"), Failure("two fails", "another")
        self.assertIsNone(Judgement().failure)
        self.assertIs(Judgement(failures=(first,)).failure, first)
        both = Judgement(failures=(first, second)).failure
        assert both is not None
        self.assertEqual((both.what, both.output), ("one fails; two fails", "its output"))
        self.assertIs(Judgement(halt=second, failures=(first,)).failure, second)
