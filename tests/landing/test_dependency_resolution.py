"""``run --resolve``: a conflict between dependencies, with real git, real checks, real kills."""

from __future__ import annotations

import json
import unittest
from collections.abc import Mapping

from tests.support.commands import CommandResult
from tests.support.merges import MergeTest
from tests.support.once import once
from tests.support.workspace import Workspace, feature

BOTH = "printf 'a\\nb\\n' > same.txt && git add same.txt"
REFS = "refs/rorchestrator/resolutions/"


def own(id: str) -> Mapping[str, object]:
    """The work of a feature; nothing in the middle of a merge, where all prompts are followed."""
    return {"bash": f"grep -qs '<<<' same.txt || {{ echo {id} > same.txt; echo {id} > {id}.txt; }}"}


def resolves(words: str) -> Mapping[str, object]:
    """What is done in the middle of a merge only."""
    return {"bash": f"if grep -qs '<<<' same.txt; then {words}; fi"}


class DependencyTest(MergeTest):
    def conflict(self, words: str = BOTH, *more: dict[str, object], **project: object) -> Workspace:
        """Two features that do not merge, and one that needs both."""
        return self.open(
            feature("a", own("a"), verify=["grep -q a same.txt"]),
            feature("b", own("b"), resolves(words), verify=["grep -q b same.txt"]),
            feature("c", {"write": "c.txt"}, depends_on=["a", "b"]),
            *more,
            **project,
        )

    def run_resolve(self, *words: str) -> CommandResult:
        return self.shop.main("run", "--yes", "--resolve", *words)

    def refs(self) -> list[str]:
        return self.shop.git("for-each-ref", "--format=%(refname)", REFS).split()


@once
class Resolved(DependencyTest):
    def test_what_depends_on_both_starts_from_the_resolution_and_all_land_without_claude(
        self,
    ) -> None:
        shop = self.conflict()
        said = self.run_resolve("--json")
        self.assertEqual(said.code, 0, said)
        known = shop.state().feature("c")
        parents = shop.git("log", "-1", "--format=%P", known.start_commit).split()
        self.assertEqual(parents, [shop.commit_of("feature/a"), shop.commit_of("feature/b")])
        self.assertEqual(shop.files("feature/c")["same.txt"], b"a\nb\n")
        report = json.loads(said.out.splitlines()[-1])
        self.assertEqual(report["total_cost_usd"], 0.2)
        (resolved,) = shop.events("resolved")
        self.assertEqual((resolved["feature"], resolved["commit"]), ("c", known.start_commit))
        checked = {event["command"] for event in shop.events("checked") if event["passed"]}
        self.assertLessEqual({"grep -q a same.txt", "grep -q b same.txt"}, checked)
        self.assertIn("git add same.txt", shop.main("logs", "c", "--resolution").out)
        history = shop.main("history", "--json").json
        self.assertIn("0.2", json.dumps(history))
        for strategy in ("merge", "squash", "rebase"):
            with self.subTest(strategy):
                at = shop.commit_of("main")
                dry = self.merge("--strategy", strategy, "--json", "--dry-run")
                self.assertEqual(self.states(dry), dict.fromkeys("abc", "would land"))
                landed = self.merge("--strategy", strategy)
                self.assertEqual(landed.code, 0, landed)
                self.assertIn("    reused Claude's earlier resolution of same.txt", landed.out)
                self.assertEqual(shop.files("main")["same.txt"], b"a\nb\n")
                self.assertEqual(len(self.landed()), 3)
                body = shop.git("log", "--format=%b", "main")
                self.assertIn("Claude resolved the conflict in same.txt.", body)
                shop.git("reset", "--quiet", "--hard", at)
        self.assertEqual(len(shop.events("resolution_started")), 1)


if __name__ == "__main__":
    unittest.main()
