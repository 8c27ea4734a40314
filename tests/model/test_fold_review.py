"""What the events of review and handover change in a feature's state."""

from __future__ import annotations

import unittest

from core.model import events, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.decision import Action, Decision
from core.model.fold import fold
from core.model.frozen import replace
from core.model.review import Answer, Comment
from tests.support.every_event import AT, COMMENT, EVERY, PULL_REQUEST, PUSH, VERDICT


class FoldReviewTest(unittest.TestCase):
    def test_each_kind_reaches_the_feature_and_its_list(self) -> None:
        known = fold(EVERY[kind] for kind in ("judged", "reviewed", "seen", "commented")).feature(
            "auth"
        )
        self.assertEqual(known.owner, "config/feature_list.json")
        self.assertEqual(known.verdicts, {"project make test": VERDICT})
        self.assertEqual((known.review.answer, known.review.commit), (Answer.ACCEPTED, "c0ffee"))
        self.assertEqual(known.review.seen, {"src/é.py": "d1ge57"})
        self.assertEqual(known.review.comments, (COMMENT,))

    def test_the_last_check_is_one_that_keeps_the_feature_from_completing(self) -> None:
        lint, test = "make lint", "make test"
        red = events.checked(AT, "r1", "a", key="k", command=lint, passed=False, ending="exit 1")
        excused = CheckVerdict(lint, Scope.PROJECT, Verdict.NOT_YOURS)
        missing = CheckVerdict(test, Scope.OWN, Verdict.MISSING, after="exit 2")
        story = [red]
        for made, expected in ((excused, lint), (missing, test), (missing, test)):
            story.append(events_review.judged(AT, "r1", "a", verdict=made))
            last = fold(story).feature("a").last_check
            assert last is not None
            self.assertEqual((last.command, last.passed), (expected, False))

    def test_verdicts_are_about_one_commit(self) -> None:
        lint = CheckVerdict("make lint", Scope.OWN, Verdict.KEPT, "c1")
        test = CheckVerdict("make test", Scope.OWN, Verdict.BROKEN, "c1")
        mended = CheckVerdict("make test", Scope.OWN, Verdict.KEPT, "c2")
        noted = replace(mended, proves_nothing=("test_a.py",))
        story = []
        for made, expected in (
            (lint, [lint]),
            (test, [lint, test]),
            (mended, [mended]),
            (noted, [noted]),
        ):
            story.append(events_review.judged(AT, "r1", "a", verdict=made))
            self.assertEqual([*fold(story).feature("a").verdicts.values()], expected)

    def test_a_push_and_a_pull_request_are_known_by_their_remote(self) -> None:
        known = fold((EVERY["pushed"], EVERY["pull_request"])).feature("auth")
        self.assertEqual((known.pushes, known.pull_request), ({"origin": PUSH}, PULL_REQUEST))

    def test_a_comment_that_is_recorded_twice_is_one_and_is_sent_once(self) -> None:
        other = events_review.commented(AT, "auth", comment=Comment("c2", "more"))
        story = (EVERY["commented"], EVERY["commented"], other, EVERY["comments_sent"])
        review = fold(story).feature("auth").review
        self.assertEqual(review.comments, (replace(COMMENT, is_sent=True), Comment("c2", "more")))
        self.assertEqual(review.open_comments, (Comment("c2", "more"),))

    def test_a_new_start_forgets_answer_and_verdicts_and_keeps_the_rest(self) -> None:
        story = [EVERY[kind] for kind in ("judged", "reviewed", "seen", "commented")]
        start = Decision("auth", Action.START, "new", "key", {})
        based = events.based(AT, "r1", start, start_commit="5", base_commit="ba5e")
        known = fold([*story, based]).feature("auth")
        self.assertEqual(known.verdicts, {})
        self.assertEqual((known.review.answer, known.review.commit), (None, ""))
        self.assertEqual(known.review.comments, (COMMENT,))
        self.assertEqual(known.review.seen, {"src/é.py": "d1ge57"})

    def test_what_a_newer_version_wrote_changes_nothing(self) -> None:
        odd = replace(EVERY["judged"], data={"verdict": "lucky"})
        self.assertEqual(fold([odd]).feature("auth").verdicts, {})
        odd = replace(EVERY["seen"], data={"seen": 7})
        self.assertEqual(fold([odd]).feature("auth").review.seen, {})
        odd = replace(EVERY["reviewed"], data={"answer": "maybe", "commit": "c"})
        self.assertIsNone(fold([odd]).feature("auth").review.answer)


if __name__ == "__main__":
    unittest.main()
