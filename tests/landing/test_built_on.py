"""Conflicts that Claude resolved in a run: what is built on one brings it along."""

from __future__ import annotations

from collections.abc import Sequence

from core.landing.layers import SESSION, Candidate, Resolved, Stack
from core.landing.stack import Stacker
from core.model.feature import Feature
from core.model.strategy import Strategy
from core.process.spawner import run_sync
from tests.support.landings import LandingTest, changed
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

BOTH = changed(3, "a and b")


class OnAResolution(LandingTest):
    def setUp(self) -> None:
        super().setUp()
        self.finished("a", {"text": changed(3, "a"), "a": "a"})
        self.finished("b", {"text": changed(3, "b"), "b": "b"})

    def joined(
        self, one: str, other: str, trailer: str = f"{SESSION}: 5e55", text: str = BOTH
    ) -> str:
        """A merge that Claude resolved, as a run leaves it."""
        files = {"text": text, "a": "a", "b": "b"}
        tree = self.repository.git("rev-parse", f"{self.commit(files, self.base)}^{{tree}}")
        words = ("commit-tree", "-p", one, "-p", other, "-m", "resolved", "-m", trailer)
        return self.repository.git(*words, tree)

    def needs_both(self, start: str, needs: Sequence[str] = ("a", "b")) -> None:
        tip = self.commit({"c": "c"}, start)
        self.candidates.append(Candidate(Feature("c", "c"), "run1", tip, start, tuple(needs)))

    def stacker(self) -> Stacker:
        return Stacker(
            *(self.worktrees, "main", self.base, self.candidates),
            strategy=self.strategy,
            check=self.check,
        )

    def assert_all_land(self) -> Stack:
        stacker = self.stacker()
        stack = run_sync(stacker.passing({}))
        self.assert_landed(stack, *(each.id for each in self.candidates))
        self.assertEqual(self.repository.files(stack.tip)["text"].decode(), BOTH)
        made = stacker.reused[stack.commit(2)]
        self.assertEqual((made.ending, made.files), (Resolved.KNOWN, ("text",)))
        self.assertEqual(made.session_id, "5e55")
        return stack

    def test_both_sides_land_with_each_strategy_whichever_was_the_first(self) -> None:
        for self.strategy in Strategy:
            for sides in ("ab", "ba"):
                with self.subTest(self.strategy, sides=sides):
                    self.candidates = self.candidates[:2]
                    self.needs_both(self.joined(*map(self.tip, sides)))
                    stack = self.assert_all_land()
                    self.assertEqual(len(self.log(stack, "%s")), 3)
                    body = self.repository.git("log", "-1", "--format=%b", stack.commit(2))
                    self.assertIn("Claude resolved the conflict in text.", body)

    def test_the_branch_may_have_moved_elsewhere(self) -> None:
        self.needs_both(self.joined(self.tip("a"), self.tip("b")))
        self.base = self.commit({"more": "x"}, self.base)
        self.assertIn("more", self.repository.files(self.assert_all_land().tip))

    def test_nothing_is_used_again_that_does_not_merge_or_is_another_conflict(self) -> None:
        sides = (self.tip("a"), self.tip("b"))
        self.needs_both(self.joined(*sides, text=changed(9, "joined", BOTH)))
        base, candidates = self.base, self.candidates
        amended = self.commit({"text": changed(3, "b"), "b": "2"}, self.base)
        cases = {
            "its place changed": (
                self.commit({"text": changed(9, "main")}, self.base),
                candidates,
            ),
            "amended": (
                base,
                [
                    candidates[0],
                    Candidate(Feature("b", "b"), "run1", amended, base),
                    candidates[2],
                ],
            ),
            "by hand": (
                base,
                [
                    *candidates[:2],
                    Candidate(Feature("c", "c"), "run1", *self.by_hand(), ("a", "b")),
                ],
            ),
        }
        for name, (self.base, self.candidates) in cases.items():
            with self.subTest(name):
                stacker = self.stacker()
                stack = run_sync(stacker.passing({}))
                self.assert_landed(stack, "a")
                self.assertEqual(stacker.reused, {})

    def by_hand(self) -> tuple[str, str]:
        """A feature's tip and start, of which only the user knows how it was resolved."""
        start = self.joined(self.tip("a"), self.tip("b"), "by hand")
        return self.commit({"c": "c"}, start), start

    def test_the_other_side_has_to_land_first(self) -> None:
        self.needs_both(self.joined(self.tip("a"), self.tip("b")))
        self.base = self.commit({"text": changed(3, "main")}, self.base)
        stacker = self.stacker()
        self.assertEqual(run_sync(stacker.passing({})).layers, ())
