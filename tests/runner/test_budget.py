"""What a run may cost: the ledger by itself, and whole runs with a Claude that bills."""

from __future__ import annotations

import asyncio
import json
import sys
import unittest
from collections.abc import Awaitable, Callable

from core.runner.budget import Budget
from tests.support.workspace import WorkspaceTest, feature

ESTIMATES = {"a": 2.0, "b": 3.0, "c": 4.0}

BILLING = """\
#!{python}
import json, os, sys
# Turns of ${turn:.2f}: as the CLI does, it looks at its budget after each of them.
prompt = sys.stdin.read()
budget = [float(w.split("=")[1]) for w in sys.argv if w.startswith("--max-budget-usd=")]
session = [w.split("=")[1] for w in sys.argv if w.startswith(("--session-id=", "--resume="))][0]
name = os.environ["RORCHESTRATOR_FEATURE"]
done = os.path.join({folder!r}, name + ".turns")
turns = int(open(done).read()) if os.path.exists(done) else 0
print(json.dumps({{"type": "system", "subtype": "init", "session_id": session}}), flush=True)
spent = 0.0
while turns < {needed} and (not budget or spent < budget[0]):
    turns, spent = turns + 1, spent + {turn}
open(done, "w").write(str(turns))
with open(os.path.join({folder!r}, "bills"), "a") as file:
    file.write(f"{{spent}}\\n")
result = {{"type": "result", "subtype": "success", "is_error": False, "num_turns": 1}}
if turns < {needed}:
    result["subtype"] = "error_max_budget_usd"
else:
    open(name + ".txt", "w").write("done")
print(json.dumps({{**result, "total_cost_usd": spent, "session_id": session, "result": "x"}}))
sys.exit(turns < {needed})
"""


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class LedgerTest(unittest.TestCase):
    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            await asyncio.wait_for(scene(), 20)

        asyncio.run(limited())

    def test_it_is_made_before_the_loop_that_waits_for_it(self) -> None:
        budget = Budget(5.0, ESTIMATES)

        async def scene() -> None:
            self.assertEqual(await budget.reserve("a", str), "")
            waiting = asyncio.create_task(budget.reserve("c", str))
            await settle()
            self.assertFalse(waiting.done())
            budget.spend("a", 0.5)
            budget.release("a")
            self.assertEqual(await waiting, "")

        self.play(scene)

    def test_without_a_cap_everything_fits_and_nothing_is_bounded(self) -> None:
        async def scene() -> None:
            budget = Budget(None, {})
            self.assertEqual(await budget.reserve("a", str), "")
            self.assertIsNone(budget.grant("a", 4, None))
            self.assertEqual(budget.grant("a", 4, 1.5), 1.5)
            budget.spend("a", None)
            budget.release("a")

        self.play(scene)

    def test_a_feature_beyond_the_budget_waits_while_others_may_turn_out_cheaper(self) -> None:
        async def scene() -> None:
            budget = Budget(5.0, ESTIMATES)
            self.assertEqual(await budget.reserve("b", str), "")
            waiting = asyncio.ensure_future(budget.reserve("c", str))
            await settle()
            self.assertFalse(waiting.done())
            budget.spend("b", 1.0)
            await settle()
            self.assertFalse(waiting.done())
            budget.release("b")
            self.assertEqual(await waiting, "")
            self.assertAlmostEqual(budget.left_usd, 0.0)

        self.play(scene)

    def test_a_feature_that_can_never_fit_the_budget_is_refused_with_the_amounts(self) -> None:
        async def scene() -> None:
            budget = Budget(5.0, ESTIMATES)
            await budget.reserve("b", str)
            budget.spend("b", 2.5)
            budget.release("b")
            said = await budget.reserve("b", str)
            self.assertEqual(said, "budget: needs about $3.00, only $2.50 of $5.00 is left")
            self.assertEqual(await budget.reserve("a", str), "")
            said = await Budget(0.001, ESTIMATES).reserve("b", str)
            self.assertIn("only $0.0010 of $0.0010 is left", said)

        self.play(scene)

    def test_a_feature_waiting_for_budget_ends_with_the_run(self) -> None:
        async def scene() -> None:
            budget = Budget(3.0, ESTIMATES)
            await budget.reserve("b", str)
            waiting = asyncio.ensure_future(budget.reserve("a", lambda: "interrupted"))
            await settle()
            budget.release("b")
            self.assertEqual(await waiting, "interrupted")

        self.play(scene)

    def test_a_feature_waiting_for_budget_is_stopped_even_if_no_other_feature_moves(self) -> None:
        async def scene() -> None:
            budget = Budget(3.0, ESTIMATES)
            await budget.reserve("b", str)
            self.assertEqual(await budget.reserve("a", lambda: "stopped"), "stopped")

        self.play(scene)

    def test_all_that_is_granted_never_exceeds_the_cap(self) -> None:
        async def scene() -> None:
            budget = Budget(10.0, ESTIMATES)
            for id in ("a", "b"):
                await budget.reserve(id, str)
            first, second = budget.grant("a", 2, None), budget.grant("b", 2, None)
            assert first is not None and second is not None
            self.assertAlmostEqual(first, 2.0 + 5.0 / 2)
            self.assertLessEqual(first + second, 10.0)
            self.assertEqual(budget.grant("a", 1, 0.5), 0.5)

        self.play(scene)

    def test_an_attempt_of_unknown_cost_costs_what_was_reserved(self) -> None:
        async def scene() -> None:
            budget = Budget(10.0, ESTIMATES)
            await budget.reserve("a", str)
            budget.spend("a", None)
            self.assertEqual((budget.settled_usd, budget.left_usd), (2.0, 8.0))

        self.play(scene)


