"""Steering a run: from other terminals, while it goes on and in between."""

from __future__ import annotations

import json
import os
import signal
import unittest
from typing import Any

from core.journal.control import Requests
from core.model.control_action import ControlAction
from core.orchestrator.loop import STANDSTILL
from tests.support.commands import wait_until
from tests.support.workspace import WorkspaceTest, feature


class SteeredRunTest(WorkspaceTest):
    """Whole commands, real processes."""

    def ror(self, *words: str) -> Any:
        """What a command answers that has to work."""
        done = self.workspace.command(*words, "--json")
        self.assertEqual((done.code, done.err), (0, ""), words)
        return json.loads(done.out)

    def status(self) -> dict[str, Any]:
        document = json.loads(self.workspace.command("status", "--json").out)
        self.paused = document["paused"]
        return {f["id"]: f["status"] for f in document["features"]}

    def waits_for(self, id: str, kind: str, count: int = 1) -> None:
        def there() -> bool:
            return len([e for e in self.workspace.journal(id) if e["event"] == kind]) >= count

        wait_until(there, f"{kind} of {id}")

    def test_a_run_is_steered_from_other_terminals(self) -> None:
        go = self.workspace.beside("go")
        self.workspace.features(
            feature("auth", {"write": "auth.md"}, {"wait": go}),
            feature("search", {"write": "search.md"}, {"wait": go}),
            feature("api", depends_on=["auth"]),
            feature("ui", depends_on=["auth", "extra"]),
            feature("extra", depends_on=["search"]),
            max_parallel=2,
        )
        run = self.workspace.start("run", "--yes", "--json")
        for id in ("auth", "search"):
            self.waits_for(id, "attempt_started")
        both = [self.workspace.start("pause"), self.workspace.start("pause")]
        self.assertEqual([each.end().code for each in both], [0, 0])
        self.assertEqual((self.status()["auth"], self.paused), ("running", True))
        self.assertEqual(self.workspace.command("attach", "auth", "--print").code, 1)
        self.assertIn("blocked: api, ui", self.ror("stop", "auth")["text"])
        self.waits_for("auth", "ended")
        status = self.status()
        self.assertEqual([status[id] for id in ("auth", "api")], ["cancelled", "blocked"])
        self.assertEqual(status["search"], "running")
        self.ror("skip", "extra", "--force")
        self.ror("retry", "auth")
        self.assertEqual(len(self.workspace.attempts("auth")), 1)  # it is paused
        self.ror("resume")
        self.waits_for("auth", "attempt_started", 2)
        self.assertEqual(self.workspace.command("skip", "search").code, 1)
        self.workspace.touch("go")
        done = run.end()
        self.assertEqual(done.code, 1)
        self.assertEqual(self.status()["extra"], "skipped")
        self.assertFalse(self.paused)
        self.assert_statuses(**dict.fromkeys(("auth", "search", "api", "ui"), "completed"))
        (first, session, _), again = self.workspace.attempts("auth")
        self.assertEqual((first, again), (1, (2, session, True)))
        self.assertEqual(self.workspace.added("feature/ui"), {"auth.md", "ui.md"})
        with open(self.workspace.last("ui", "attempt_started")["log"][:-5] + "prompt") as file:
            self.assertNotIn("extra", file.read())
        document = done.lines[-1]
        self.assertEqual((document["successful"], document["total_features"]), (4, 5))
        self.assertEqual(os.listdir(os.path.join(self.workspace.state_folder, "requests")), [])
        # An older version knows no such status.
        self.assertNotIn("skipped", {e.get("status") for e in self.workspace.journal()})
        # The skip is valid until it is taken back; then what ran without it is out of date.
        self.assertEqual(self.workspace.run().code, 1)
        self.assertEqual(len(self.workspace.attempts("ui")), 1)
        merged = self.workspace.command("merge", "--json", "--dry-run")
        landed = {f["id"]: f["state"] for f in json.loads(merged.out)["features"]}
        self.assertEqual(landed["ui"], "would land")
        self.assertEqual(self.workspace.command("retry", "extra", "--yes").code, 0)
        self.assertEqual(self.status()["extra"], "completed")
        plan = json.loads(self.workspace.command("plan", "--json").out)
        self.assertEqual(plan["features_to_run"], ["ui"])

    def test_a_retried_feature_that_failed_by_its_own_result_starts_over_and_is_paid_for(
        self,
    ) -> None:
        go = self.workspace.beside("go")
        self.workspace.features(
            feature("auth", {"bash": f"test -e {go} && echo 1 > auth.md"}),
            feature("slow", {"wait": go}, {"fail": "Overloaded", "status": 529}, {"write": "s"}),
            max_parallel=2,
            retry={"attempts": 2, "backoff_seconds": 0.01},
        )
        run = self.workspace.start("run", "--yes", "--json")
        self.waits_for("auth", "ended")
        self.assertEqual(self.workspace.last("auth")["status"], "empty")
        self.ror("pause")
        self.ror("retry", "auth")
        self.workspace.touch("go")
        # Neither what is queued nor what is tried again starts.
        wait_until(self.standstills, "a standstill")
        self.assertEqual(self.kinds_of("auth", "slow"), (1, 1))
        self.ror("resume")
        done = run.end()
        self.assertEqual(done.code, 0, done.out)
        numbers = [number for number, _, _ in self.workspace.attempts("auth")]
        self.assertEqual(numbers, [1, 2])
        result = self.workspace.results()["auth"]
        self.assertEqual((len(result["attempts"]), result["cost_usd"]), (2, 0.1))
        self.assertAlmostEqual(self.workspace.report()["total_cost_usd"], 0.15)
        self.assertEqual(len(self.workspace.attempts("slow")), 2)
        logs = {attempt["log"] for attempt in result["attempts"]}
        self.assertEqual(len(logs), 2)
        first = self.workspace.command("logs", "auth", "--attempt", "1")
        self.assertEqual(first.code, 0)

    def test_a_pause_does_not_outlive_its_run_however_that_ends(self) -> None:
        first, go = self.workspace.beside("first"), self.workspace.beside("go")
        overloaded = {"fail": "Overloaded", "status": 529}
        self.workspace.features(
            feature("auth", {"wait": first}, overloaded, {"wait": go}, {"write": "auth.md"}),
            feature("api"),
            max_parallel=1,
            retry={"attempts": 2, "backoff_seconds": 0.01},
        )
        for end, expected in ((signal.SIGINT, 130), (signal.SIGKILL, -9), (None, 1)):
            before, still = len(self.workspace.attempts("auth")), self.standstills()
            run = self.workspace.start("run", "--yes")
            self.waits_for("auth", "attempt_started", before + 1)
            self.ror("pause")
            if end is signal.SIGINT:
                self.workspace.touch("first")  # its next attempt waits for the resume
            else:
                self.ror("stop", "auth")
            wait_until(lambda: self.standstills() > still, "a standstill")  # noqa: B023
            if end is None:
                self.ror("stop")
            else:
                run.signal(end)
            self.assertEqual(run.end().code, expected)
            # A process that a killed run was about to start has its lock until it executes.
            wait_until(lambda: self.status() and not self.paused, "the end of the pause")
        self.assertEqual(len({session for _, session, _ in self.workspace.attempts("auth")}), 1)
        run_id = self.workspace.journal()[-1]["run"]
        Requests(self.workspace.state_folder).leave(run_id, ControlAction.STOP)
        self.workspace.touch("go")
        self.assertEqual(self.workspace.run().code, 0)
        self.assert_statuses(auth="completed", api="completed")
        self.assertEqual(os.listdir(os.path.join(self.workspace.state_folder, "requests")), [])

    def kinds_of(self, *ids: str) -> tuple[int, ...]:
        """How many attempts were made at each of them."""
        return tuple(len(self.workspace.attempts(id)) for id in ids)

    def standstills(self) -> int:
        return sum(event.get("text") == STANDSTILL for event in self.workspace.journal())


if __name__ == "__main__":
    unittest.main()
