"""How a command asks a run and waits for the reply."""

from __future__ import annotations

import os
import threading
import time
import unittest
from typing import Any

from core.journal.lock import Holder, RunLock
from core.model import events
from core.model.control_action import ControlAction
from core.model.errors import UserError
from core.project import control_requests
from tests.support.commands import CommandResult, standing_in
from tests.support.steered_runs import Run, started
from tests.support.workspace import Workspace, feature


class AnswerTest(unittest.TestCase):
    """What a command does from the other terminal; the run is played by a thread."""

    space: Workspace

    def setUp(self) -> None:
        self.space = Workspace([feature("auth"), feature("api", depends_on=["auth"])])
        self.addCleanup(self.space.close)

    def ask(self, *words: str, run: Run | None = None, pid: int = 0) -> CommandResult:
        """Type a command while a run is on."""
        with self.space.at_work(started("r1", pid or os.getpid())):
            if run is not None:
                run.start()
            said = self.space.main(*words)
            if run is not None:
                run.over.set()
                run.join()
        return said

    def test_the_answer_of_the_run_is_shown_whatever_it_is(self) -> None:
        said = self.ask("pause", run=Run(self.space))
        self.assertEqual(said, CommandResult(0, "pause of True\n", ""))
        said = self.ask("stop", "auth", "--json", run=Run(self.space, done=False))
        expected = {"action": "stop", "feature": "auth", "done": False, "run": "r1"}
        self.assertEqual(said.code, 1)
        self.assertEqual(said.json, {**expected, "text": "stop of True", "hint": "try again"})
        said = self.ask("retry", "api", run=Run(self.space, done=False))
        answer = "rorchestrator: retry of True\n  next: try again\n"
        self.assertEqual(said, CommandResult(1, "", answer))
        said = self.ask("skip", "api", "--force", run=Run(self.space))
        self.assertEqual((said.code, said.out), (0, "skip of True\n"))

    def test_a_request_without_a_run_gives_the_next_step(self) -> None:
        for words in (("pause",), ("resume",), ("stop",), ("stop", "auth")):
            said = self.space.main(*words)
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn(f"nothing to {words[0]}\n  next: ", said.err)
        lock = RunLock(self.space.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "merge"))
        self.addCleanup(lock.release)
        self.assertIn("rorchestrator merge (pid ", self.space.main("stop").err)
        self.assertIn("rorchestrator merge is running", self.space.main("skip", "auth").err)

    def test_a_run_that_has_not_begun_is_no_run_of_before(self) -> None:
        # Its journal ends with a run that was killed, or with one that is over.
        said = self.ask("stop", pid=1)
        self.assertEqual(said.code, 2)
        self.assertIn("has not started yet, or has just finished", said.err)
        self.space.record(events.run_ended(time.time(), "r1", exit_code=0))
        with self.space.at_work():
            self.assertIn("has not started yet", self.space.main("retry", "auth").err)

    def test_a_feature_that_nobody_knows_is_refused_by_each_of_them(self) -> None:
        for words in (("stop",), ("skip",), ("retry", "--yes"), ("attach",)):
            said = self.space.main(words[0], "auht", *words[1:])
            self.assertEqual(said.code, 2)
            self.assertIn("unknown feature 'auht' (did you mean 'auth'?)", said.err)

    def ask_silently(self, run: Run | None, seconds: float) -> str:
        with self.space.at_work(started("r1", os.getpid())), self.opened() as place:
            if run is not None:
                run.start()
            with self.assertRaises(UserError) as caught:
                control_requests.ask(place, "r1", ControlAction.PAUSE, reply_seconds=seconds)
            if run is not None:
                run.over.set()
                run.join()
        self.assertEqual(caught.exception.exit_code, 1)
        self.assertEqual(os.listdir(os.path.join(self.space.state_folder, "requests")), [])
        return caught.exception.message

    def opened(self) -> Any:
        """The workspace as a command opens it."""
        from contextlib import contextmanager

        @contextmanager
        def place() -> Any:
            with standing_in(self.space.path, self.space.environ):
                from core.model.mask import Mask
                from core.project.open import open_project

                yield open_project("", "", Mask({}))

        return place()

    def test_a_run_that_does_not_reply_is_reported(self) -> None:
        said = self.ask_silently(None, 0.0)
        self.assertEqual(
            said, f"the run (pid {os.getpid()}) did not reply within 0 s; nothing was changed"
        )

    def test_a_run_that_took_it_and_says_nothing_is_not_waited_for_for_ever(self) -> None:
        said = self.ask_silently(Run(self.space, answers=False), 0.3)
        self.assertEqual(said, "the run accepted the request but did not reply")

    def test_a_run_that_ends_before_its_reply_is_reported(self) -> None:
        ended = "the run ended before it replied; nothing was changed"
        with self.opened() as place, self.assertRaises(UserError) as caught:
            control_requests.ask(place, "r1", ControlAction.PAUSE)
        self.assertEqual(caught.exception.message, ended)
        # Also where the next one has begun by then.
        with self.space.at_work(started("r1", os.getpid())), self.opened() as place:
            next_run = threading.Timer(0.1, self.space.record, [started("r2", os.getpid())])
            next_run.start()
            with self.assertRaises(UserError) as caught:
                control_requests.ask(place, "r1", ControlAction.PAUSE)
            next_run.join()
        self.assertEqual(caught.exception.message, ended)
