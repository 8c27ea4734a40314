"""Answers: of a commit, with comments that may name a place, and with what was seen."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from core.model import events
from core.model.errors import UserError
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status
from core.model.review import Answer, Comment, Review
from core.process.supervisor import MARK
from core.review import answers
from core.review.answers import Given, comment_of, give, paths_of, tip_now
from core.review.gathering import reading_of
from core.review.reading import FeatureReading
from tests.support.lives import RUN
from tests.support.once import skip_if_run_elsewhere
from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere


class Comments(unittest.TestCase):
    def test_a_place_in_front_is_a_known_file_and_a_line(self) -> None:
        paths = ("src/a.py", "a b:1", "src")
        for text, expected in (
            ("src/a.py:12 Why?", ("src/a.py", 12, "Why?")),
            ("src/a.py:12: Why?", ("src/a.py", 12, "Why?")),
            ("src/a.py:3\nWhy?\nOr not.", ("src/a.py", 3, "Why?\nOr not.")),
            ("a b:1:7 Why?", ("a b:1", 7, "Why?")),
            ("other.py:12 Why?", ("", 0, "other.py:12 Why?")),
            ("src/a.py Why?", ("", 0, "src/a.py Why?")),
            ("  http://x:80/y is down  ", ("", 0, "http://x:80/y is down")),
        ):
            with self.subTest(text):
                made = comment_of(text, paths, Review())
                self.assertEqual((made.path, made.line, made.text), expected)
                self.assertRegex(made.id, "^[0-9a-f]{12}$")

    def test_the_same_words_again_are_the_same_comment_until_claude_got_it(self) -> None:
        first = comment_of("a.py:1 Why?", ("a.py",), Review())
        waiting = Review(comments=(first,))
        self.assertEqual(comment_of("a.py:1 Why?", ("a.py",), waiting), first)
        sent = Review(comments=(replace(first, is_sent=True),))
        others = [comment_of("a.py:1 Why?", ("a.py",), sent)]
        others += [comment_of(text, ("a.py",), Review()) for text in ("a.py:2 Why?", "Why?")]
        self.assertEqual(len({each.id for each in (first, *others)}), 4)

    def test_an_empty_one_is_refused(self) -> None:
        for text in ("", " \n", "src/a.py:3", "src/a.py:3: "):
            with self.assertRaises(UserError):
                comment_of(text, ("src/a.py",), Review())


class Answers(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)
        self.tip = self.space.finish("auth", {"a": "1\n", "b": "2\n"})
        self.feature = self.read()

    def read(self) -> FeatureReading:
        project = place_of(self.space)
        return reading_of(project, project.state(), ["auth"]).features[0]

    def give(self, given: Given) -> Review:
        project = place_of(self.space)
        give(project, project.state(), self.feature, given)
        return self.space.state().feature("auth").review

    def test_an_answer_is_recorded_with_its_commit_and_all_that_was_seen(self) -> None:
        review = self.give(Given(Answer.ACCEPTED))
        self.assertTrue(review.is_accepted(self.tip))
        self.assertEqual(review.seen, self.feature.sightings)
        review = self.give(Given(Answer.REJECTED, Comment("c", "No.", "a", 1)))
        self.assertEqual((review.answer, review.commit), (Answer.REJECTED, self.tip))
        self.assertEqual([each.text for each in review.comments], ["No."])
        self.assertEqual(len(self.space.events("seen")), 1, "it was seen before")

    def test_a_process_of_the_run_may_comment_but_accepts_and_rejects_nothing(self) -> None:
        with mock.patch.dict(os.environ, {MARK: f"{RUN}/auth"}):
            for answer in Answer:
                with self.assertRaises(UserError) as raised:
                    self.give(Given(answer, Comment("c", "Fine.")))
                self.assertIn("started by the run", raised.exception.message)
            self.assertEqual(self.space.state().feature("auth").review, Review())
            self.assertEqual(len(self.give(Given(None, Comment("c", "Why?"))).comments), 1)

    def test_a_comment_on_a_file_says_that_this_file_was_seen(self) -> None:
        self.assertEqual(set(self.give(Given(None, Comment("1", "x", "a", 1))).seen), {"a"})
        self.assertEqual(set(self.give(Given(None, Comment("2", "x"))).seen), {"a", "b"})

    def test_a_comment_on_a_file_after_all_was_shown_says_so_of_all(self) -> None:
        given = Given(None, Comment("1", "x", "a", 1), saw_all=True)
        self.assertEqual(set(self.give(given).seen), {"a", "b"})

    def test_many_files_are_recorded_in_several_events(self) -> None:
        with mock.patch.object(answers, "FILES_AT_ONCE", 1):
            self.assertEqual(self.give(Given(Answer.ACCEPTED)).seen, self.feature.sightings)
        self.assertEqual(len(self.space.events("seen")), 2)

    def test_an_answer_to_another_commit_than_that_of_now_is_refused(self) -> None:
        self.space.commit({"a": "3\n"}, at=self.space.worktree("auth"))
        with self.assertRaises(UserError) as raised:
            self.give(Given(Answer.ACCEPTED))
        self.assertIn(f"({self.tip[:10]} is now ", raised.exception.message)
        self.assertEqual(self.space.state().feature("auth").review, Review())

    def test_an_answer_to_a_feature_that_is_being_worked_on_again_is_refused(self) -> None:
        self.space.record(events.ended(1.0, RUN, "auth", FeatureOutcome(Status.FAILED, "x")))
        with self.assertRaises(UserError) as raised:
            self.give(Given(Answer.ACCEPTED))
        self.assertIn("no longer completed", raised.exception.message)

    def test_work_that_cannot_be_read_can_still_be_answered(self) -> None:
        project = place_of(self.space)
        for unread in ({"side_effect": UserError("gone")}, {"new": _nothing}):
            with mock.patch.object(answers, "own_work", **unread):
                self.assertEqual(tip_now(project, project.state(), "auth"), self.tip)
        self.assertEqual(tip_now(project, project.state(), "other"), "")

    def test_a_comment_may_be_about_any_file_of_the_commit(self) -> None:
        project = place_of(self.space)
        self.assertLessEqual({"a", "b", "README.md"}, set(paths_of(project, self.feature)))
        lost = replace(self.feature, tip="1" * 40)
        self.assertEqual(paths_of(project, lost), ["a", "b"])


async def _nothing(*_: object) -> None:
    return None


if __name__ == "__main__":
    unittest.main()
