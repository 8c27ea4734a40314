"""Whether a feature may leave, by its review."""

from __future__ import annotations

import unittest

from core.model.again import Again
from core.model.attempt import Attempt
from core.model.decision import Action, Decision
from core.model.feature import Config, Project
from core.model.frozen import replace
from core.model.outcome import Status, Work
from core.model.review import Answer, Review
from core.model.state import FeatureState, RunState
from core.project.reviewed import is_required, why_held, why_nothing_new

AUTH = FeatureState("auth")


class ReviewedTest(unittest.TestCase):
    def test_the_list_or_an_option_requires_a_review(self) -> None:
        free = Config("", "", Project("shop", "/shop"), ())
        bound = replace(free, project=replace(free.project, require_review=True))
        self.assertEqual([is_required(free, asked) for asked in (False, True)], [False, True])
        self.assertTrue(is_required(bound, False))

    def test_what_was_rejected_or_is_retried_is_always_held(self) -> None:
        for known, words in (
            (replace(AUTH, review=Review(Answer.REJECTED, "c1")), "it was rejected"),
            (replace(AUTH, again=Again()), "its retry has not ended"),
        ):
            for only in (False, True):
                self.assertIn(words, why_held(known, "c1", only_accepted=only))

    def test_only_what_was_accepted_as_it_is_may_leave_if_that_is_asked(self) -> None:
        yes = replace(AUTH, review=Review(Answer.ACCEPTED, "c1"))
        self.assertEqual(why_held(AUTH, "c1", only_accepted=False), "")
        self.assertEqual(why_held(yes, "c1", only_accepted=True), "")
        self.assertIn("it was not accepted", why_held(AUTH, "c1", only_accepted=True))
        self.assertIn("changed since it was accepted", why_held(yes, "c2", only_accepted=True))

    def test_a_plan_says_that_nothing_new_would_start(self) -> None:
        config = Config("", "", Project("shop", "/shop", max_unreviewed=1), ())
        done = FeatureState("auth", status=Status.COMPLETED, work=Work("c1"))
        begun = FeatureState("api", attempts=(Attempt("r1", 1, "s1", 1.0),))
        state = RunState({"auth": done, "api": begun})
        made = {id: Decision(id, Action.START, "new") for id in ("auth", "api", "docs")}
        (said,) = why_nothing_new(config, state, made, ["api", "docs"])
        self.assertIn("for your review: 1 (project.max_unreviewed is 1)", said)
        landed = {**made, "auth": replace(made["auth"], merged="ancestor")}
        off = replace(config, project=replace(config.project, max_unreviewed=None))
        for other in (
            why_nothing_new(config, state, made, ["api"]),
            why_nothing_new(config, state, landed, ["docs"]),
            why_nothing_new(off, state, made, ["docs"]),
        ):
            self.assertEqual(other, [])


if __name__ == "__main__":
    unittest.main()
