"""Missing dependencies: `uses` against `creates`, and what prompts name."""

from __future__ import annotations

import unittest

from core.model.feature import Feature
from core.start.assisting.needs import missing, names_in_question, needs
from tests.support.dependencies import brief, facts_of, one, texts

AUTH = one("auth", creates=["path:src/auth.py", "symbol:Authenticator"])


def found(*features: Feature, **known: object) -> list[str]:
    facts = facts_of(*features, **known)
    return [brief(each) for each in missing(facts, needs(facts))]


def said(*features: Feature, **known: object) -> list[str]:
    facts = facts_of(*features, **known)
    return [text for each in missing(facts, needs(facts)) for text in texts(each)]


class UsesTest(unittest.TestCase):
    def test_what_another_feature_creates_is_a_dependency(self) -> None:
        api = one("api", uses=["symbol:Authenticator", "path:src/auth.py", "Authenticator"])
        self.assertEqual(found(AUTH, api), ["missing api +auth!"])
        self.assertEqual(
            said(AUTH, api)[0], "`uses` names symbol:Authenticator, which auth creates"
        )

    def test_no_dependency_is_missing_where_it_is_there_or_not_needed(self) -> None:
        uses = ["symbol:Authenticator"]
        for api in (
            [one("api", "auth", uses=uses)],
            [one("web", "auth"), one("api", "web", uses=uses)],
            [one("api", uses=uses, creates=uses)],
            [one("api", uses=["command:make"])],
            [one("api", uses=["something in words"])],
        ):
            self.assertEqual(found(AUTH, *api), [], api)
        self.assertEqual(found(AUTH, one("api", uses=uses), defined={"Authenticator"}), [])
        self.assertEqual(found(AUTH, one("api", uses=uses), done={"api"}), [])

    def test_one_of_several_owners_is_enough_but_the_choice_is_the_users(self) -> None:
        other = one("other", creates=["symbol:Authenticator"])
        uses = ["symbol:Authenticator"]
        self.assertEqual(found(AUTH, other, one("api", "other", uses=uses)), [])
        self.assertEqual(found(AUTH, other, one("api", uses=uses)), ["missing api +auth"])
        self.assertIn(
            "which several features create: auth, other",
            said(AUTH, other, one("api", uses=uses))[0],
        )

    def test_a_dependency_that_would_make_a_cycle_is_a_risk_and_no_proposal(self) -> None:
        web = one("web", "api", creates=["symbol:Page"])
        api = one("api", uses=["symbol:Page"])
        self.assertEqual(found(web, api), ["risky api (web)"])
        self.assertEqual(said(web, api)[1], "web can't come first: it waits for api")
        each = [
            one("a", uses=["symbol:Bb"], creates=["symbol:Aa"]),
            one("b", uses=["symbol:Aa"], creates=["symbol:Bb"]),
        ]
        self.assertEqual(found(*each), ["missing a +b!", "risky b (a)"])

    def test_nearly_what_another_feature_creates(self) -> None:
        close = one("api", uses=["symbol:Authentcator"])
        self.assertEqual(found(AUTH, close), ["missing api +auth"])
        self.assertEqual(
            said(AUTH, close),
            ["`uses` names symbol:Authentcator, which nothing creates; auth creates Authenticator"],
        )
        there = one("api", "auth", uses=["symbol:Authentcator"])
        self.assertEqual(found(AUTH, there), ["risky api (auth)"])
        self.assertEqual(found(AUTH, one("api", "auth", uses=["Authentcator"])), [])
        self.assertEqual(found(AUTH, one("api", uses=["path:src/auth.p"])), ["missing api +auth"])
        own = one("api", uses=["symbol:Helpers"], creates=["symbol:Helper"])
        self.assertEqual(found(own), [])

    def test_what_nobody_creates_is_a_risk_if_nothing_comes_before(self) -> None:
        lost = one("api", uses=["symbol:Nowhere"])
        self.assertEqual(found(AUTH, lost), [])
        self.assertEqual(found(AUTH, lost, has_base=True), ["risky api ()"])
        self.assertIn("neither the base has", said(AUTH, lost, has_base=True)[0])
        later = one("api", "auth", uses=["symbol:Nowhere"])
        self.assertEqual(found(AUTH, later, has_base=True), [])
        own = one("api", prompt="Add class `Nowhere`.", uses=["symbol:Nowhere"])
        self.assertEqual(found(AUTH, own, has_base=True), [])

    def test_what_a_prompt_is_going_to_make(self) -> None:
        maker = one("auth", prompt="Add class `Authenticator`.")
        api = one("api", uses=["symbol:Authenticator"])
        self.assertEqual(found(maker, api), ["missing api +auth"])


class PromptTest(unittest.TestCase):
    def test_a_prompt_names_what_another_feature_makes(self) -> None:
        api = one("api", prompt="Write `src/api.py`.\nIt calls `Authenticator`.")
        self.assertEqual(found(AUTH, api), ["missing api +auth"])
        self.assertEqual(
            said(AUTH, api), ["line 2 of its prompt names Authenticator, which auth creates"]
        )
        made = one("auth", prompt="Add `src/auth.py`.")
        api = one("api", prompt="It is as long as it is.", description="Imports `src/auth.py`.")
        self.assertEqual(
            said(made, api),
            ["its description names src/auth.py, which auth is asked to create"],
        )

        described = one("api", description="Imports `Authenticator`.")
        self.assertEqual(
            said(AUTH, described), ["its description names Authenticator, which auth creates"]
        )

    def test_a_file_that_one_creates_and_another_changes(self) -> None:
        changing = one("api", prompt="Extend `src/auth.py`.")
        self.assertEqual(found(AUTH, changing), ["missing api +auth"])

    def test_what_the_base_has_or_several_make_or_is_a_common_word_tells_nothing(self) -> None:
        api = one("api", prompt="It calls `Authenticator`.")
        self.assertEqual(found(AUTH, api, defined={"Authenticator"}), [])
        both = [one(id, prompt="Add class `Authenticator`.") for id in ("auth", "other")]
        self.assertEqual(found(*both, api), [])
        word = one("auth", prompt="```python\ndef login(): ...\n```")
        self.assertEqual(found(word, one("api", prompt="It calls `login`.")), [])
        web = one("web", "api", creates=["symbol:WebPage"])
        self.assertEqual(found(web, one("api", prompt="Unlike `WebPage`, it is short.")), [])

    def test_the_names_in_question_are_those_that_findings_depend_on(self) -> None:
        api = one("api", prompt="It calls `Authenticator` in `src/auth.py`, and `other_name`.")
        spoken = one("b", creates=["two words"])
        facts = facts_of(AUTH, api, spoken, one("c", uses=["two words", "symbol:Authenticator"]))
        self.assertEqual(names_in_question(facts), ["Authenticator"])
