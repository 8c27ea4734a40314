"""The assistant as a whole: findings by importance, accepting them, Claude's opinion."""

from __future__ import annotations

import random
import unittest
from pathlib import Path
from unittest import mock

from core.dag.resolver import cycle
from core.model.feature import Feature
from core.project.feature_list import load
from core.start.assisting import assistant
from core.start.assisting.assistant import accept, accept_safe, changes, findings, names_to_look_up
from core.start.assisting.finding import Evidence, Finding, Kind, Knowledge, Opinion, Rule
from tests.support.dependencies import brief, one, texts
from tests.support.paths import ROOT

LIST = (
    one("auth", prompt="Extend `src/app.py`.", creates=["symbol:Auth"]),
    one("api", uses=["symbol:Auth"]),
    one("web", "api auth", prompt="Extend `src/app.py`."),
    one("mail", prompt="Extend `src/app.py`."),
)


PROSE = {
    "models": ("", "Create the models.\n\n## Files\n- `shop/models.py`: `Product`, `Customer`"),
    "auth": (
        "models",
        "Customers sign in. Add `shop/auth.py` with `sign_in()` and `current_customer()`. Use "
        "`Customer` from `shop/models.py`; do not change it. Register it in `shop/app.py`.",
    ),
    "catalogue": ("auth", "Visitors browse `Product`. Register `shop/catalogue.py`."),
    "cart": ("catalogue", "Add `shop/cart.py` with `ShoppingCart`, as the catalogue shows it."),
    "checkout": (
        "cart auth models",
        "Add `shop/checkout.py`, which empties the `ShoppingCart` of `current_customer()`.",
    ),
    "mails": ("checkout", "Add `shop/mails.py`. It is called at the end of the checkout."),
    "admin": (
        "mails",
        "Staff edit products. Add `shop/admin.py`, only for staff. Use `Product` and "
        "`current_customer()`. Deleting a product hides it: the catalogue shows visible ones only. "
        "Forms are plain HTML without scripts. A wrong price is shown beside its field, and "
        "nothing is saved. Two people who edit at once are told, and the later one decides.",
    ),
}
"""A list as people write it, without a contract."""


class FindingsTest(unittest.TestCase):
    def test_the_most_important_comes_first(self) -> None:
        self.assertEqual(
            [brief(each) for each in findings(LIST)],
            ["missing api +auth!", "risky web +mail", "risky mail +auth"],
        )
        self.assertEqual(findings(()), ())
        self.assertEqual(names_to_look_up(LIST, Knowledge()), ["Auth"])

    def test_the_lists_that_come_along_have_no_findings(self) -> None:
        for name in ("feature_list.example", "react.example", "test-project"):
            features = load(str(Path(ROOT) / f"config/{name}.json")).features
            self.assertEqual(findings(features), (), name)

    def test_nothing_is_safe_for_a_feature_with_unfinished_work(self) -> None:
        first, *rest = findings(LIST, Knowledge(begun={"api"}))
        self.assertEqual((brief(first), first.restarts), ("missing api +auth", True))
        self.assertFalse(any(each.restarts for each in rest))

    def test_a_list_in_prose_is_understood(self) -> None:
        features = [one(id, needs, prompt) for id, (needs, prompt) in PROSE.items()]
        known = Knowledge(has_base=True, paths={"shop", "shop/app.py"})
        self.assertEqual(
            [brief(each) for each in findings(features, known)],
            ["needless checkout -models!", "needless admin +catalogue -mails"],
        )

    def test_safe_findings_are_accepted_until_none_is_left(self) -> None:
        after, accepted = accept_safe(LIST)
        self.assertEqual(
            [brief(each) for each in accepted], ["missing api +auth!", "needless web -auth!"]
        )
        self.assertEqual(changes(LIST, after), {"api": ("auth",), "web": ("api",)})
        self.assertFalse(any(each.is_safe for each in findings(after)))
        with mock.patch.object(assistant, "ROUNDS", 1):
            self.assertEqual(changes(LIST, accept_safe(LIST)[0]), {"api": ("auth",)})

    def test_accepting_in_any_order_never_makes_a_cycle(self) -> None:
        chance = random.Random(7)
        for _ in range(60):
            features: tuple[Feature, ...] = tuple(_random(chance))
            found = list(findings(features))
            chance.shuffle(found)
            for finding in found:
                features = accept(features, finding) or features
            self.assertEqual(cycle({each.id: each.depends_on for each in features}), [])

    def test_a_finding_that_does_not_fit_any_more_is_not_accepted(self) -> None:
        a, b, c = one("a"), one("b", "a"), one("c", "b a")
        why = (Evidence(Rule.IMPLIED, ""),)
        implied = Finding(Kind.NEEDLESS, "c", ("a",), why, removes=("a",))
        self.assertEqual(accept([a, b, c], implied), (a, b, one("c", "b")))
        self.assertIsNone(accept([a, one("b"), c], implied))
        self.assertIsNone(accept([a, b, c], Finding(Kind.RISKY, "c", ("a",), why)))
        self.assertIsNone(accept([a, b, c], Finding(Kind.RISKY, "a", ("c",), why, adds=("c",))))
        self.assertIsNone(accept([a, b, c], Finding(Kind.RISKY, "c", ("a",), why, adds=("a",))))
        gone = Finding(Kind.NEEDLESS, "b", ("c",), (), removes=("c",))
        self.assertIsNone(accept([a, b, c], gone))


