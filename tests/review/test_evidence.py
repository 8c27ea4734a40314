"""The evidence of a review, and the order that follows from it."""

from __future__ import annotations

import unittest

from core.dag.resolver import DAGResolver
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.feature import Feature
from core.review.evidence import Facts, Kind, attention, evidence_of, hardest, in_order


def verdict(check: str, of: Verdict, *idle: str) -> CheckVerdict:
    return CheckVerdict(check, Scope.OWN, of, proves_nothing=idle)


class EvidenceTest(unittest.TestCase):
    def test_each_fact_is_a_reason_with_its_weight(self) -> None:
        proved = verdict("pytest", Verdict.PROVED)
        kept, flaky = verdict("lint", Verdict.KEPT), verdict("e2e", Verdict.FLAKY)
        not_yours = verdict("lint", Verdict.NOT_YOURS)
        idle = verdict("pytest", Verdict.PROVED, "test_a.py")
        for facts, expected in (
            (Facts(), []),
            (Facts(unnamed=["a"]), [(Kind.UNNAMED, 3, "nor in creates: a")]),
            (Facts(shared={"a": ("x", "y")}), [(Kind.SHARED, 2, "too: a (x, y)")]),
            (Facts(left=[".env"]), [(Kind.LEFT, 3, "left uncommitted: .env")]),
            (Facts(lines=199), []),
            (Facts(lines=200), [(Kind.SIZE, 1, "large: 200 changed lines")]),
            (Facts(lines=1234), [(Kind.SIZE, 3, "large: 1,234 changed lines")]),
            (Facts(dependents=["b"]), [(Kind.DEPENDENTS, 1, "features that depend on it: b")]),
            (
                Facts(dependents=list("bcde")),
                [(Kind.DEPENDENTS, 3, "features that depend on it: b, c, d, e")],
            ),
            (Facts(denied=["Bash"]), [(Kind.DENIED, 2, "denied to Claude: Bash")]),
            (Facts(failed_first={"make": 2}), [(Kind.FAILED_FIRST, 2, "make (2×)")]),
            (Facts(failed_first={"e2e": 1}, verdicts=[proved, flaky]), [(Kind.FLAKY, 2, "e2e")]),
            (Facts(failed_first={"lint": 2}, verdicts=[proved, not_yours]), []),
            (Facts(conflicts=["b"]), [(Kind.CONFLICT, 2, "conflict with b")]),
            (Facts(attempts=3), [(Kind.ATTEMPTS, 1, "needed 3 attempts")]),
            (Facts(has_checks=False), [(Kind.UNCHECKED, 3, "no check and no contract")]),
            (Facts(has_checks=False, verdicts=[proved]), []),
            (Facts(verdicts=[proved, kept]), []),
            (Facts(verdicts=[kept]), [(Kind.UNPROVED, 2, "no check proves it")]),
            (Facts(verdicts=[kept, verdict("x", Verdict.NOT_LOOKED_AT)]), []),
            (Facts(verdicts=[proved, flaky]), [(Kind.FLAKY, 2, "flaky: e2e")]),
            (Facts(verdicts=[idle]), [(Kind.PROVES_NOTHING, 3, "its change: test_a.py")]),
        ):
            with self.subTest(facts):
                found = evidence_of(facts)
                self.assertEqual(
                    [(each.kind, each.weight) for each in found], [each[:2] for each in expected]
                )
                for each, (_, _, words) in zip(found, expected):
                    self.assertIn(words, each.text)

    def test_the_heaviest_comes_first(self) -> None:
        found = evidence_of(Facts(attempts=2, shared={"a": ("x",)}, unnamed=["a"]))
        self.assertEqual([each.weight for each in found], [3, 2, 1])
        self.assertEqual(attention(found), 6)


class TheOrder(unittest.TestCase):
    def dag(self, **needs: str) -> DAGResolver:
        return DAGResolver(
            [Feature(id, id, depends_on=tuple(on.split())) for id, on in needs.items()]
        )

    def test_dependencies_first_then_the_heaviest_then_the_order_of_the_list(self) -> None:
        dag = self.dag(a="", b="", c="a", d="", e="b")
        for weights, expected in (
            (dict.fromkeys("abcde", 1), "abcde"),
            ({"a": 0, "b": 1, "c": 9, "d": 2, "e": 3}, "dbeac"),
            ({"c": 1, "a": 0}, "ac"),
        ):
            self.assertEqual("".join(in_order(dag, weights)), expected)

    def test_a_dependency_counts_through_features_that_are_not_read(self) -> None:
        self.assertEqual(in_order(self.dag(a="", b="a", c="b"), {"c": 9, "a": 0}), ["a", "c"])

    def test_one_feature_stands_out_or_none(self) -> None:
        for weights, expected in (({"a": 1, "b": 2}, "b"), ({"a": 2, "b": 2}, ""), ({"a": 1}, "")):
            self.assertEqual(hardest(list(weights), lambda id, w=weights: w[id]), expected)


if __name__ == "__main__":
    unittest.main()
