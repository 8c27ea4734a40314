"""What a command wants recorded reaches the journal, whether a run is in progress or not."""

from __future__ import annotations

import os
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from core.journal.lock import Holder, RunLock
from core.model import events, events_review
from core.model.errors import UserError
from core.model.mask import Mask
from core.model.review import Answer
from core.process.supervisor import MARK
from core.project import control_requests
from core.project.open import OpenProject, open_project
from tests.support.commands import standing_in
from tests.support.steered_runs import Run, started
from tests.support.workspace import Workspace, feature

ACCEPTED = events_review.reviewed(1, "auth", answer=Answer.ACCEPTED, commit="c0ffee")


class RecordTest(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)

    @contextmanager
    def opened(self) -> Iterator[OpenProject]:
        with standing_in(self.space.path, self.space.environ):
            yield open_project("", "", Mask({}))

    def record(self) -> None:
        with self.opened() as project:
            control_requests.record(project, "review", [ACCEPTED])

    def is_accepted(self) -> bool:
        return self.space.state().feature("auth").review.is_accepted("c0ffee")

    def test_without_a_run_the_command_records_it_itself(self) -> None:
        with mock.patch.object(OpenProject, "whole_state") as read:
            self.record()
        read.assert_not_called()  # push records often, and a journal may be long
        self.assertTrue(self.is_accepted())

    def test_nothing_to_record_takes_no_lock(self) -> None:
        lock = RunLock(self.space.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "merge"))
        self.addCleanup(lock.release)
        with self.opened() as project:
            control_requests.record(project, "review", [])

    def test_a_run_records_it(self) -> None:
        with self.space.at_work(started("r1", os.getpid())):
            run = Run(self.space)
            run.start()
            self.record()
            run.over.set()
            run.join()
        self.assertTrue(self.is_accepted())

    def test_a_process_of_the_run_may_not_retry_its_features(self) -> None:
        for mark, refused in (("r1/auth.1", True), ("outer/r1/auth.1", True), ("r2/auth.1", False)):
            with self.space.at_work(started("r1", os.getpid())):
                run = Run(self.space)
                run.start()
                said = self.space.main("retry", "auth", env={MARK: mark})
                run.over.set()
                run.join()
            self.assertEqual("was started by the run" in said.err, refused, mark)
            self.assertEqual("in a terminal of your own" in said.err, refused, mark)

    def test_a_run_that_refuses_is_reported(self) -> None:
        with self.space.at_work(started("r1", os.getpid())), self.assertRaises(UserError) as caught:
            run = Run(self.space, done=False)
            run.start()
            try:
                with mock.patch.object(control_requests, "REPLY_SECONDS", 0.5):
                    self.record()
            finally:
                run.over.set()
                run.join()
        self.assertEqual(caught.exception.message, "record of True")

    def test_a_merge_has_the_lock_for_too_long(self) -> None:
        lock = RunLock(self.space.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "merge"))
        self.addCleanup(lock.release)
        with (
            mock.patch.object(control_requests, "REPLY_SECONDS", 0.1),
            self.assertRaises(UserError) as caught,
        ):
            self.record()
        self.assertIn("rorchestrator merge is running", caught.exception.message)

    def test_a_run_that_has_just_ended_is_waited_for(self) -> None:
        with self.space.at_work(started("r1", os.getpid())):
            self.space.record(events.run_ended(time.time(), "r1", exit_code=0))
            with (
                mock.patch.object(control_requests, "REPLY_SECONDS", 0.1),
                self.assertRaises(UserError) as caught,
            ):
                self.record()
        self.assertIn("has just finished", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
