"""Which completed features wait for a review."""

from __future__ import annotations

import unittest

from core.model import events_review
from core.model.again import Again
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status, Work
from core.model.review import Answer, Comment
from core.model.state import FeatureState, Landing, RunState
from core.model.strategy import Strategy
from core.model.unreviewed import unreviewed
from tests.support.every_event import AT
from tests.support.lives import DONE, WORK, life, life_again

COMPLETED = FeatureOutcome(Status.COMPLETED, work=WORK)


def reviewed(answer: Answer, commit: str) -> Event:
    return events_review.reviewed(AT, "auth", answer=answer, commit=commit)


class UnreviewedTest(unittest.TestCase):
    def after(self, *story: Event) -> list[str]:
        return unreviewed(fold([*life("r1", DONE, COMPLETED), *story]), ["auth", "api"])

    def test_a_result_waits_for_an_answer_of_its_own(self) -> None:
        self.assertEqual(self.after(), ["auth"])
        for answer in Answer:
            # Whatever the user added to the branch before they answered.
            self.assertEqual(self.after(reviewed(answer, "c0ffee-and-more")), [])
        newer = (reviewed(Answer.ACCEPTED, "c0ffee"), *life_again("r2", "c2"))
        self.assertEqual(self.after(*newer), ["auth"])
        self.assertEqual(self.after(*newer, reviewed(Answer.ACCEPTED, "c2")), [])

    def test_a_comment_on_all_of_it_is_for_claude_until_that_has_worked_on_it(self) -> None:
        for comment, expected in (
            (Comment("1", "Use scrypt."), []),
            (Comment("1", "Use scrypt.", "a.py", 3), ["auth"]),
            (Comment("1", "Use scrypt.", source="github 7"), ["auth"]),
        ):
            said = events_review.commented(AT, "auth", comment=comment)
            self.assertEqual(self.after(said), expected)
            self.assertEqual(self.after(said, *life_again("r2", "c2")), ["auth"])

    def test_what_landed_or_has_no_result_does_not_wait(self) -> None:
        auth = FeatureState("auth", status=Status.COMPLETED, work=Work("c1"))
        landing = Landing("m1", "c1", Strategy.MERGE, "m1", is_over=True)
        for known in (
            replace(auth, merged_into="develop"),
            replace(auth, landings={"develop": landing}),
            replace(auth, again=Again()),
            replace(auth, status=Status.FAILED),
            replace(auth, work=None),
        ):
            self.assertEqual(unreviewed(RunState({"auth": known}), ["auth"]), [])
        for known in (
            replace(auth, landings={"develop": replace(landing, is_over=False)}),
            replace(auth, landings={"develop": replace(landing, result="c0")}, older=("c0",)),
        ):
            self.assertEqual(unreviewed(RunState({"auth": known}), ["auth"]), ["auth"])
        self.assertEqual(unreviewed(RunState({"auth": auth}), ["auth"], ["auth"]), [])


if __name__ == "__main__":
    unittest.main()
