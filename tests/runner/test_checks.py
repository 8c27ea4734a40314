"""Contracts, the checks of a feature with feedback to Claude, and clean checkouts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from unittest import mock

from core.git.door import Git
from core.model.decision import Action
from core.model.events import Event
from core.model.outcome import Fault, Status
from core.process.cancellation import Cancellation
from core.process.supervisor import Killed
from tests.support.checks import PAUSE, SHOW, ChecksTest
from tests.support.once import once
from tests.support.runner import run_id


@once
class Contracts(ChecksTest):
    def test_contracts_that_a_feature_uses_must_hold_where_it_starts(self) -> None:
        self.workspace.commit({"src/base.py": "class Base:\n    pass\n"})
        there = ["path:src/base.py", "path:./src/", "symbol:Base", "command:test -f src/base.py"]
        self.lists(uses=["free text", *there])
        self.completes()
        cases = {
            "path:src/other.py": "there is no such path",
            "path:src/base.py/x": "there is no such path",
            "symbol:Other": "no line of code defines it",
            "command:echo it hurts; false": "check: `echo it hurts; false` ended with exit 1",
        }
        for entry, reason in cases.items():
            with self.subTest(entry):
                self.lists(uses=[there[0], entry])
                self.fails(Fault.SETUP, f"`uses` names {entry}, but {reason}")
                self.assertEqual(self.attempts(), [])

    def test_the_contracts_of_creates_must_hold_in_the_commit(self) -> None:
        project = {"verify_attempts": 0}
        write = {"write": "src/task.py", "content": "class Task:\n    pass\n"}
        kept = ["path:src/task.py", "symbol:Task", "command:test -f src/task.py", "free text"]
        self.lists(write, creates=kept, project=project)
        self.completes()
        for entry in ("path:src/other.py", "symbol:Other", "command:test -f other"):
            with self.subTest(entry):
                self.lists(write, creates=[*kept, entry], project=project)
                self.fails(Fault.CHECK, f"`creates` names {entry}, but ")

    def test_the_contracts_a_resumed_feature_uses_are_not_checked_again(self) -> None:
        fail = {"fail": "Overloaded", "status": 529}
        self.lists({"write": "a.txt"}, fail, uses=["command:test ! -e a.txt"])
        self.assertEqual(self.run_feature().fault, Fault.TRANSIENT)
        self.completes(Action.RESUME)


class Checks(ChecksTest):
    def test_a_feature_whose_checks_pass_completes(self) -> None:
        self.lists(project={"verify": ["test -f a.md"]}, verify=[["echo", "a b"]])
        self.completes()
        self.assertEqual(self.log("verify"), "$ test -f a.md\n$ echo 'a b'\na b\n")
        check = self.state.feature("a").last_check
        assert check is not None
        self.assertEqual((check.command, check.passed), ("echo 'a b'", True))
        self.assertEqual(check.ending, "ended with exit 0")
        self.assertEqual(len(self.state.passed), 2)

    def test_the_same_session_gets_the_failing_check_and_fixes_it(self) -> None:
        self.lists(
            {"write": "bad"},
            PAUSE,
            {"bash": "rm bad; touch good"},
            verify=["echo looking with $TEST_TOKEN; test ! -f bad || exit 3"],
        )
        with mock.patch.dict(self.workspace.environ, {"TEST_TOKEN": "tok-1234567"}):
            self.completes()
        self.assertEqual(self.attempts(), [(1, False), (2, True)])
        (_, first), (_, second) = (
            (a.number, a.session_id) for a in self.state.feature("a").attempts
        )
        self.assertEqual(first, second)
        said = self.prompt_of(2)
        self.assertIn("test ! -f bad || exit 3` ended with exit 3", said)
        self.assertIn("looking with [masked TEST_TOKEN]\n", said)
        self.assertNotIn("tok-1234567", said)
        self.assertEqual(self.workspace.added("feature/a"), {"good"})

    def test_a_lost_session_starts_over_with_the_whole_prompt(self) -> None:
        self.workspace.environ.pop("RORCHESTRATOR_SIMULATION")
        self.lists({"bash": "echo x >> seen.txt"}, verify=["test $(wc -l < seen.txt) -gt 1"])
        self.completes()
        self.assertEqual(self.attempts(), [(1, False), (2, True), (3, False)])
        said = self.prompt_of(3)
        self.assertIn('Task: bring the feature "a"', said)
        self.assertIn("An earlier attempt at this feature", said)
        self.assertIn("ended with exit 1", said)
        self.assertIn("(nothing)", said)

    def test_a_check_that_keeps_failing_fails_the_feature_and_its_work_is_not_published(
        self,
    ) -> None:
        self.lists({"write": "bad"}, project={"verify": ["seq 30; test ! -f bad"]})
        self.fails(
            Fault.CHECK, "check: `seq 30; test ! -f bad` ended with exit 1\n11\n12\n", "\n30"
        )
        self.assertEqual(len(self.attempts()), 3)
        self.assertEqual(self.workspace.added("feature/a"), {"bad"})
        self.assertEqual(self.workspace.ref("a"), [])
        self.assertIsNone(self.state.feature("a").work)
        check = self.state.feature("a").last_check
        assert check is not None
        self.assertEqual((check.passed, check.ending), (False, "ended with exit 1"))

    def test_the_list_sets_how_often_claude_may_fix_checks(self) -> None:
        self.lists(verify=["false"], project={"verify_attempts": 0})
        self.fails(Fault.CHECK, "check: `false` ended with exit 1")
        self.assertEqual(len(self.attempts()), 1)

    def test_a_check_that_hangs_is_ended_and_red(self) -> None:
        project = {"verify_timeout_seconds": 0.3, "verify_attempts": 0}
        self.lists(verify=["sleep 300"], project=project)
        self.fails(Fault.CHECK, "check: `sleep 300` did not end within")

    def test_uncommitted_files_that_the_checks_saw_are_named(self) -> None:
        self.lists({"write": ".env"}, {"write": "a.txt"}, verify=["test -f .env"])
        self.completes()
        told = "the checks see files that are in no commit: .env"
        self.assertTrue(any(note.startswith(told) for note in self.notes()), self.notes())

    def test_an_interrupted_check_is_repeated_without_claude(self) -> None:
        on = self.workspace.beside("on")
        self.lists(project={"verify": [f"test -e {on} || {{ touch {on}; sleep 300; }}"]})

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == "checking":
                self._watcher = asyncio.get_running_loop().create_task(watch(stop))

        async def watch(stop: Cancellation) -> None:
            while not os.path.exists(on):
                await asyncio.sleep(0.01)
            stop.set()

        self.on_event = listen
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertIsNone(self.state.feature("a").last_check)
        self.on_event = lambda event, stop: None
        self.completes(Action.RESUME)
        self.assertEqual(self.attempts(), [(1, False)])

    def test_a_git_command_killed_by_a_second_signal_is_no_failing_check(self) -> None:
        self.lists(verify=["true"])
        killed = mock.patch.object(Git, "tree_of", side_effect=Killed("git was killed"))
        with killed:
            outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))

    def test_an_unsuccessful_attempt_ends_the_fixing_of_checks(self) -> None:
        self.lists({"write": "bad"}, PAUSE, {"fail": "Overloaded", "status": 529}, verify=["false"])
        self.assertEqual(self.run_feature().fault, Fault.TRANSIENT)


@once
class CleanCheckout(ChecksTest):
    def clean(self, *does: Mapping[str, object], **project: object) -> None:
        self.lists(*does, project={"verify_clean": True, "verify_attempts": 0, **project})

    def test_checks_that_pass_only_with_an_uncommitted_file_fail(self) -> None:
        passes = "test -f .env -o ! -f a.txt"
        self.clean({"write": ".env"}, {"write": "a.txt"}, verify=[passes])
        self.fails(Fault.CHECK, f"in a clean checkout, check: `{passes}` ended with exit 1")
        self.assert_no_scratch()

    def test_it_has_setup_and_supplies_of_its_own_and_is_torn_down(self) -> None:
        self.ignore(".env", "*.made")
        self.supply(".env")
        seen = self.workspace.beside("seen")
        self.clean(
            setup=[f"{SHOW} setup >> {seen}; touch x.made"],
            copy=[".env"],
            verify=[f"{SHOW} verify >> {seen}; test -f .env -a -f x.made"],
            teardown=[f"{SHOW} teardown >> {seen}"],
        )
        self.completes()
        with open(seen, encoding="utf-8") as file:
            lines = [line.split() for line in file]
        own, clean = ["a", "feature/a", run_id(1)], ["_clean_a", "feature/a", run_id(1)]
        torn = ["_clean_a", "_clean_a", run_id(1)]
        self.assertEqual(
            lines,
            [
                [*own, "setup"],
                [*own, "verify"],
                [*clean, "setup"],
                [*clean, "verify"],
                [*torn, "teardown"],
            ],
        )
        self.assert_no_scratch()

    def test_a_setup_that_fails_there_is_red(self) -> None:
        setup = ["test $RORCHESTRATOR_FEATURE = a"]
        self.clean(setup=setup, verify=["true"], teardown=["false"])
        self.fails(Fault.CHECK, "in a clean checkout, setup: ")
        self.assertIn("teardown: `false` ended with exit 1", self.notes())
        self.assert_no_scratch()

    def test_promised_commands_are_looked_at_there_too(self) -> None:
        self.lists(
            {"write": ".env"},
            {"write": "a.txt"},
            creates=["command:test -f .env"],
            project={"verify_clean": True, "verify_attempts": 0},
        )
        self.fails(Fault.CHECK, "in a clean checkout, check: `test -f .env`")

    def test_a_passing_check_is_not_repeated(self) -> None:
        self.clean({"write": "a.txt"}, verify=["echo x >> ../looks"])
        self.completes()
        self.completes()
        with open(self.workspace.beside("worktrees", "looks"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "x\nx\n")

    def test_work_is_kept_and_checked_by_the_next_run_if_no_clean_checkout_can_be_made(
        self,
    ) -> None:
        self.clean({"write": "a.txt"}, verify=["true"])
        os.makedirs(self.workspace.beside("worktrees"))
        in_the_way = self.workspace.scratch_path("_clean_a")
        with open(in_the_way, "x", encoding="utf-8"):
            pass
        self.fails(Fault.COMMIT, "could not add the worktree")
        os.unlink(in_the_way)
        self.completes(Action.RESUME)
        self.assertEqual(self.attempts(), [(1, False)])

    def assert_no_scratch(self) -> None:
        names = os.listdir(self.workspace.beside("worktrees"))
        self.assertEqual([name for name in names if "~" in name], [])
        self.assertNotIn("~scratch", self.workspace.git("worktree", "list"))
