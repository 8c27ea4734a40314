"""The stream of an attempt, while it grows."""

from __future__ import annotations

import asyncio
import json
import os
import unittest
from typing import Any

from core.model.feature import Config, Feature, Project
from core.model.frozen import replace
from core.model.outcome import Fault, Status
from core.runner.attempt import AttemptRunner, Session, Stream
from tests.support.runner import (
    RunnerTest,
    result,
    run_id,
)
from tests.support.workspace import feature


class ChangedListTest(unittest.TestCase):
    def test_a_feature_that_began_keeps_the_context_of_its_prompt(self) -> None:
        old = Config("/l", "/", Project("Shop", "/"), (Feature("a", "A"), Feature("b", "B")))
        nobody: Any = None
        runner = AttemptRunner(replace(old, context="Ruby."), nobody, nobody)

        def contexts() -> list[str]:
            prompts = (runner._prompt(each, Session("s")) for each in old.features)
            return [prompt.splitlines()[2] for prompt in prompts]

        self.assertEqual(contexts(), ["Ruby.", "Ruby."])
        runner.take_up(replace(old, context="Rust."), ["a"])
        self.assertEqual(contexts(), ["Ruby.", "Rust."])
        runner.take_up(replace(old, context="Go."), ["a", "b"])
        self.assertEqual(contexts(), ["Ruby.", "Rust."])


class StreamTest(RunnerTest):
    def test_garbage_between_the_lines_is_survived(self) -> None:
        self.workspace.features(
            feature("a"),
            claude={
                "command": [
                    "/bin/sh",
                    "-c",
                    f"""printf '\\377\\376 {{"no\\n[1, 2]\\nnull\\n\\n'; touch a.txt
                    printf '%s' '{result()}'; printf '{{"type": "later"}}\\nhalf a li'""",
                ]
            },
        )
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)

    def test_a_line_of_five_megabytes_is_read(self) -> None:
        does = ({"print": "x", "times": 5_000_000}, {"print": "\n"}, {"write": "a.txt"})
        self.workspace.features(feature("a", *does))
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        log = self.workspace.beside("logs", run_id(1), "a.1.jsonl")
        self.assertGreater(os.path.getsize(log), 5_000_000)

    def test_a_message_of_any_kind_is_read_up_to_the_limit(self) -> None:
        path = self.workspace.beside("stream.jsonl")
        init = '{"type": "system", "subtype": "init"'
        for begin, read in ((init, (True, False)), (result().strip()[:-1], (False, True))):
            with self.subTest(begin=begin):
                with open(path, "w") as file:
                    file.write(f'{begin}, "more": "{"x" * (17 << 20)}"}}\n')
                stream = Stream(path)
                asyncio.run(stream.finish())
                told = stream.transcript
                self.assertEqual((told.began, told.result is not None), read)

    def test_a_result_without_a_line_end_counts(self) -> None:
        script = f"touch a.txt; printf '%s' '{result().strip()}'"
        self.workspace.features(feature("a"), claude={"command": ["/bin/sh", "-c", script]})
        self.assertEqual(self.run_feature().status, Status.COMPLETED)

    def test_the_last_of_two_results_gives_the_cost(self) -> None:
        does = ({"write": "a.txt"}, {"print": result()}, {"cost": 0.7})
        self.workspace.features(feature("a", *does))
        outcome = self.run_feature()
        self.assertEqual((outcome.status, self.last_attempt().cost_usd), (Status.COMPLETED, 0.7))

    def test_a_result_does_not_end_the_attempt_while_claude_continues(self) -> None:
        self.linger_seconds = 0.3
        go = self.workspace.beside("go")
        more = {"type": "assistant", "message": {"content": "One more thing."}}
        both = {"print": result() + json.dumps(more) + "\n"}
        self.workspace.features(feature("a", both, {"wait": go}, {"write": "a.txt"}))
        # Silent for longer than a lingering Claude may be, but not after a result.
        self.on_event = lambda event, stop: (
            event.kind == "attempt_started"
            and (asyncio.get_running_loop().call_later(0.6, self.workspace.touch, "go"))
        )
        self.assertEqual(self.run_feature().status, Status.COMPLETED)

    def test_output_is_read_in_slices_however_much_there_is(self) -> None:
        path = self.workspace.beside("log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                '{"type": "user"}\n' * 200_000 + "{}\n" * 200_000 + result(result="At last.")
            )
        stream = Stream(path)
        stream.read()
        self.assertTrue(stream.behind)
        self.assertIsNone(stream.transcript.result)
        turns = 0

        async def scene() -> None:
            nonlocal turns
            reading = asyncio.ensure_future(stream.finish())
            while not reading.done():
                await asyncio.sleep(0)
                turns += 1

        asyncio.run(scene())
        self.assertGreater(turns, 2)
        self.assertEqual(stream.transcript.text, "At last.")

    def test_an_agent_that_prints_more_than_is_kept_is_ended(self) -> None:
        self.limits = {"log_bytes": 1_000_000}
        for end in ("", ">&2"):
            with self.subTest(end):
                script = f"touch a.txt; yes | head -c 2000000 {end}; exec sleep 60"
                self.workspace.features(feature("a"), claude={"command": ["/bin/sh", "-c", script]})
                outcome = self.run_feature()
                self.assert_failed(outcome, Fault.OUTPUT, "output exceeded the log limit")
                self.assertEqual(self.workspace.processes(), [])
