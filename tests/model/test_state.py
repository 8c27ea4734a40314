"""Sums of costs and tokens, and the features of one list."""

from __future__ import annotations

import unittest

from core.model import events, state
from core.model.costs import Paid
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Status, Usage
from core.model.state import Attempt, FeatureState, RunState
from tests.support.lives import DONE, LATE, attempted, decision, prepared


class Sums(unittest.TestCase):
    def test_cost_and_tokens_add_up_over_what_is_known(self) -> None:
        known = Attempt("r1", 1, "s1", 1, outcome=DONE)
        unknown = Attempt("r1", 2, "s2", 2, outcome=LATE)
        running = Attempt("r1", 3, "s3", 3)
        cases: list[tuple[list[Attempt], float | None, bool, Usage]] = [
            ([], 0.0, True, Usage()),
            ([known, known], 1.0, True, Usage(2, 4, 6, 8)),
            ([known, unknown], 0.5, False, Usage(1, 2, 3, 4)),
            ([known, running], 0.5, False, Usage(1, 2, 3, 4)),
            ([unknown, running], None, False, Usage()),
        ]
        for attempts, cost, complete, tokens in cases:
            with self.subTest(attempts=[a.number for a in attempts]):
                summed = state.cost_of(attempts)
                self.assertEqual((summed.usd, summed.is_complete), (cost, complete))
                self.assertEqual(state.usage(attempts), tokens)

    def test_what_ended_without_a_result_is_estimated_by_what_its_model_cost_before(self) -> None:
        paid = replace(DONE, cost_usd=0.5, paid={"opus": Paid(0.5, 1000)})
        cut = AttemptOutcome(Status.CANCELLED, tokens={"opus": 400})
        other = AttemptOutcome(Status.CANCELLED, tokens={"haiku": 7})
        life = [prepared(1, "r1"), *attempted(2, "r1", 1, paid), *attempted(4, "r1", 2, cut)]
        auth = fold(life).feature("auth")
        cost = auth.cost
        self.assertEqual((cost.usd, cost.about_usd, cost.is_complete), (0.5, 0.7, False))
        self.assertEqual(cost.tokens_at_least, 400)
        more = fold([*life, *attempted(6, "r1", 3, other)]).feature("auth").cost
        self.assertEqual((more.usd, more.about_usd, more.tokens_at_least), (0.5, None, 407))

    def test_a_resumption_settles_what_its_session_cost_before(self) -> None:
        def attempt(at: float, number: int, outcome: AttemptOutcome) -> list[Event]:
            begun = events.attempt_started(
                at, "r1", "auth", attempt=number, session_id="s", resumed=number > 1, log="l"
            )
            return [begun, events.attempt_ended(at + 1, "r1", "auth", outcome)]

        cut = AttemptOutcome(Status.CANCELLED, session_id="s", tokens={"opus": 400})
        done = replace(DONE, cost_usd=0.25, session_cost_usd=1.0)
        life = [prepared(1, "r1"), *attempt(2, 1, cut), *attempt(4, 2, cut), *attempt(6, 3, done)]
        auth = fold(life).feature("auth")
        self.assertEqual([a.cost.usd for a in auth.attempts], [0.0, 0.75, 0.25])
        self.assertTrue(auth.cost.is_complete)
        unknown = replace(done, session_cost_usd=None)
        auth = fold([*life[:5], *attempt(6, 3, unknown)]).feature("auth")
        self.assertEqual((auth.cost.usd, auth.cost.unknown), (0.25, 2))
        again = replace(cut, session_cost_usd=1.0)
        self.assertEqual(fold([*life[:5], *attempt(6, 3, again)]).feature("auth").cost.known, 0)

    def test_a_feature_costs_what_all_its_lives_did(self) -> None:
        made = decision()

        def based(at: float, run: str) -> Event:
            return events.based(at, run, made, start_commit="c", base_commit="c")

        conflict = [events.of_resolution(event) for event in attempted(7, "r1", 9, DONE)]
        story = [
            *(prepared(1, "r1"), based(1, "r1"), *attempted(2, "r1", 1, DONE)),
            *(based(4, "r1"), *attempted(5, "r1", 1, LATE), *conflict),
            *(prepared(9, "r2"), based(9, "r2"), *attempted(10, "r2", 1, DONE)),
            *(prepared(12, "r3"), based(12, "r3")),
        ]
        cost = fold(story).feature("auth").cost
        self.assertEqual((cost.usd, cost.known, cost.unknown), (1.5, 3, 1))


class Lists(unittest.TestCase):
    """Features of several lists under one id."""

    def test_a_list_keeps_what_is_still_its_own_after_another_one_took_the_id(self) -> None:
        mine = FeatureState(
            "auth", owner="a", branch="a/auth", worktree="/a/auth", start_commit="c0", key="k"
        )
        state = fold([events.replaced(1.0, "b", ["auth", "new"])], RunState({"auth": mine}))
        taken = state.of({"b"}).feature("auth")
        self.assertEqual((taken.branch, taken.start_commit, taken.key), ("a/auth", "c0", ""))
        given = state.of({"a"}).feature("auth")
        self.assertEqual((given.branch, given.key, given.is_replaced), ("", "k", True))
        elsewhere = replace(taken, branch="b/auth", worktree="/b/auth")
        state = replace(state, features={"auth": elsewhere})
        self.assertEqual(state.of({"a"}).feature("auth"), mine)
        self.assertEqual(state.of({"b"}).feature("auth"), elsewhere)
        back = fold([events.replaced(2.0, "a", ["auth"])], state)
        self.assertEqual(back.replaced["b", "auth"], elsewhere)
        self.assertNotIn(("a", "auth"), back.replaced)
        claimed = fold([events.claimed(3.0, "c", ["auth", "more"])], back)
        self.assertEqual(
            {id: known.owner for id, known in claimed.features.items()}, {"auth": "c", "more": "c"}
        )
