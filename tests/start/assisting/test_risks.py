"""Risky pairs: unordered features with the same files or promises."""

from __future__ import annotations

import unittest

from core.model.feature import Feature
from core.start.assisting.risks import CROWD, LARGEST_COMMIT, coupled, risky
from tests.support.dependencies import brief, facts_of, one, texts


def found(*features: Feature, **known: object) -> list[str]:
    return [brief(each) for each in risky(facts_of(*features, **known))]


def said(*features: Feature, **known: object) -> list[str]:
    return [text for each in risky(facts_of(*features, **known)) for text in texts(each)]


WRITES = "Extend `src/app.py`."
A, B = one("a", prompt=WRITES), one("b", prompt=WRITES)


class RiskyTest(unittest.TestCase):
    def test_two_unordered_features_that_write_the_same_file(self) -> None:
        self.assertEqual(found(A, B), ["risky b +a"])
        self.assertEqual(said(A, B), ["both write src/app.py"])
        self.assertEqual(found(A, one("b", "a", WRITES)), [])
        self.assertEqual(found(A, one("b", prompt="Uses `src/app.py`.")), [])

    def test_a_chain_orders_all_that_write_a_file(self) -> None:
        third = one("c", "a", WRITES)
        self.assertEqual(found(A, B, third), ["risky b +a", "risky c +b"])
        crowd = [one(f"f{number}", prompt=WRITES) for number in range(CROWD + 2)]
        self.assertEqual(len(found(*crowd[:CROWD])), CROWD - 1)
        self.assertEqual(len(found(*crowd)), 1)
        self.assertIn(f"{CROWD + 2} features write src/app.py", said(*crowd)[0])
        self.assertEqual(found(*crowd, merged={each.id for each in crowd}, done={"f0"}), [])

    def test_every_entry_of_creates_needs_one_owner(self) -> None:
        promise = ["path:src/x.py", "symbol:X", "command:make test"]
        one_, two = one("a", creates=promise), one("b", creates=promise)
        self.assertEqual(found(one_, two), ["risky b +a"])
        self.assertEqual(
            said(one_, two), ["both have src/x.py, X in `creates`; only one feature should"]
        )
        self.assertEqual(found(one_, one("b", "a", creates=promise)), ["risky b (a)"])
        self.assertEqual(found(one_, one("b", "a", creates=promise), done={"b"}), [])
        self.assertEqual(found(one("a", creates=promise[2:]), one("b", creates=promise[2:])), [])
        crowd = [one(f"f{number}", creates=promise) for number in range(CROWD + 1)]
        self.assertEqual(len(found(*crowd)), 1)

    def test_past_branches_that_changed_the_same_file_or_conflicted(self) -> None:
        plain = [one("a"), one("b")]
        touched = {"a": {"lock"}, "b": {"lock"}}
        self.assertEqual(said(*plain, touched=touched), ["past branches of both changed lock"])
        clashes = {
            ("a", "b"): ("lock",),
            ("b", "a"): ("lock",),
            ("a", "gone"): ("lock",),
            ("gone", "a"): ("lock",),
        }
        self.assertEqual(
            said(*plain, clashes=clashes),
            ["a run predicted a conflict of their branches in lock"],
        )
        both = said(*plain, clashes=clashes, touched=touched)
        self.assertEqual(len(both), 2)

    def test_a_completed_feature_gets_no_new_dependency(self) -> None:
        self.assertEqual(found(A, B, done={"b"}), ["risky a +b"])
        self.assertEqual(found(A, B, done={"a", "b"}), [])
        self.assertEqual(found(A, B, done={"a"}, merged={"a"}), [])

    def test_files_that_change_together(self) -> None:
        a, b = one("a", prompt="Extend `src/x.py`."), one("b", prompt="Extend `src/y.py`.")
        commits = [{"src/x.py", "src/y.py"}] * 5 + [{"src/x.py"}] * 2
        self.assertEqual(found(a, b, commits=commits), ["risky b +a"])
        self.assertEqual(
            said(a, b, commits=commits),
            ["commits mostly change src/x.py and src/y.py together (5 times)"],
        )
        both = one("c", prompt="Extend `src/x.py` and `src/y.py`.")
        self.assertEqual(found(both, commits=commits), [])

    def test_files_are_coupled_if_most_commits_change_both(self) -> None:
        wanted = {"x", "y"}
        large = {str(number) for number in range(LARGEST_COMMIT)} | wanted
        for commits, expected in (
            ([wanted] * 4, [(("x", "y"), 4)]),
            ([wanted] * 3, []),
            ([wanted] * 4 + [{"x"}] * 5, []),
            ([large] * 9, []),
            ([{"x", "z"}] * 9, []),
        ):
            self.assertEqual(coupled(commits, wanted), expected)
