"""The cost of a feature, and the features of one list."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.state import FeatureState, RunState
from tests.support.lives import DONE, LATE, attempted, decision, prepared


class Costs(unittest.TestCase):
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
