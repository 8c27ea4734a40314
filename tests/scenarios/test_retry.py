"""Whole runs that meet faults of the API, usage limits and silences."""

from __future__ import annotations

import json
import sys
import unittest
from collections.abc import Mapping, Sequence
from datetime import datetime

from tests.support.paths import AGENT
from tests.support.workspace import WorkspaceTest, feature

INIT = {"type": "system", "subtype": "init", "session_id": "s"}
ANSWER = {"type": "assistant", "message": {}}
FAILED: Mapping[str, object] = {
    "type": "result",
    "subtype": "success",
    "is_error": True,
    "num_turns": 1,
    "total_cost_usd": 0.25,
    "session_id": "s",
}
OVERLOADED = {**FAILED, "result": "API Error: Overloaded", "api_error_status": 529}
RATE = {**FAILED, "result": "API Error: Request rejected (429)", "api_error_status": 429}
REFUSED = {**FAILED, "result": "Prompt is too long", "api_error_status": 400}

SCRIPT = """\
#!{python}
import fcntl, os, sys
folder = {folder!r}
with open(os.path.join(folder, "calls"), "a+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    file.seek(0)
    number = len(file.readlines())
    resumed = any(word.startswith("--resume") for word in sys.argv)
    file.write(("resumed" if resumed else "new") + "\\n")
answers = {answers!r}
if number < len(answers):
    {act}
os.execv({agent[0]!r}, [*{agent!r}, *sys.argv[1:]])
"""


class RetryTest(WorkspaceTest):
    def claude(
        self, *answers: Sequence[object], then: str = "print(answers[number]); sys.exit(1)"
    ) -> dict[str, object]:
        """A Claude whose first calls answer so; the later ones are those of the simulation."""
        lines = ["\n".join(json.dumps(message) for message in answer) for answer in answers]
        text = SCRIPT.format(
            python=sys.executable,
            folder=self.workspace.beside("."),
            answers=lines,
            agent=AGENT,
            act=then,
        )
        return {"command": [self.workspace.script("claude", text)]}

    def calls(self) -> list[str]:
        with open(self.workspace.beside("calls")) as file:
            return file.read().split()

    def run_with(self, claude: Mapping[str, object], code: int, **project: object) -> str:
        quick = {"attempts": 3, "backoff_seconds": 0.01}
        self.workspace.features(feature("a"), claude=claude, **{"retry": quick, **project})
        done = self.workspace.run()
        self.assertEqual(done.code, code, done.err)
        return done.err


class TransientTest(RetryTest):
    def test_an_overloaded_api_is_asked_again_and_each_attempt_is_paid_and_shown(self) -> None:
        said = self.run_with(self.claude([INIT, OVERLOADED], [INIT, OVERLOADED]), 0)
        # The simulation does not know the session that the script claimed to have.
        self.assertEqual(self.calls(), ["new", "resumed", "resumed", "new"])
        self.assertIn("attempt 2 of 3", said)
        self.assertIn("attempt 3 of 3", said)
        result = self.workspace.results()["a"]
        self.assertEqual(len(result["attempts"]), 4)
        self.assertAlmostEqual(result["cost_usd"], 0.55)

    def test_a_transient_failure_is_retried_as_often_as_set_and_no_more(self) -> None:
        self.run_with(self.claude(*[[INIT, OVERLOADED]] * 5), 1)
        self.assertEqual(len(self.calls()), 3)
        self.assert_statuses(a="failed")

    def test_a_process_that_was_killed_from_outside_is_started_again(self) -> None:
        killed = "os.kill(os.getpid(), 9)"
        self.run_with(self.claude([], then=killed), 0)
        self.assertEqual(self.calls()[:2], ["new", "resumed"])

    def test_immutable_answers_are_never_asked_for_again(self) -> None:
        self.run_with(self.claude([INIT, REFUSED]), 1)
        self.assertEqual(len(self.calls()), 1)

    def test_too_many_requests_are_fewer_the_next_time(self) -> None:
        claude = self.claude([INIT, RATE])
        self.workspace.features(
            *(feature(id) for id in "abcd"),
            claude=claude,
            max_parallel=4,
            retry={"attempts": 3, "backoff_seconds": 0.01},
        )
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(len(self.calls()), 6)


