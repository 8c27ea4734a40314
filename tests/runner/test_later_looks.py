"""Looks of completed features at their start commit: what they find, and what ends them."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from typing import Any
from unittest import mock

from core.git.tampering import Tampered
from core.model.check_verdict import CheckVerdict, Verdict
from core.model.errors import StateError, UserError
from core.model.events import Event
from core.model.feature import Feature
from core.model.outcome import Status
from core.process.cancellation import Cancellation
from core.runner.added_tests import AddedTests as Added
from core.runner.start_looks import StartLooks
from tests.support.checks import ChecksTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere

SEES_ALL = "echo $RORCHESTRATOR_FEATURE $RORCHESTRATOR_SLOT $RORCHESTRATOR_BRANCH"


class LaterTest(ChecksTest):
    def setUp(self) -> None:
        super().setUp()
        self.look_seconds = 30.0

    def verdict(self, check: str, id: str = "a") -> CheckVerdict:
        return self.state.feature(id).verdicts[f"own {check}"]

    def assert_nothing_is_left(self) -> None:
        names = os.listdir(self.workspace.beside("worktrees"))
        self.assertEqual([name for name in names if "~" in name], [])
        self.assertNotIn("~scratch", self.workspace.git("worktree", "list"))
        self.assertEqual(self.workspace.processes(), [])


class Found(LaterTest):
    def test_own_checks_run_at_the_start_commit_behind_the_slots(self) -> None:
        seen = self.workspace.beside("seen")
        look = f"{SEES_ALL} >> {seen}; test -e a.md"
        self.lists(verify=[look, "true"], setup=[f"{SEES_ALL} setup >> {seen}"])
        self.completes()
        self.assertEqual(self.verdict(look).verdict, Verdict.PROVED)
        self.assertEqual(self.verdict(look).before, "ended with exit 1")
        self.assertEqual(self.verdict("true").verdict, Verdict.KEPT)
        with open(seen, encoding="utf-8") as file:
            lines = file.read().splitlines()
        own, start = "a 0 feature/a", "_start_a 1 feature/a"
        self.assertEqual(lines, [f"{own} setup", own, f"{start} setup", start])
        self.assert_nothing_is_left()

    def test_a_result_that_is_known_is_not_looked_at_again(self) -> None:
        seen = self.workspace.beside("seen")
        self.workspace.features(*(feature(id, verify=[f"echo >> {seen}"]) for id in "ab"))
        self.run_features("a", "b")
        self.assertEqual(self.verdict(f"echo >> {seen}", "b").verdict, Verdict.KEPT)
        self.assertEqual(os.path.getsize(seen), 3)

    def test_a_setup_that_fails_there_is_noted_and_nothing_is_proved(self) -> None:
        self.lists(setup=["test $RORCHESTRATOR_FEATURE = a"], verify=["true"])
        self.completes()
        self.assertEqual(self.verdict("true").verdict, Verdict.NOT_LOOKED_AT)
        self.assertIn("its checks did not run at its start commit: setup: ", self.notes()[-1])
        self.assert_nothing_is_left()

    def test_a_change_of_what_git_executes_is_noted(self) -> None:
        self.lists(verify=["true"])
        with mock.patch.object(StartLooks, "look", side_effect=Tampered("a hook was changed")):
            self.completes()
        self.assertIn("start commit: a hook was changed", self.notes()[-1])

    def test_what_a_feature_came_to_before_it_ran_again_does_not_count(self) -> None:
        look = StartLooks.look
        self.workspace.features(*(feature(id, verify=["true"]) for id in "ab"))

        async def outdated(looks: StartLooks, known: Feature, *given: Any) -> object:
            if known.id == "a":
                self.runners[-1].tools.checks.later.forget("a")
            return await look(looks, known, *given)

        with mock.patch.object(StartLooks, "look", outdated):
            self.run_features("a", "b")
        self.assertEqual(self.verdict("true").verdict, Verdict.NOT_LOOKED_AT)
        self.assertEqual(self.verdict("true", "b").verdict, Verdict.KEPT)


def unittest_of(line: str) -> str:
    """A file with one test, which has this line."""
    return f"import os, unittest\nclass T(unittest.TestCase):\n    def test(self): {line}\n"


PASSING = unittest_of("pass")


class AddedTests(LaterTest):
    """What a feature added is run by the real unittest."""

    UNITTEST = f"{shlex.quote(sys.executable)} -m unittest"

    def tries(self, line: str, **more: Any) -> CheckVerdict:
        """The verdict after a feature added a test with this line."""
        steps = ({"write": "test_it.py", "content": unittest_of(line)}, {"write": "a.md"})
        self.lists(*steps, verify=[self.UNITTEST], **more)
        self.completes()
        return self.verdict(self.UNITTEST)

    def test_a_test_that_passes_without_the_change_proves_nothing(self) -> None:
        found = self.tries("pass", project={"verify": [f"{self.UNITTEST} -q", "true"]})
        self.assertEqual(found.proves_nothing, ("test_it.py",))
        known = self.state.feature("a").verdicts
        of_project = known[f"project {self.UNITTEST} -q"]
        self.assertEqual(of_project.proves_nothing, ("test_it.py",))
        self.assertEqual(known["project true"].proves_nothing, ())
        self.assertEqual(self.log("verify", "_start_a").count("test_it.py"), 1)
        self.assert_nothing_is_left()

    def test_a_test_that_fails_without_it_proves_something(self) -> None:
        found = self.tries("self.assertTrue(os.path.exists('a.md'))")
        self.assertEqual(found.proves_nothing, ())
        self.assertIn("test_it.py", self.log("verify", "_start_a"))

    def test_a_check_of_the_project_alone_is_looked_at_for_its_tests(self) -> None:
        self.lists(
            {
                "write": "test_it.py",
                "content": PASSING,
            },
            project={"verify": [self.UNITTEST]},
        )
        self.completes()
        verdict = self.state.feature("a").verdicts[f"project {self.UNITTEST}"]
        self.assertEqual(verdict.proves_nothing, ("test_it.py",))

    def test_without_an_added_test_nothing_is_looked_at(self) -> None:
        self.workspace.commit({"test_old.py": PASSING})
        self.lists(project={"verify": [self.UNITTEST]})
        self.completes()
        self.assertEqual(self.log("verify", "_start_a"), "")

    def test_what_git_cannot_tell_is_not_said(self) -> None:
        for method in ("find", "proving_nothing"):
            with mock.patch.object(Added, method, side_effect=UserError("git could not")):
                self.assertEqual(self.tries("pass").proves_nothing, ())

    def test_after_a_check_that_moves_the_branch_no_test_is_tried(self) -> None:
        moves = "case $PWD in *_start_*) git commit -q --allow-empty -m x;; esac"
        self.workspace.commit({"test_old.py": PASSING})
        self.lists({"write": "test_it.py", "content": PASSING}, verify=[moves, self.UNITTEST])
        self.completes()
        self.assertNotIn("test_it.py", self.log("verify", "_start_a"))


class Ended(LaterTest):
    def waits(self) -> str:
        on = self.workspace.beside("on")
        self.waiting = f"case $PWD in *_start_*) touch {on}; sleep 300;; esac"
        return self.waiting

    def test_a_look_that_takes_too_long_is_ended_and_no_other_begins(self) -> None:
        torn = self.workspace.beside("torn")
        features = [feature(id, verify=[self.waits()]) for id in "ab"]
        self.workspace.features(*features, teardown=[f"pwd >> {torn}"])
        self.look_seconds = 1.0
        self.run_features("a", "b")
        for id in "ab":
            self.assertEqual(self.verdict(self.waiting, id).verdict, Verdict.NOT_LOOKED_AT)
        with open(torn, encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{self.workspace.scratch_path('_start_a')}\n")
        self.assert_nothing_is_left()

    def test_a_stop_ends_them_and_no_other_begins(self) -> None:
        self.workspace.features(*(feature(id, verify=[self.waits()]) for id in "ab"))

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == "ended" and event.feature == "b":
                self._watcher = asyncio.get_running_loop().create_task(watch(stop))

        async def watch(stop: Cancellation) -> None:
            while not os.path.exists(self.workspace.beside("on")):
                await asyncio.sleep(0.01)
            stop.set()

        self.on_event = listen
        outcomes = self.run_features("a", "b")
        self.assertEqual([each.status for each in outcomes], [Status.COMPLETED] * 2)
        for id in "ab":
            self.assertEqual(self.verdict(self.waiting, id).verdict, Verdict.NOT_LOOKED_AT)
        self.assert_nothing_is_left()

    def test_none_begins_after_a_stop(self) -> None:
        seen = self.workspace.beside("seen")
        self.workspace.features(*(feature(id, verify=[f"pwd >> {seen}"]) for id in "ab"))
        self.on_event = lambda event, stop: stop.set() if event.kind == "ended" else None
        outcomes = self.run_features("a", "b")
        self.assertEqual([e.status for e in outcomes], [Status.COMPLETED, Status.CANCELLED])
        with open(seen, encoding="utf-8") as file:
            self.assertNotIn("_start_", file.read())

    def test_a_verdict_that_cannot_be_recorded_ends_the_run(self) -> None:
        self.lists(verify=["test -e a.md"])

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == "judged" and event.data["verdict"] == "proved":
                raise StateError("the journal is full")

        self.on_event = listen
        with self.assertRaisesRegex(StateError, "the journal is full"):
            self.run_feature()
        self.assert_nothing_is_left()
