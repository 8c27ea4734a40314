"""``run --resolve``: a conflict between dependencies, with real git, real checks, real kills."""

from __future__ import annotations

import json
import os
import signal
import unittest
from collections.abc import Mapping
from typing import Any
from unittest import mock

from core.model.outcome import AttemptOutcome, Fault, Status
from core.runner.attempt import AttemptRunner
from tests.support.commands import CommandResult, wait_until
from tests.support.merges import MergeTest
from tests.support.once import once
from tests.support.workspace import Workspace, feature

BOTH = "printf 'a\\nb\\n' > same.txt && git add same.txt"
REFS = "refs/rorchestrator/resolutions/"


def own(id: str) -> Mapping[str, object]:
    """The work of a feature; nothing in the middle of a merge, where all prompts are followed."""
    works = f"{{ echo {id} > same.txt; echo {id} > {id}.txt; }}"
    return {"bash": f"git rev-parse -q --verify MERGE_HEAD || {works}"}


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
        dry = self.merge("--json", "--dry-run")
        self.assertEqual(self.states(dry), dict.fromkeys("abc", "would land"))
        for strategy in ("merge", "squash", "rebase"):
            with self.subTest(strategy):
                at = shop.commit_of("main")
                landed = self.merge("--strategy", strategy)
                self.assertEqual(landed.code, 0, landed)
                self.assertIn("    reused Claude's earlier resolution of same.txt", landed.out)
                self.assertEqual(shop.files("main")["same.txt"], b"a\nb\n")
                self.assertEqual(len(self.landed()), 3)
                body = shop.git("log", "--format=%b", "main")
                self.assertIn("Claude resolved the conflict in same.txt.", body)
                shop.git("reset", "--quiet", "--hard", at)
        self.assertEqual(len(shop.events("resolution_started")), 1)

    def test_two_that_need_the_same_three_pay_for_each_conflict_once_and_land_with_the_run(
        self,
    ) -> None:
        steps = "printf '%s\\n' a b $(test ! -e d.txt || echo d) > same.txt; git add same.txt"
        shop = self.open(
            feature("a", own("a")),
            feature("b", own("b"), resolves(steps)),
            feature("d", own("d")),
            feature("c", {"write": "c.txt"}, depends_on=["b", "a", "d"]),
            feature("e", {"write": "e.txt"}, depends_on=["a", "b"]),
        )
        said = self.run_resolve("--merge")
        self.assertEqual(said.code, 0, said)
        self.assertEqual(len(shop.events("resolution_started")), 2)
        self.assertEqual(len(self.landed()), 5)
        self.assertEqual(shop.files("main")["same.txt"], b"a\nb\nd\n")

    def test_an_old_git_resolves_the_same_and_nothing_is_paid_again(self) -> None:
        shop = self.conflict()
        with mock.patch("core.git.door.MERGE_TREE", (99, 0)):
            self.assertEqual(self.run_resolve().code, 0)
        before = shop.state().feature("c").start_commit
        again = self.run_resolve("--fresh=c")
        self.assertEqual(again.code, 0)
        self.assertIn("c: reused Claude's earlier resolution of same.txt", again.err)
        self.assertEqual(shop.state().feature("c").start_commit, before)
        self.assertEqual(len(shop.events("resolution_started")), 1)

    def test_a_resolution_of_a_merge_is_one_of_a_run_too_with_its_own_sides(self) -> None:
        shop = self.conflict()
        self.assertEqual(self.shop.main("run", "--yes", "--only", "a,b").code, 0)
        self.assertEqual(self.merge("--resolve", "--yes").code, 0)
        shop.git("reset", "--quiet", "--hard", "main~2")
        self.assertEqual(self.run_resolve().code, 0)
        self.assertEqual(len(shop.events("resolution_started")), 1)
        start = shop.state().feature("c").start_commit
        parents = shop.git("log", "-1", "--format=%P", start).split()
        self.assertEqual(parents, [shop.commit_of("feature/a"), shop.commit_of("feature/b")])
        self.assertEqual(self.merge("--strategy", "squash").code, 0)