class BilledTest(WorkspaceTest):
    def claude(self, turn: float, needed: int) -> dict[str, object]:
        text = BILLING.format(
            python=sys.executable, turn=turn, needed=needed, folder=self.workspace.beside(".")
        )
        return {"command": [self.workspace.script("claude", text)]}

    def billed(self) -> float:
        with open(self.workspace.beside("bills")) as file:
            return sum(map(float, file))

    def six(self, claude: dict[str, object], **project: object) -> None:
        features = [feature(id, estimated_tokens=100_000) for id in "abcdef"]  # $3.00 each
        self.workspace.features(*features, claude=claude, max_parallel=3, **project)

    def test_never_more_is_billed_than_the_cap_and_one_turn_of_each_that_runs(self) -> None:
        self.six(self.claude(turn=0.7, needed=50))
        done = self.workspace.run("--max-cost", "10")
        self.assertEqual(done.code, 1, done.err)
        self.assertGreater(self.billed(), 9.0)
        self.assertLessEqual(self.billed(), 10.0 + 3 * 0.7)
        reasons = [error["error"] for error in self.workspace.report()["errors"]]
        self.assertTrue(all(reason.startswith("budget") for reason in reasons), reasons)

    def test_a_feature_waiting_for_budget_holds_no_slot(self) -> None:
        # c gets ready when b is over, goes before a, and does not fit while a is in line.
        ready = {"wait": self.workspace.beside("worktrees", "a", ".git")}
        self.workspace.features(
            feature("b", ready, {"write": "b"}, estimated_tokens=100_000),
            feature("c", depends_on=["b"], estimated_tokens=300_000),
            feature("a", estimated_tokens=100_000, priority=9),
            max_parallel=1,
        )
        done = self.workspace.run("--max-cost", "11")
        self.assertEqual(done.code, 0, done.err)

    def test_cheap_features_make_room_for_the_others(self) -> None:
        self.six(self.claude(turn=0.5, needed=1), max_cost_usd=7)
        done = self.workspace.run()
        self.assertEqual(done.code, 0, done.err)
        self.assertAlmostEqual(self.billed(), 3.0)

    def test_a_feature_that_needs_more_than_its_share_gets_the_rest_of_the_budget(self) -> None:
        self.workspace.features(
            feature("a", estimated_tokens=10_000), claude=self.claude(turn=0.5, needed=12)
        )
        self.assertEqual(self.workspace.run("--max-cost", "$7", "--max-parallel", "4").code, 0)
        self.assertAlmostEqual(self.billed(), 6.0)

    def test_a_feature_has_a_cap_of_its_own(self) -> None:
        self.workspace.features(
            feature("a", max_cost_usd=2), feature("b"), claude=self.claude(turn=0.5, needed=8)
        )
        self.assertEqual(self.workspace.run().code, 1)
        self.assert_statuses(a="failed", b="completed")
        self.assertAlmostEqual(self.billed(), 2.0 + 4.0)
        self.assertIn("budget", self.workspace.last("a")["reason"])

    def test_the_next_run_with_more_money_resumes(self) -> None:
        self.workspace.features(feature("a"), claude=self.claude(turn=1.0, needed=4))
        self.assertEqual(self.workspace.run("--max-cost", "2").code, 1)
        self.assertEqual(self.workspace.run("--max-cost", "20").code, 0)
        self.assertTrue(self.workspace.attempts("a")[-1][2])
        self.assertAlmostEqual(self.billed(), 4.0)


class TimeTest(WorkspaceTest):
    def test_the_run_ends_in_time_and_the_next_one_continues(self) -> None:
        gate = self.workspace.beside("gate")
        self.workspace.features(
            feature("a", {"wait": gate}, {"write": "a.txt"}), feature("b"), max_parallel=1
        )
        done = self.workspace.run("--max-time", "4s")
        self.assertEqual(done.code, 1, done.err)
        self.assert_statuses(a="timed_out", b="cancelled")
        self.assertIn("--max-time", json.dumps(self.workspace.report()["errors"]))
        with open(gate, "w"):
            pass
        self.assertEqual(self.workspace.run().code, 0)

    def test_an_invalid_time_or_amount_is_refused(self) -> None:
        self.workspace.features(feature("a"))
        for option, value in (("--max-time", "soon"), ("--max-cost", "-1"), ("--max-cost", "x")):
            with self.subTest(option):
                self.assertEqual(self.workspace.command("run", f"{option}={value}").code, 2)


if __name__ == "__main__":
    unittest.main()
