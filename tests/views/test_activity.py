"""What Claude does right now, from recorded and made-up logs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import unittest
from collections.abc import Mapping

from core.model.mask import Mask
from core.views.activity import LAST_LINES, READ_BYTES, Activity, ActivityLog
from tests.support.streams import RECORDED


def line(**message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def answer(*content: object, id: str = "m1", parent: object = None, tokens: int = 0) -> bytes:
    message: Mapping[str, object] = {
        "id": id,
        "model": "opus",
        "content": list(content),
        "usage": {"input_tokens": tokens, "output_tokens": 1},
    }
    return line(type="assistant", message=message, parent_tool_use_id=parent)


def call(id: str, name: str, **given: object) -> dict[str, object]:
    return {"type": "tool_use", "id": id, "name": name, "input": given}


def result(id: str, content: object, parent: object = None) -> bytes:
    block = {"type": "tool_result", "tool_use_id": id, "content": content}
    message = {"role": "user", "content": [block]}
    return line(type="user", message=message, parent_tool_use_id=parent)


INIT = line(type="system", subtype="init", cwd="/w/api", claude_code_version="2.1.330")


class _Log(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "api.1.jsonl")
        self.log = ActivityLog(self.path)

    def after(self, *lines: bytes) -> Activity:
        """The activity after more lines."""
        with open(self.path, "ab") as file:
            file.writelines(lines)
        return self.log.read()


class WhatClaudeDoes(_Log):
    def test_each_line_changes_what_is_shown(self) -> None:
        text = {"type": "text", "text": "Look:\nfirst the tests."}
        steps = [
            (line(type="other"), "starts"),
            (INIT, "thinks"),
            (answer(text), "Look: first the tests."),
            (answer(call("t1", "Bash", command="npm test")), "$ npm test"),
            (result("t1", "ok\n\n  7 passed  "), "thinks"),
            (answer(call("t2", "Read", file_path="/w/api/a.py"), id="m2"), "Read a.py"),
            (answer(call("t3", "Read", file_path="/w/api/b.py"), id="m2"), "Read b.py (+1)"),
            (result("t3", [{"type": "text", "text": "x = 1"}, 5]), "Read a.py"),
            (result("t2", None), "thinks"),
            (answer(call("t4", "Agent", description="Look"), id="m3"), "Agent Look"),
            (
                answer(call("s1", "Grep", pattern="x"), id="s", parent="t4"),
                "Grep x (+1)",
            ),
            (answer({"type": "text", "text": ""}, id="s2", parent="t4"), "Agent Look"),
            (answer({"type": "thinking", "thinking": "…"}, id="m4"), "thinks"),
            (answer({"type": "text", "text": "  "}, id="m5"), "thinks"),
            (
                line(type="system", subtype="api_retry", attempt=2, max_retries=10),
                "API retry 2 of 10 after no answer",
            ),
            (
                line(type="system", subtype="api_retry", attempt=3, error_status=529),
                "API retry 3 of 0 after 529",
            ),
            (line(type="system", subtype="task_started"), "API retry 3 of 0 after 529"),
            (line(type="result", subtype="success", is_error=False), "ends"),
        ]
        for added, action in steps:
            with self.subTest(line=added):
                self.assertEqual(self.after(added).action, action)
        self.assertEqual(self.log.read().turns, 5, "a subagent's answers are no turns")

    def test_the_last_lines_hold_texts_calls_and_the_ends_of_results(self) -> None:
        said = self.after(
            INIT,
            answer({"type": "text", "text": "One.\n\nTwo.\x1b[31m"}),
            answer(call("t1", "Bash", command="make\ntest")),
            result("t1", "\n".join(f"line {n}" for n in range(1, 9))),
        )
        self.assertEqual(
            said.last_lines,
            ("One.", "Two.", "> $ make test", "  line 5", "  line 6", "  line 7", "  line 8"),
        )
        said = self.after(*(result("t", f"r{n}") for n in range(40)))
        self.assertEqual(len(said.last_lines), LAST_LINES)

    def test_tokens_are_counted_once_a_message_and_the_result_decides(self) -> None:
        said = self.after(answer(tokens=100), answer(tokens=100), answer(id="m2", tokens=200))
        self.assertEqual((said.tokens, said.cost_usd), (300, None))
        self.assertEqual(said.tokens_by_model, {"opus": 300})
        usage = {"input_tokens": 300, "output_tokens": 50}
        said = self.after(line(type="result", total_cost_usd=0.25, usage=usage))
        self.assertEqual((said.tokens, said.cost_usd), (350, 0.25))

    def test_odd_messages_upset_nothing(self) -> None:
        odd: list[object] = [None, 5, "x", [], {}, [None], {"content": 5}, {"content": [5, {}]}]
        for value in odd:
            for kind in ("assistant", "user"):
                self.after(line(type=kind, message=value))
        for block in ({"type": "tool_use", "input": 5}, {"type": "text", "text": 5}):
            self.after(answer(block))
        self.assertEqual(self.after(b"no json\n").action, "?")

    def test_only_so_many_calls_are_kept_open(self) -> None:
        said = self.after(answer(*(call(f"t{n}", "Task") for n in range(100))))
        self.assertEqual(said.action, "Task (+63)")

    def test_secrets_are_masked(self) -> None:
        self.log = ActivityLog(self.path, Mask({"API_TOKEN": "s3cr3t-s3cr3t"}))
        said = self.after(
            answer({"type": "text", "text": "It is s3cr3t-s3cr3t"}),
            answer(call("t1", "Bash", command="curl -H s3cr3t-s3cr3t")),
            result("t1", "x" * 9_000 + " s3cr3t-s3cr3t\nend"),
        )
        self.assertNotIn("s3cr3t", repr(said))
        self.assertEqual(said.last_lines[-1], "  end")


class TheFile(_Log):
    def test_a_missing_log_is_an_empty_activity(self) -> None:
        self.assertEqual(self.log.read(), Activity())
        os.mkfifo(self.path)
        self.assertEqual(self.log.read(), Activity(), "and a pipe isn't waited for")

    def test_an_incomplete_line_waits_for_its_end(self) -> None:
        whole = answer(call("t1", "Bash", command="make"))
        self.assertEqual(self.after(whole[:40]).action, "starts")
        said = self.after(whole[40:])
        self.assertEqual(said.action, "$ make")
        self.assertEqual(said.changed_at, os.stat(self.path).st_mtime)

    def test_an_unchanged_log_is_not_read_again(self) -> None:
        first = self.after(INIT)
        self.assertIs(self.log.read(), first)

    def test_one_call_reads_only_so_much(self) -> None:
        said = self.after(b"x" * READ_BYTES + b"\n", answer(call("t1", "Bash", command="make")))
        self.assertEqual((said.action, self.log.behind), ("starts", True))
        self.assertEqual((self.log.read().action, self.log.behind), ("$ make", False))


class RecordedLogs(unittest.TestCase):
    def test_every_recorded_run_ends_in_an_activity(self) -> None:
        expected = {
            "success": ("ends", 2, 0.03055),
            "permission_denied": ("ends", 2, 0.03055),
            "subagent": ("ends", 2, 0.045825),
            "sigkill_bash": ("$ tail -f /dev/null", 1, None),
        }
        for name, (action, turns, cost) in expected.items():
            with self.subTest(name=name):
                said = ActivityLog(os.path.join(RECORDED, f"{name}.stream.jsonl")).read()
                self.assertEqual((said.action, said.turns), (action, turns))
                self.assertEqual(said.cost_usd and round(said.cost_usd, 6), cost)
        for name in os.listdir(RECORDED):
            if name.endswith(".stream.jsonl"):
                said = ActivityLog(os.path.join(RECORDED, name)).read()
                self.assertTrue(said.action and "\n" not in said.action, name)