@once
class NotResolved(DependencyTest):
    def test_it_ends_in_conflict_with_the_reason_and_the_next_step_and_is_not_tried_twice(
        self,
    ) -> None:
        shop = self.conflict(
            "git add same.txt",
            feature("d", {"write": "d.txt"}, depends_on=["a", "b"]),
            verify_attempts=0,
        )
        said = self.run_resolve()
        self.assertEqual(said.code, 1)
        for id in "cd":
            known = shop.state().feature(id)
            self.assertEqual(known.status, Status.CONFLICT)
            self.assertIn("a and b conflict in same.txt; Claude could not", known.reason)
            self.assertIn("conflict markers are left: same.txt", known.reason)
            self.assertRegex(known.reason, r"\nwhat Claude did: rorchestrator logs [cd] --res.*\n")
            self.assertIn("\nmerge them by hand, then run again: cd ", known.reason)
        self.assertEqual(len(shop.events("resolution_started")), 1)
        self.assertEqual(self.refs(), [])

    def test_it_is_paid_from_the_budget_of_the_run_and_of_the_feature(self) -> None:
        for own_cap, words, reason in (
            ({}, ("--max-cost", "0.1"), "budget: "),
            ({"max_cost_usd": 0.005}, (), "nothing is left of the feature's max_cost_usd"),
        ):
            with self.subTest(words):
                shop = self.open(
                    feature("a", own("a"), estimated_tokens=1000),
                    feature("b", own("b"), resolves(BOTH), estimated_tokens=1000),
                    feature("c", {"write": "c"}, depends_on=["a", "b"], **own_cap),
                )
                said = self.run_resolve(*words)
                self.assertEqual(said.code, 1)
                self.assertIn(reason, shop.state().feature("c").reason)
                self.assertEqual(shop.events("resolution_started"), [])

    def test_after_a_usage_limit_it_is_tried_again(self) -> None:
        shop = self.conflict(limit_grace_seconds=0)
        limit = AttemptOutcome(Status.FAILED, "You've hit your session limit", Fault.LIMIT)
        run, limits = AttemptRunner.run, [limit]

        async def limited(self: AttemptRunner, *given: Any) -> AttemptOutcome:
            if self.context.log_folder.endswith("resolutions") and limits:
                return limits.pop()
            return await run(self, *given)

        with (
            mock.patch.object(AttemptRunner, "run", limited),
            mock.patch("core.runner.usage_limit.FIRST_GUESS_SECONDS", 0.1),
        ):
            said = self.run_resolve()
        self.assertEqual((said.code, limits), (0, []), said)
        self.assertEqual(len(shop.events("paused")), 2)

    def test_a_limit_that_is_lifted_too_late_ends_it(self) -> None:
        shop = self.conflict(limit_grace_seconds=0)
        limit = AttemptOutcome(Status.FAILED, "You've hit your session limit", Fault.LIMIT)
        run = AttemptRunner.run

        async def limited(self: AttemptRunner, *given: Any) -> AttemptOutcome:
            is_resolution = self.context.log_folder.endswith("resolutions")
            return limit if is_resolution else await run(self, *given)

        with mock.patch.object(AttemptRunner, "run", limited):
            said = self.run_resolve("--max-wait", "0")
        self.assertEqual(said.code, 1)
        known = shop.state().feature("c")
        self.assertEqual((known.status, known.fault), (Status.CONFLICT, Fault.BUDGET))
        self.assertIn("later than --max-wait allows", known.reason)


