"""Claude's answer to `decompose`: its schema, and the faults of its form."""

from __future__ import annotations

import unittest

from core.start.decomposing.answer import Proposal, read_answer
from core.start.decomposing.schema import answer_schema
from tests.support.answering_claude import proposed


def faults(answer: object, most: int = 3, *, has_checks: bool = False) -> list[str]:
    proposal, found = read_answer(answer, most, has_checks=has_checks)
    assert (proposal is None) == bool(found)
    return found


class Answers(unittest.TestCase):
    def test_an_answer_becomes_a_proposal(self) -> None:
        one = proposed("auth")
        answer = {"features": [one], "verify": ["make"], "questions": ["Which port?"]}
        proposal, found = read_answer(answer, 1, has_checks=False)
        self.assertEqual((proposal, found), (Proposal((one,), ["make"], ("Which port?",)), []))
        proposal, _ = read_answer({"features": [one], "questions": 3}, 1, has_checks=True)
        self.assertEqual(proposal, Proposal((one,)))

    def test_what_is_no_answer_is_a_fault(self) -> None:
        for answer, words in (
            (None, "there is no structured output"),
            ("[]", "expected an object with features, not a string"),
            ({}, "features: expected a list, not null"),
            ({"features": {}}, "features: expected a list, not an object"),
            ({"features": []}, "the answer has 0 features; 1 to 3 are allowed"),
            ({"features": [1]}, "features[0]: expected an object, not a number"),
            ({"features": [{"prompt": "x"}]}, "features[0].id: expected a string, not null"),
            ({"features": [proposed("a", prompt=["x"])]}, "prompt: expected a string, not a list"),
        ):
            with self.subTest(words):
                self.assertIn(words, faults(answer)[-1])

    def test_more_features_than_allowed_are_a_fault(self) -> None:
        many = {"features": [proposed(f"f{number}") for number in range(500)]}
        self.assertEqual(faults(many), ["the answer has 500 features; 1 to 3 are allowed"])
        self.assertEqual(faults(many, 500), [])

    def test_keys_that_claude_may_not_set_are_faults(self) -> None:
        bad = proposed("a", prompt_file="../../etc/passwd", allowed_tools=["Bash"], setup=["x"])
        found = faults({"features": [bad], "claude": {}})
        names = ("claude", *(f"features[0].{n}" for n in ("prompt_file", "allowed_tools", "setup")))
        self.assertEqual(found, [f"{name}: unknown key" for name in names])
        answer = {"features": [proposed("a")], "verify": ["make"]}
        self.assertEqual(faults(answer, has_checks=True), ["verify: unknown key"])

    def test_checks_that_do_more_than_check_are_faults(self) -> None:
        risky = proposed("a", verify=["pytest", "rm -rf ~", 3])
        answer = {"features": [risky], "verify": ["git push --force"]}
        places = ("verify[0]: git push --force", "features[0].verify[1]: rm -rf ~")
        self.assertEqual(faults(answer), [f"{place} does more than check" for place in places])

    def test_hidden_characters_are_faults_wherever_they_are(self) -> None:
        for text in ("\x1b[2J", "\x1b]0;x\x07", "a\rb", "\0", "\u202e", "\u2028", "\ud800", "\x9b"):
            with self.subTest(repr(text)):
                found = faults({"features": [proposed("a", prompt=text, verify=[text])]})
                places = ("features[0].prompt", "features[0].verify[0]")
                said = "contains control or format characters"
                self.assertEqual(found, [f"{place}: {said}" for place in places])
        plain = "Tab\t, DOS\r\n, no\u00a0break, 👩\u200d💻, \ufffd, é"
        self.assertEqual(faults({"features": [proposed("a", prompt=plain)]}), [])

    def test_the_schema_says_the_same(self) -> None:
        schema = answer_schema(7, has_checks=False)
        self.assertEqual(schema["properties"]["features"]["maxItems"], 7)  # type: ignore[index]
        self.assertEqual(list(schema["properties"]), ["features", "verify", "questions"])  # type: ignore[call-overload]
        feature = schema["properties"]["features"]["items"]  # type: ignore[index]
        self.assertEqual(set(feature["required"]), set(proposed("a")))
        self.assertEqual(set(feature["properties"]), {*proposed("a"), "tags"})
        self.assertFalse(feature["additionalProperties"])
        adding = answer_schema(7, has_checks=True)
        self.assertEqual(list(adding["properties"]), ["features", "questions"])  # type: ignore[call-overload]


if __name__ == "__main__":
    unittest.main()