def _random(chance: random.Random) -> list[Feature]:
    features: list[Feature] = []
    for number in range(9):
        before = [each.id for each in features]
        needs = " ".join(chance.sample(before, min(len(before), chance.randrange(3))))
        prompt = f"Extend `src/f{chance.randrange(3)}.py`."
        names = [f"symbol:Name{chance.randrange(9)}" for _ in range(2)]
        features.append(one(f"f{number}", needs, prompt, creates=names[:1], uses=names[1:]))
    return features


class OpinionTest(unittest.TestCase):
    def found(self, *opinions: Opinion, **known: object) -> list[tuple[str, list[str]]]:
        knowledge = Knowledge(opinions=opinions, **known)  # type: ignore[arg-type]
        return [(brief(each), texts(each)[-1:]) for each in findings(LIST, knowledge)]

    def test_an_opinion_that_agrees_is_one_more_evidence(self) -> None:
        found = self.found(
            Opinion(Kind.MISSING, "api", "auth", "It signs in."),
            Opinion(Kind.RISKY, "auth", "mail", "Both touch it."),
        )
        self.assertEqual(found[0], ("missing api +auth!", ["It signs in."]))
        self.assertIn(("risky auth +mail", ["Both touch it."]), found)

    def test_an_opinion_tells_which_of_two_features_comes_first(self) -> None:
        found = self.found(Opinion(Kind.MISSING, "mail", "web", "It mails pages."))
        self.assertEqual(
            found[1:],
            [
                ("risky mail +auth", ["both write src/app.py"]),
                ("risky mail +web", ["It mails pages."]),
            ],
        )
        done = self.found(Opinion(Kind.MISSING, "mail", "auth", "It mails pages."), done={"mail"})
        self.assertIn(("risky auth +mail", ["It mails pages."]), done)
        certain = self.found(Opinion(Kind.RISKY, "auth", "api", "Both sign in."))
        self.assertEqual(certain[0], ("missing api +auth!", ["Both sign in."]))

    def test_an_opinion_of_its_own_is_a_finding_that_is_not_safe(self) -> None:
        found = self.found(
            Opinion(Kind.MISSING, "mail", "api", "It mails users."),
            Opinion(Kind.NEEDLESS, "web", "auth", "Why?"),
        )
        self.assertIn(("missing mail +api", ["It mails users."]), found)
        self.assertIn(("needless web -auth", ["Why?"]), found)

    def test_an_opinion_that_the_list_does_not_allow_is_dropped(self) -> None:
        plain = self.found()
        for opinion in (
            Opinion(Kind.NEEDLESS, "mail", "auth", "It has none."),
            Opinion(Kind.MISSING, "api", "web", "A cycle."),
            Opinion(Kind.RISKY, "web", "auth", "They are ordered."),
        ):
            self.assertEqual(self.found(opinion), plain)
        done = self.found(Opinion(Kind.NEEDLESS, "web", "auth", "Why?"), done={"web"})
        self.assertNotIn("needless web -auth", [each for each, _ in done])
