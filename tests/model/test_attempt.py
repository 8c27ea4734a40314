"""What attempts cost: reported, settled or estimated."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.attempt import Attempt, cost_of, estimate, usage_of
from core.model.costs import Paid
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Status, Usage
from tests.support.lives import DONE, LATE, attempted, prepared


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
                summed = cost_of(attempts)
                self.assertEqual((summed.usd, summed.is_complete), (cost, complete))
                self.assertEqual(usage_of(attempts), tokens)

    def test_an_attempt_without_a_result_is_estimated_from_the_cost_of_its_model(self) -> None:
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

    def test_an_estimate_needs_the_rate_of_every_model(self) -> None:
        rates = {"a": Paid(2.0, 1_000_000)}
        self.assertEqual(estimate({"a": 500_000}, rates), 1.0)
        self.assertIsNone(estimate({"a": 1, "b": 1}, rates))
