"""The fold of landings: what each merge moved, and what of it was undone."""

from __future__ import annotations

import unittest
from collections.abc import Iterable

from core.model import events
from core.model.event_json import from_json, to_json
from core.model.events import Event
from core.model.fold import fold
from core.model.state import Move
from core.model.strategy import Strategy


def landing(merge: str, feature: str, tip: str = "t1", into: str = "main") -> Event:
    """A landing on a branch that was at ``s``."""
    strategy = Strategy.SQUASH
    given = {"into": into, "commit": tip, "result": "r", "tip": tip, "moved_from": "s"}
    return events.landing(1.0, merge, feature, strategy=strategy, **given)  # type: ignore[arg-type]


def merged(merge: str, feature: str) -> Event:
    """The end of a landing."""
    return events.merged(2.0, merge, feature, into="main", commit="t1", strategy=Strategy.SQUASH)


def cleaned(feature: str, into: str) -> Event:
    """A cleanup of a merged feature."""
    return events.cleaned(
        3.0, feature, merged_into=into, kept_ref="", discarded=False, detail="squashed"
    )


MOVE = Move("m1", 1.0, "main", "t1", "s")
UNDOING = events.undoing(4.0, MOVE, kept_ref="k", branches={"b": "feature/b"})
UNDONE = events.undone(5.0, MOVE)


class Moves(unittest.TestCase):
    def story(self) -> list[Event]:
        start = events.merge_started(0.0, "m1", into="main", owner="list.json")
        both = [landing("m1", id) for id in "ab"]
        return [start, *both, merged("m1", "a"), merged("m1", "b")]

    def moves(self, story: Iterable[Event]) -> Move:
        (move,) = fold(from_json(to_json(event)) for event in story).moves.values()
        return move

    def test_a_move_has_all_features_of_its_merge(self) -> None:
        story = self.story()
        begun, over = self.moves(story[:2]), self.moves(story)
        self.assertEqual((begun.is_over, list(begun.landings)), (False, ["a"]))
        self.assertEqual((over.is_over, list(over.landings)), (True, ["a", "b"]))
        named = (over.merge, over.into, over.tip, over.moved_from, over.owner, over.at)
        self.assertEqual(named, ("m1", "main", "t1", "s", "list.json", 1.0))

    def test_the_intent_takes_away_only_what_git_cannot_tell(self) -> None:
        story = [*self.story(), cleaned("b", "main"), cleaned("a", "other"), UNDOING]
        state = fold(story)
        b, a = state.feature("b"), state.feature("a")
        self.assertEqual((b.merged_into, b.branch, a.merged_into), ("", "feature/b", "other"))
        self.assertEqual(list(b.landings), ["main"])
        self.assertEqual(state.moves["m1"].undoing_at, 4.0)
        state = fold([UNDONE], state)
        self.assertEqual((state.feature("b").landings, state.moves["m1"].undone_at), ({}, 5.0))

    def test_a_later_landing_stays(self) -> None:
        story = [*self.story(), landing("m2", "a", "t2"), landing("m2", "b", into="develop")]
        state = fold([*story, UNDOING, UNDONE])
        self.assertEqual(state.feature("a").landings["main"].tip, "t2")
        self.assertEqual(list(state.feature("b").landings), ["develop"])

    def test_events_of_an_unknown_merge_or_feature_change_nothing(self) -> None:
        strange = Event("undoing", 1.0, "m1", data={"branches": 3})
        self.assertEqual(fold([UNDOING, UNDONE, Event("landing", 1.0, "m1")]).moves, {})
        state = fold([*self.story(), strange])
        self.assertEqual(state.feature("a").branch, "")


if __name__ == "__main__":
    unittest.main()