class LimitTest(RetryTest):
    def limited(self, seconds: float) -> list[object]:
        """It is lifted so long after it was met."""
        info = {"status": "rejected", "resetsAt": f"{seconds} s from now"}
        event = {"type": "rate_limit_event", "rate_limit_info": info}
        return [INIT, event, {**FAILED, "result": "You've hit your limit"}]

    def limiting(self, *answers: Sequence[object]) -> dict[str, object]:
        then = (
            "import re, time; print(re.sub(r'\"([0-9.]+) s from now\"',"
            " lambda m: str(time.time() + float(m[1])), answers[number])); sys.exit(1)"
        )
        return self.claude(*answers, then=then)

    def test_the_run_waits_until_the_limit_is_lifted_and_counts_no_attempt(self) -> None:
        claude = self.limiting(*[self.limited(0.5)] * 3)
        said = self.run_with(claude, 0, limit_grace_seconds=0, retry={"attempts": 1})
        self.assertIn("usage limit: waiting until", said)
        self.assertIn("the usage limit is reset", said)
        kinds = [event["event"] for event in self.workspace.journal()]
        self.assertEqual(kinds.count("attempt_started"), 5)

    def test_a_limit_beyond_the_longest_wait_ends_the_run_and_the_next_one_resumes(self) -> None:
        claude = self.limiting(self.limited(7200))
        self.workspace.features(feature("a"), feature("b"), claude=claude, max_parallel=1)
        done = self.workspace.run("--max-wait", "1h")
        self.assertEqual(done.code, 1, done.err)
        self.assert_statuses(a="failed", b="cancelled")
        self.assertIn("--max-wait", done.out)
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(self.calls()[:2], ["new", "resumed"])

    def test_nothing_starts_while_the_window_is_fuller_than_allowed(self) -> None:
        info = {
            "status": "allowed_warning",
            "resetsAt": "6 s from now",
            "rateLimitType": "five_hour",
            "utilization": 0.95,
        }
        then = (
            "import re, time; print(re.sub(r'\"([0-9.]+) s from now\"',"
            " lambda m: str(time.time() + float(m[1])), answers[number]), flush=True)"
        )
        event = {"type": "rate_limit_event", "rate_limit_info": info}
        claude = self.claude([event], then=then)
        self.workspace.features(
            *(feature(id) for id in "ab"),
            claude=claude,
            max_parallel=1,
            limit_grace_seconds=0,
            hold_at_utilization=90,
        )
        done = self.workspace.run()
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("5-hour window 95 % is above project.hold_at_utilization (90 %)", done.err)
        self.assertIn("the usage limit is reset", done.err)
        [seen] = self.workspace.events("window")
        self.assertEqual((seen["window"], seen["utilization"]), ("five_hour", 0.95))
        starts = [event["at"] for event in self.workspace.events("attempt_started")]
        self.assertLess(seen["resets_at"], starts[1])


class StallTest(RetryTest):
    def test_a_silence_ends_the_attempt_which_is_resumed_once(self) -> None:
        silent = "print(answers[number], flush=True); import time; time.sleep(60)"
        said = self.run_with(self.claude([INIT], then=silent), 0, stall_seconds=3)
        self.assertIn("no output for", said)
        self.assertEqual(self.calls()[:2], ["new", "resumed"])

    def test_the_second_silence_ends_the_feature(self) -> None:
        silent = "print(answers[number], flush=True); import time; time.sleep(60)"
        self.run_with(self.claude(*[[INIT]] * 3, then=silent), 1, stall_seconds=1.5)
        self.assertEqual(len(self.calls()), 2)
        self.assert_statuses(a="timed_out")


class IntervalTest(RetryTest):
    def test_starts_keep_their_distance(self) -> None:
        self.workspace.features(
            *(feature(id) for id in "abc"), max_parallel=3, start_interval_seconds=0.3
        )
        self.assertEqual(self.workspace.run().code, 0)
        # An event may be late, so that two come closer: never is one before its time.
        first = datetime.fromisoformat(self.workspace.events("preparing")[0]["at"])
        starts = [
            (datetime.fromisoformat(event["at"]) - first).total_seconds()
            for event in self.workspace.events("attempt_started")
        ]
        for number, start in enumerate(starts):
            self.assertGreater(start, 0.3 * number - 0.01, starts)


if __name__ == "__main__":
    unittest.main()
