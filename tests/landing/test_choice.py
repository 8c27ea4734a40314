"""What stays out so that the most can land: which pairs conflict is judged by git."""

from __future__ import annotations

import unittest
from functools import partial

from core.landing.choice import Choice
from core.landing.layers import Candidate, Put
from core.landing.stack import Stacker
from core.model.strategy import Strategy
from core.process.spawner import run_sync
from tests.support.landings import LandingTest, changed
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

LONG = "".join(f"a line of some length, number {number}\n" for number in range(20))


class Pairs(LandingTest):
    """Which pairs are in conflict, and for which no merge has to be tried."""

    def choice(self) -> tuple[Choice, list[tuple[str, str]]]:
        """A choice, and the candidates that it puts onto which commits."""
        stacker = Stacker(
            self.worktrees,
            "main",
            self.base,
            self.candidates,
            strategy=self.strategy,
            check=self.check,
        )
        puts: list[tuple[str, str]] = []

        async def put(onto: str, candidate: Candidate, *, is_trial: bool = False) -> Put:
            puts.append((onto, candidate.id))
            return await stacker.put(onto, candidate, is_trial=is_trial)

        tried = partial(put, is_trial=True)
        return Choice(self.worktrees.git, "main", self.base, self.candidates, put, tried), puts

    def left_out(self, *held: str) -> dict[str, str]:
        choice, _ = self.choice()
        found = run_sync(choice.left_out(dict.fromkeys(held)))  # type: ignore[arg-type]
        return {id: why.conflict_with for id, why in found.items()}

    def test_features_that_touch_nothing_in_common_are_not_tried(self) -> None:
        for number in range(4):
            self.finished(f"f{number}", {f"src/f{number}.py": "x"})
        choice, puts = self.choice()
        self.assertEqual(run_sync(choice.left_out({})), {})
        self.assertEqual({onto for onto, _ in puts}, {self.base})

    def test_a_pair_is_tried_once(self) -> None:
        self.finished("a", {"text": changed(3, "a")})
        self.finished("b", {"text": changed(3, "b")})
        choice, puts = self.choice()
        for _ in range(2):
            self.assertEqual(list(run_sync(choice.left_out({}))), ["b"])
        self.assertEqual(sum(onto != self.base for onto, _ in puts), 1)

    def test_of_a_pair_that_merges_no_commit_is_made(self) -> None:
        for place, id in enumerate("abc"):
            self.finished(id, {"text": changed(3 * place + 1, id)})
        choice, puts = self.choice()
        before = self.commits()
        self.assertEqual(run_sync(choice.left_out({})), {})
        self.assertEqual(len({onto for onto, _ in puts if onto != self.base}), 2)
        self.assertEqual(self.commits() - before, 3, "each one alone on the base")

    def commits(self) -> int:
        """How many commits the repository has, reachable or not."""
        all = ("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
        return self.repository.git(*all).split().count("commit")

    def test_a_file_where_another_has_a_folder(self) -> None:
        self.finished("file", {"src": "x"})
        self.finished("folder", {"src/deep/a.py": "x"})
        self.assertEqual(self.left_out(), {"folder": "file"})

    def test_a_file_that_one_adds_to_the_folder_that_another_renames(self) -> None:
        self.base = self.commit({f"old/{n}.py": f"{n}{LONG}" for n in range(3)}, self.base)
        moved = {f"new/{n}.py": f"{n}{LONG}" for n in range(3)}
        self.finished("moves", {**dict.fromkeys((f"old/{n}.py" for n in range(3)), None), **moved})
        self.finished("adds", {"old/more.py": "x"})
        self.assertEqual(self.left_out(), {"adds": "moves"})

    def test_a_change_of_what_a_dependency_renamed(self) -> None:
        self.base = self.commit({"a.py": LONG}, self.base)
        self.finished("moves", {"a.py": None, "b.py": LONG})
        self.finished("changes", {"b.py": LONG.replace("number 3\n", "three\n")}, needs="moves")
        self.finished("other", {"a.py": LONG.replace("number 3\n", "drei\n")})
        self.assertEqual(self.left_out(), {"other": "changes"})

    def test_a_change_of_what_the_branch_renamed_meanwhile(self) -> None:
        start = self.commit({"a.py": LONG}, self.base)
        self.base = self.commit({"a.py": None, "b.py": LONG}, start)
        self.finished("early", {"a.py": LONG.replace("number 3\n", "drei\n")}, start=start)
        self.finished("late", {"b.py": LONG.replace("number 3\n", "three\n")})
        self.assertEqual(self.left_out(), {"late": "early"})

    def test_attributes_that_one_adds_decide_the_merge_of_another(self) -> None:
        start = self.base
        self.base = self.commit({"text": changed(9, "main")}, start)
        self.finished("sets", {".gitattributes": "text -merge\n"})
        self.finished("changes", {"text": changed(1, "x")}, start=start)
        self.assertEqual(self.left_out(), {"changes": "sets"})

    def test_a_conflict_of_two_dependencies_is_no_further_one_of_their_dependents(self) -> None:
        for id in "ab":
            self.finished(id, {"text": changed(3, id)})
        self.finished("on-a", {"text": changed(3, "more a")}, needs="a")
        self.finished("on-b", {"text": changed(3, "more b")}, needs="b")
        choice, _ = self.choice()
        self.assertEqual(list(run_sync(choice._conflicts(list(choice.candidates)))), [("a", "b")])
        self.assertEqual(self.left_out(), {"b": "a"})
        self.assertEqual(self.left_out("a"), {})

    def test_what_conflicts_with_the_branch_is_out_and_in_nobodys_way(self) -> None:
        self.base = self.commit({"text": changed(3, "main")}, self.base)
        self.finished("a", {"text": changed(3, "a")}, start=self.base + "~")
        self.finished("b", {"text": changed(3, "b")})
        self.finished("on-a", needs="a")
        self.assertEqual(self.left_out(), {"a": "main"})

    def test_a_feature_whose_start_nobody_knows_is_compared_with_the_branch(self) -> None:
        self.finished("a", {"text": changed(3, "a")})
        self.finished("b", {"text": changed(3, "b")})
        self.candidates = [
            Candidate(each.feature, each.run, each.tip, "") for each in self.candidates
        ]
        self.assertEqual(self.left_out(), {"b": "a"})

    def test_an_own_conflict_of_one_commit_counts_with_rebase_only(self) -> None:
        self.finished("a", {"text": changed(3, "a")})
        self.finished("b", {"text": changed(3, "b")}, {"text": changed(3, "a")})
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                is_rebase = self.strategy is Strategy.REBASE
                self.assertEqual(self.left_out(), {"b": "a"} if is_rebase else {})

    def test_names_with_quotes_and_line_feeds(self) -> None:
        self.finished("a", {'odd "name"\n/x': "a"})
        self.finished("b", {'odd "name"\n/x': "b"})
        self.finished("c", {'odd "name"\n': "c"})
        self.assertEqual(self.left_out(), {"b": "a", "c": "a"})


class Together(LandingTest):
    """Features of which each two merge, but not all three: only a and b make c a conflict."""

    def setUp(self) -> None:
        super().setUp()
        self.finished("a", {".gitattributes": "text -merge\n"})
        self.finished("b", {"text": changed(1, "b"), "be": "b"})
        self.finished("c", {"text": changed(9, "c"), "cd": "c"})
        self.finished("on-c", {"cf": "c"}, needs="c")

    def test_the_later_one_is_left_out_with_its_dependents_and_what_it_had_kept_out_lands(
        self,
    ) -> None:
        self.finished("d", {"cd": "d"})
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "a", "b", "d")
                self.assertEqual(
                    stack.held["c"].reason, "c conflicts in text with b and others together"
                )
                self.assertEqual(stack.held["on-c"].reason, "it depends on c, also held")

    def test_the_one_that_makes_it_a_conflict_is_named_wherever_it_is(self) -> None:
        first, others = self.candidates[:2], self.candidates[2:]
        for place in range(3):
            with self.subTest(place):
                self.candidates = []
                for number in range(4):
                    self.finished(f"x{place}{number}")
                self.candidates[place:place] = first
                self.candidates += others[:1]
                self.assertEqual(self.stack().held["c"].conflict_with, "b")

    def test_it_lands_after_all_if_one_of_the_others_gives_way(self) -> None:
        self.finished("e", {"be": "e"})
        self.finished("f", {"cf": "f"}, needs="e")
        stack = self.stack()
        self.assert_landed(stack, "a", "e", "f", "c")
        self.assertEqual(stack.held["b"].conflict_with, "e")
        self.assertEqual(stack.held["on-c"].reason, "on-c and f conflict in cf")


if __name__ == "__main__":
    unittest.main()