class Stops(DependencyTest):
    def begun(self, ids: str = "c") -> tuple[Workspace, str]:
        """A conflict at which the agent takes its time, until there is a file ``go``."""
        shop = self.open()
        begun, go = (os.path.join(shop.root, name) for name in ("begun", "go"))
        waits = f"touch {begun}; while ! test -e {go}; do sleep 0.05; done"
        shop.change(
            [
                feature("a", own("a")),
                feature("b", own("b"), resolves(waits), resolves(BOTH)),
                *(feature(id, {"write": f"{id}.txt"}, depends_on=["a", "b"]) for id in ids),
            ]
        )
        shop.commit({}, "the list")
        return shop, begun

    def test_a_stop_of_a_feature_ends_claude_or_its_wait_and_another_one_goes_on(self) -> None:
        shop, begun = self.begun("cde")
        running = shop.start("run", "--resolve", "--yes")
        wait_until(lambda: os.path.exists(begun), "the agent")
        (first,) = (event["feature"] for event in shop.events("resolution_started"))
        waiting, last = sorted({*"cde"} - {str(first)})
        for id in (waiting, str(first)):
            self.assertEqual(shop.main("stop", id).code, 0)
        wait_until(lambda: bool(shop.events("resolution_ended")), "the end of the agent")
        with open(os.path.join(shop.root, "go"), "w"):
            pass
        done = running.end()
        self.assertEqual(done.code, 1, done)
        statuses = {id: shop.state().feature(id).status for id in "cde"}
        cancelled = dict.fromkeys("cde", Status.CANCELLED)
        self.assertEqual(statuses, {**cancelled, last: Status.COMPLETED})
        self.assertEqual(
            [(e["feature"], e["fault"]) for e in shop.events("resolution_ended")],
            [(first, "interrupted"), (last, "none")],
        )
        self.assertEqual(shop.processes(), [])

    @once
    def test_a_retry_during_the_run_asks_claude_again(self) -> None:
        shop = self.open(verify_attempts=0)
        go, tried = (os.path.join(shop.root, name) for name in ("go", "tried"))
        second = f"if test -e {tried}; then {BOTH}; else touch {tried}; git add same.txt; fi"
        shop.change(
            [
                feature("a", own("a")),
                feature("b", own("b"), resolves(second)),
                feature("c", {"write": "c.txt"}, depends_on=["a", "b"]),
                feature("long", {"wait": go}, {"write": "long.txt"}),
            ]
        )
        shop.commit({}, "the list")
        running = shop.start("run", "--resolve", "--yes")
        wait_until(lambda: "c" in [e["feature"] for e in shop.events("ended")], "the conflict")
        self.assertEqual(shop.main("retry", "c").code, 0)
        wait_until(lambda: len(shop.events("resolution_ended")) == 2, "the second one")
        with open(go, "w"):
            pass
        self.assertEqual(running.end().code, 0)
        self.assertEqual([e["attempt"] for e in shop.events("resolution_started")], [1, 2])

    @once
    def test_a_signal_ends_claude_and_the_next_run_goes_on(self) -> None:
        shop, begun = self.begun()
        running = shop.start("run", "--resolve", "--yes")
        wait_until(lambda: os.path.exists(begun), "the agent")
        running.signal(signal.SIGTERM)
        self.assertEqual(running.end().code, 143)
        self.assertEqual(shop.processes(), [])
        with open(os.path.join(shop.root, "go"), "w"):
            pass
        self.assertEqual(self.run_resolve().code, 0)
        self.assertEqual([e["attempt"] for e in shop.events("resolution_started")], [1, 2])

    @once
    def test_killed_in_the_middle_nothing_runs_on_and_run_again_it_is_resolved(self) -> None:
        shop, begun = self.begun()
        running = shop.start("run", "--resolve", "--yes")
        wait_until(lambda: os.path.exists(begun), "the agent")
        running.kill()
        wait_until(lambda: not shop.processes(), "the end of all that it started")
        with open(os.path.join(shop.root, "go"), "w"):
            pass
        self.assertEqual(self.run_resolve().code, 0)
        first, second = shop.events("resolution_ended")
        self.assertEqual((first["status"], first["reason"]), ("cancelled", "the run was killed"))
        self.assertEqual(second["status"], "completed")


if __name__ == "__main__":
    unittest.main()
