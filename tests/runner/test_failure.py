"""Failures: their words, and what could not be tried at all."""

from __future__ import annotations

import unittest

from core.git.tampering import Tampered
from core.model.errors import StateError, UserError
from core.model.outcome import Stage
from core.process.supervisor import Killed
from core.runner.failure import REASON_LINES, Failure, unable


class Words(unittest.TestCase):
    def test_the_reason_has_the_stage_the_cause_and_the_end_of_the_output(self) -> None:
        output = "\n".join(map(str, range(REASON_LINES + 5)))
        failure = Failure("`make` ended with exit 2", output, stage=Stage.SETUP)
        self.assertEqual(failure.what, "setup: `make` ended with exit 2")
        self.assertEqual(failure.printed.splitlines(), output.splitlines()[5:])
        self.assertEqual(failure.reason, f"{failure.what}\n{failure.printed}")
        self.assertEqual(Failure("gone").reason, "gone")

    def test_words_around_a_failure_leave_its_first_cause_alone(self) -> None:
        failure = Failure("`x` failed", "said", stage=Stage.CHECK)
        again = failure.within("`creates` promises {entry}, but {what}", entry="command:x")
        again = again.within("in a clean checkout, {what}")
        words = "in a clean checkout, `creates` promises command:x, but check: `x` failed"
        self.assertEqual((again.what, again.stage), (words, Stage.NONE))
        self.assertEqual((again.origin, again.output), ("`x` failed", "said"))


class NotTried(unittest.TestCase):
    def test_what_can_not_be_tried_is_no_fault_of_the_work(self) -> None:
        failure = unable(UserError("the worktree is locked", "unlock it"))
        self.assertEqual((failure.cause, failure.hint), ("the worktree is locked", "unlock it"))
        self.assertEqual(failure.what, "the worktree is locked\nunlock it")
        self.assertTrue(failure.is_ours)
        self.assertEqual(
            failure.within("in it, {what}").what, "in it, the worktree is locked\nunlock it"
        )

    def test_a_killed_command_was_interrupted(self) -> None:
        self.assertTrue(unable(Killed("git was ended")).interrupted)

    def test_what_ends_the_run_is_raised_again(self) -> None:
        for error in (StateError("the disk is full"), Tampered("a hook was added")):
            with self.assertRaises(type(error)):
                unable(error)


if __name__ == "__main__":
    unittest.main()
