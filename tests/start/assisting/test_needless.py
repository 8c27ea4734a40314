"""Needless dependencies: implied ones, and chains that could be parallel."""

from __future__ import annotations

import unittest
from unittest import mock

from core.model.feature import Feature
from core.start.assisting import needless as assistant_needless
from core.start.assisting.needless import needless
from core.start.assisting.needs import needs
from tests.support.dependencies import brief, facts_of, one, texts


def found(*features: Feature, **known: object) -> list[str]:
    facts = facts_of(*features, **known)
    return [brief(each) for each in needless(facts, needs(facts))]


def wrote(id: str, needed: str = "", more: str = "") -> Feature:
    return one(id, needed, f"Add `src/{id}/{id}.py`.{more}{LONG}", tokens=1000)


LONG = " It is as it is." * 20
"""So much is said that what is not said tells something."""


BASE = {"has_base": True, "paths": {"src", "src/a", "src/b", "src/c"}}


class ImpliedTest(unittest.TestCase):
    def test_a_dependency_that_others_lead_to(self) -> None:
        a, b, c = one("a"), one("b", "a"), one("c", "a b")
        self.assertEqual(found(a, b, c), ["needless c -a!"])
        facts = facts_of(a, b, c)
        self.assertEqual(
            [text for each in needless(facts, []) for text in texts(each)],
            ["b already depends on a: the order and the content of c stay the same"],
        )
        self.assertEqual(found(a, b, c, done={"c"}), [])

    def test_one_that_a_feature_needs_itself_stays_as_documentation(self) -> None:
        a, b = one("auth", creates=["symbol:Alpha"]), one("b", "auth")
        self.assertEqual(found(a, b, one("c", "auth b", uses=["symbol:Alpha"])), [])
        for prompt, expected in (
            ("It builds on auth.", []),
            ("It builds on the Auth!", []),
            ("It builds on auth-b.", ["needless c -auth!"]),
        ):
            self.assertEqual(found(a, b, one("c", "auth b", prompt)), expected)


class ParallelTest(unittest.TestCase):
    def test_a_chain_without_any_reason_could_be_parallel(self) -> None:
        features = wrote("a"), wrote("b", "a"), wrote("c", "b")
        self.assertEqual(found(*features, **BASE), ["needless b -a", "needless c -b"])
        facts = facts_of(*features, **BASE)
        first = next(needless(facts, []))
        self.assertAlmostEqual(first.saves_seconds or 0, 1000 / 150)
        self.assertIn("the run is predicted to be 6.7s shorter", texts(first)[0])

    def test_nothing_is_proposed_that_saves_no_time(self) -> None:
        self.assertEqual(found(wrote("a"), wrote("b", "a"), slots=1, **BASE), [])
        long = {"seconds": {"a": 10.0, "b": 10.0, "c": 5000.0}}
        self.assertEqual(found(wrote("a"), wrote("b", "a"), wrote("c"), **long, **BASE), [])

    def test_any_reason_keeps_a_dependency(self) -> None:
        a, b = wrote("a"), wrote("b", "a")
        for features, known in (
            ((a, wrote("b", "a", " It uses `src/a/a.py`.")), {}),
            ((a, wrote("b", "a", " It follows the a.")), {}),
            ((a, wrote("b", "a", " Extend `src/a/a.py`.")), {}),
            ((a, b), {"touched": {"a": {"x"}, "b": {"x"}}}),
            ((a, b), {"commits": [{"src/a/a.py", "src/b/b.py"}] * 4}),
            ((a, b), {"paths": set()}),
            ((wrote("a", more=" Add `package.json`."), b), {}),
            ((a, b), {"done": {"b"}}),
            ((one("a"), b), {}),
            ((a, one("b", "a")), {}),
            ((a, one("b", "a", LONG)), {}),
            ((a, one("b", "a", "Add `src/b/b.py`.")), {}),
            ((wrote("sign-in"), wrote("b", "sign-in", " Visitors who are signed in.")), {}),
            ((a, one("b", "a", "Add `src/b/b.py`.", uses=["words"])), {"seconds": {}, "slots": 1}),
        ):
            paths = {"src", *([] if "paths" in known else BASE["paths"])}
            given = {**BASE, "paths": paths, **known}
            with self.subTest(known=known, features=features):
                expected: list[str] = ["needless b -a"] if known == {"paths": set()} else []
                self.assertEqual(found(*features, **given), expected)
        new = (one("a", prompt="Add `new/a.py`."), one("b", "a", "Add `new/b.py`." + LONG))
        self.assertEqual(found(*new, **BASE), [])
        self.assertEqual(found(*new), ["needless b -a"])

    def test_what_a_feature_got_through_the_dependency_is_kept(self) -> None:
        a = one("a", prompt="Add `src/a/a.py`.", creates=["symbol:Alpha"], tokens=1000)
        c = one("c", "b", "Add `src/c/c.py`. It uses `Alpha`." + LONG, tokens=1000)
        root = one("root", creates=["symbol:Root"], tokens=1000)
        self.assertEqual(found(a, wrote("b", "a"), c, **BASE)[1:], ["needless c +a -b"])
        a = one(
            "a", "root", "Add `src/a/a.py`. It uses `Root`.", creates=["symbol:Alpha"], tokens=1000
        )
        c = one("c", "b", "Add `src/c/c.py`. It uses `Alpha` and `Root`." + LONG, tokens=1000)
        self.assertIn("needless c +a -b", found(root, a, wrote("b", "a"), c, **BASE))

    def test_simulations_are_bounded(self) -> None:
        features = wrote("a"), wrote("b", "a"), wrote("c", "b")
        with mock.patch.object(assistant_needless, "TRIED", 1):
            self.assertEqual(found(*features, **BASE), ["needless b -a"])
