"""What a retry that goes on changes in a feature's state."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.again import Again
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import FeatureOutcome, Status
from core.model.state import FeatureState
from tests.support.every_event import AT, EVERY
from tests.support.lives import DONE, WORK, asked_again, life, life_again

COMPLETED = FeatureOutcome(Status.COMPLETED, work=WORK)


class FoldAgainTest(unittest.TestCase):
    def setUp(self) -> None:
        self.story = life("r1", DONE, COMPLETED)

    def auth(self, *story: Event) -> FeatureState:
        return fold([*self.story, *story]).feature("auth")

    def test_a_retry_goes_on_if_there_is_something_to_say_or_more_to_try(self) -> None:
        comment = EVERY["commented"]
        self.assertIsNone(self.auth(asked_again()).again)
        self.assertEqual(self.auth(comment, asked_again()).again, Again())
        self.assertEqual(self.auth(asked_again(3)).again, Again(3))
        self.assertIsNone(self.auth(comment, asked_again(done=False)).again)
        self.assertIsNone(fold([comment, asked_again()]).feature("auth").again)

    def test_it_has_no_result_until_it_ends_and_remembers_the_one_before(self) -> None:
        *begun, ended = life_again("r2", "c2")
        known = self.auth(*begun)
        self.assertEqual(
            (known.work, known.last_result, known.older), (None, "c0ffee", ("c0ffee",))
        )
        self.assertEqual((known.start_commit, known.work_start), ("57a8", "57a8"))
        known = self.auth(*begun, ended)
        self.assertEqual((known.last_result, known.again), ("c2", None))
        self.assertEqual((known.older, known.published), (("c0ffee",), ("r2", 1)))

    def test_a_second_result_of_a_run_has_a_name_of_its_own(self) -> None:
        known = self.auth()
        self.assertEqual([known.result_name(run) for run in ("r1", "r2")], ["r1.2", "r2"])
        self.assertEqual(self.auth(*life_again("r1", "c2")).result_name("r1"), "r1.3")

    def test_the_same_commit_once_more_is_no_older_result(self) -> None:
        self.assertEqual(self.auth(*life_again("r2", "c0ffee")).older, ())

    def test_a_new_start_and_a_cleanup_end_it(self) -> None:
        begun = life_again("r2", "c2")[:-1]
        start = Decision("auth", Action.START, "rejected", "key", {})
        based = events.based(AT, "r2", start, start_commit="5", base_commit="ba5e")
        self.assertEqual(
            (self.auth(*begun, based).again, self.auth(*begun, based).older), (None, ())
        )
        self.assertEqual(self.auth(*begun, based).last_result, "")
        self.assertIsNone(self.auth(*begun, EVERY["cleaned"]).again)


if __name__ == "__main__":
    unittest.main()
