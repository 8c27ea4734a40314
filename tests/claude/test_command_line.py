"""Everything known about the CLI: each recorded run is judged right, and nothing upsets it."""

from __future__ import annotations

import json
import os
import re
import unittest
from collections.abc import Iterator

from core.claude import command_line, stream, transcript, verdict
from core.claude.permission_bypass import bypasses
from core.claude.transcript import Transcript
from core.model.costs import Paid
from core.model.feature import (
    ALWAYS_DISALLOWED_TOOLS,
    NO_WORKTREES_BY_AGENTS,
    ClaudeOptions,
    Feature,
)
from core.model.frozen import replace
from core.model.lines import BEGIN_BYTES, LineSplitter
from core.model.outcome import Fault, Outcome, Status, Usage
from tests.support.scratch import ROOT

RECORDED = os.path.join(ROOT, "tests", "fixtures", "claude")

DENIED = ("Bash(npm test)",)
RATE = "API Error: Request rejected (429)"
NO_SESSION = "No conversation found with session ID: 00000000-1111-4222-8333-444444444444"
NO_INPUT = "Error: Input must be provided either through stdin or as a prompt argument"
SILENT = "Claude ended without a result"
TURNS = "the maximum number of turns is used up"
BUDGET = "the maximum budget is used up"
BAD_KEY = "Invalid API key"


class Run:
    """What has to be made of a recorded run; ``said`` begins its reason, ``text`` its result."""

    def __init__(
        self,
        fault: Fault | None,
        cost: float | None,
        text: str = "",
        *,
        said: str = "",
        denied: tuple[str, ...] = (),
    ) -> None:
        self.status = Status.COMPLETED if fault is None else Status.FAILED
        self.fault = fault or Fault.NONE
        self.cost = cost
        self.text = text
        self.said = said or text if fault else ""
        self.denied = denied


def _done(cost: float, text: str = "Done.", denied: tuple[str, ...] = ()) -> Run:
    return Run(None, cost, text, denied=denied)


def _answer(fault: Fault, text: str, cost: float = 0.0) -> Run:
    """An error that came as the text of a result."""
    return Run(fault, cost, text)


def _stop(fault: Fault, cost: float, said: str) -> Run:
    """A result without a text."""
    return Run(fault, cost, said=said)


def _silent(fault: Fault, said: str) -> Run:
    """No result at all, and so no known cost."""
    return Run(fault, None, said=said)


EXPECTED = {
    "success.json": _done(0.03055),
    "success.stream.jsonl": _done(0.03055),
    # Text that isn't JSON is no result: the format that we ask for always gives one.
    "success.txt": _silent(Fault.TRANSIENT, f"{SILENT} (exit 0)"),
    "text_only.json": _done(0.015275),
    "text_only.stream.jsonl": _done(0.015275),
    "permission_denied.json": _done(0.03055, denied=DENIED),
    "permission_denied.stream.jsonl": _done(0.03055, denied=DENIED),
    "permission_denied_dontask.stream.jsonl": _done(0.03055, denied=DENIED),
    "permission_allowed.stream.jsonl": _done(0.03055),
    "auth_error.json": _answer(Fault.ACCOUNT, BAD_KEY),
    "auth_error.stream.jsonl": _answer(Fault.ACCOUNT, BAD_KEY),
    "auth_error_noretry.stream.jsonl": _answer(Fault.ACCOUNT, BAD_KEY),
    "not_logged_in.json": _answer(Fault.ACCOUNT, "Not logged in"),
    "not_logged_in.stream.jsonl": _answer(Fault.ACCOUNT, "Not logged in"),
    "forbidden.json": _answer(Fault.ACCOUNT, "Failed to authenticate. API Error: 403"),
    "bad_request.json": _answer(Fault.REQUEST, "API Error: 400"),
    "bad_request.stream.jsonl": _answer(Fault.REQUEST, "API Error: 400"),
    "credit_too_low.stream.jsonl": _answer(Fault.ACCOUNT, "Credit balance is too low"),
    "prompt_too_long.stream.jsonl": _answer(Fault.REQUEST, "Prompt is too long"),
    "model_not_found.stream.jsonl": _answer(Fault.REQUEST, "There's an issue with the selected"),
    "rate_limited.json": _answer(Fault.RATE, RATE),
    "rate_limited.stream.jsonl": _answer(Fault.RATE, RATE),
    "rate_limited_long_wait.stream.jsonl": _answer(Fault.RATE, RATE),
    "overloaded.json": _answer(Fault.TRANSIENT, "API Error: Repeated 529 Overloaded errors."),
    "overloaded.stream.jsonl": _answer(Fault.TRANSIENT, "API Error: Repeated 529 Overloaded"),
    "overloaded_retries1.json": _answer(Fault.TRANSIENT, "API Error: 529 Overloaded."),
    "server_error.json": _answer(Fault.TRANSIENT, "API Error: 500 Internal server error."),
    "server_error.stream.jsonl": _answer(Fault.TRANSIENT, "API Error: 500 Internal server"),
    "network_refused.json": _answer(Fault.TRANSIENT, "API Error: Unable to connect"),
    "network_refused.stream.jsonl": _answer(Fault.TRANSIENT, "API Error: Unable to connect"),
    "api_timeout.stream.jsonl": _answer(Fault.TRANSIENT, "Request timed out"),
    "retry_then_success.stream.jsonl": _done(0.03055),
    "fallback_model.stream.jsonl": _done(0.01833),
    "max_turns.json": _stop(Fault.TURNS, 0.03055, f"{TURNS} (Reached maximum"),
    "max_turns.stream.jsonl": _stop(Fault.TURNS, 0.03055, f"{TURNS} (Reached maximum"),
    "max_turns.txt": _silent(Fault.TRANSIENT, f"{SILENT} (exit 1)"),
    "budget_exceeded.json": _stop(Fault.ALLOWANCE, 0.03055, f"{BUDGET} (Reached maximum"),
    "budget_exceeded.stream.jsonl": _stop(Fault.ALLOWANCE, 0.03055, f"{BUDGET} (Reached"),
    "budget_exceeded.txt": _silent(Fault.TRANSIENT, f"{SILENT} (exit 1)"),
    "refusal.json": _answer(Fault.REQUEST, "API Error: Claude Code is unable", 0.015275),
    "max_output_tokens.json": _answer(Fault.REQUEST, "API Error: Claude's response", 0.0611),
    # An empty answer is no failure: the work decides.
    "empty_answer.json": _done(0.03055, ""),
    "slash_unknown.json": _answer(Fault.REQUEST, "Unknown command: /nosuchcommand"),
    "structured_ok.json": _done(0.015275, '{"verdict":"pass","files":["a.py"]}'),
    "structured_ok.stream.jsonl": _done(0.015275, '{"verdict":"pass","files":["a.py"]}'),
    "structured_missing.json": _done(0.03055),
    "structured_exhausted.json": _stop(Fault.NONE, 0.0611, "no valid structured output (Failed"),
    "verbose_array.json": _done(0.015275),
    "partial_messages.stream.jsonl": _done(0.03055),
    # Two results: the cost of both is in the last, the text that answers us in the first.
    "background_task.stream.jsonl": _done(0.045825, "Turn text 4."),
    "background_task.json": _done(0.045825, "Turn text 6."),
    "background_task_killed.stream.jsonl": _done(0.03055, "Turn text 4."),
    "subagent.stream.jsonl": _done(0.045825),
    "bash_timeout.stream.jsonl": _done(0.03055),
    "big_line.stream.jsonl": _done(0.03055),
    "sigint_api.stream.jsonl": _silent(Fault.TRANSIENT, f"{SILENT} (exit 0)"),
    "sigterm_api.stream.jsonl": _silent(Fault.TRANSIENT, f"{SILENT} (exit 143)"),
    "sigkill_api.stream.jsonl": _silent(Fault.TRANSIENT, f"{SILENT} (signal 9)"),
    "sigint_bash.stream.jsonl": _stop(Fault.TRANSIENT, 0.015275, "Claude was interrupted at work"),
    "sigterm_bash.stream.jsonl": _silent(Fault.TRANSIENT, f"{SILENT} (exit 143)"),
    "sigkill_bash.stream.jsonl": _silent(Fault.TRANSIENT, f"{SILENT} (signal 9)"),
    "sigint_backoff.stream.jsonl": _stop(Fault.TRANSIENT, 0.0, "Claude was interrupted at work"),
    "sigterm_bash_survived.stream.jsonl": _done(0.03055),
    "session_first.json": _done(0.03055),
    "session_resumed.json": _done(0.015275),
    "session_forked.json": _done(0.015275),
    "session_in_use.stderr.txt": _silent(Fault.SESSION, "Error: Session ID 7d1f4f0a"),
    "resume_unknown.stderr.txt": _silent(Fault.SESSION, NO_SESSION),
    "resume_unknown.stream.jsonl": _stop(Fault.SESSION, 0.0, NO_SESSION),
    "resume_not_uuid.stderr.txt": _silent(Fault.SESSION, "Error: --resume requires a valid"),
    "bad_session_id.stderr.txt": _silent(Fault.USAGE, "Error: Invalid session ID."),
    "bad_flag.stderr.txt": _silent(Fault.USAGE, "error: unknown option '--no-such-flag'"),
    "bad_permission_mode.stderr.txt": _silent(Fault.USAGE, "error: option '--permission-mode"),
    "stream_needs_verbose.stderr.txt": _silent(Fault.USAGE, "Error: When using --print"),
    "empty_prompt.stderr.txt": _silent(Fault.REQUEST, NO_INPUT),
    "blank_prompt.stderr.txt": _silent(Fault.REQUEST, "Error: No messages returned"),
    "swallowed_prompt.stderr.txt": _silent(Fault.REQUEST, NO_INPUT),
    "stdin_too_big.stderr.txt": _silent(Fault.REQUEST, "Error: piped stdin input exceeds 10MB."),
    "bypass_as_root.stderr.txt": _silent(Fault.USAGE, "--dangerously-skip-permissions cannot"),
    "project_hooks.stream.jsonl": _done(0.03055, denied=DENIED),
    "v2.1.330/success.json": _done(0.02442),
    "v2.1.330/success.stream.jsonl": _done(0.02442),
    "v2.1.330/max_turns.json": _stop(Fault.TURNS, 0.02442, f"{TURNS} (Reached maximum"),
    "v2.1.330/auth_error.json": _answer(Fault.ACCOUNT, BAD_KEY),
    "v2.1.330/budget_exceeded.json": _stop(Fault.ALLOWANCE, 0.03663, f"{BUDGET} (Reached"),
    "v2.1.330/permission_denied.json": _done(0.02442, denied=DENIED),
    "v2.1.1/success.json": _done(0.064155),
    "v2.1.1/success.stream.jsonl": _done(0.05499),
    # Exit 0 and is_error false in the older versions: only the subtype tells.
    "v2.1.1/max_turns.json": _stop(Fault.TURNS, 0.033605, TURNS),
    "v2.1.1/auth_error.json": _answer(Fault.ACCOUNT, BAD_KEY),
    "v2.1.1/budget_exceeded.json": _stop(Fault.ALLOWANCE, 0.033605, BUDGET),
    "v2.1.1/permission_denied.json": _done(0.06721, denied=DENIED),
    "v2.0.76/success.json": _done(0.045825),
    "v2.0.76/success.stream.jsonl": _done(0.045825),
    "v2.0.76/max_turns.json": _stop(Fault.TURNS, 0.02444, TURNS),
    "v2.0.76/auth_error.json": _answer(Fault.ACCOUNT, BAD_KEY),
    "v2.0.76/budget_exceeded.json": _stop(Fault.ALLOWANCE, 0.033605, BUDGET),
    "v2.0.76/permission_denied.json": _done(0.039715, denied=DENIED),
    "v1.0.128/success.json": _done(0.020774),
    "v1.0.128/success.stream.jsonl": _done(0.023218),
    "v1.0.128/max_turns.json": _stop(Fault.TURNS, 0.020774, TURNS),
    "v1.0.128/auth_error.json": _answer(Fault.ACCOUNT, BAD_KEY),
    "v1.0.128/permission_denied.json": _done(0.028106, denied=DENIED),
}
"""By the first file of each row of INDEX.md."""

SIGNALLED = [name for name in EXPECTED if name.startswith("sig")]


def _rows() -> dict[str, tuple[list[str], int, str]]:
    """INDEX.md: by the first file of each row, its files, its exit status, its last result.

    ``resume_unknown.stderr.txt`` is in two rows: that with a stream goes by the stream's name.
    """
    rows = {}
    with open(os.path.join(RECORDED, "INDEX.md"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("| `"):
                cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
                files = re.findall(r"`([^`]+)`", cells[0])
                rows[files[0]] = (files, int(cells[4]), cells[5])
    return rows


ROWS = _rows()


def _content(name: str) -> bytes:
    with open(os.path.join(RECORDED, name), "rb") as file:
        return file.read()


def _transcript(name: str, *, chunk: int = 65536) -> Transcript:
    """The transcript of a recorded run, read as the runner reads it."""
    splitter = LineSplitter()
    stdout = b"".join(_content(f) for f in ROWS[name][0] if not f.endswith(".stderr.txt"))
    lines = []
    for start in range(0, len(stdout), chunk):
        lines += splitter.feed(stdout[start : start + chunk])
    return stream.transcript_of([*lines, *splitter.rest()])


def _judged(name: str, ended: Fault = Fault.NONE, *, chunk: int = 65536) -> Outcome:
    files, code, _ = ROWS[name]
    stderr = b"".join(_content(f) for f in files if f.endswith(".stderr.txt")).decode()
    return verdict.outcome(_transcript(name, chunk=chunk), code=code, ended=ended, stderr=stderr)


class Recorded(unittest.TestCase):
    def test_every_recorded_file_is_expected_and_nothing_else(self) -> None:
        files = set()
        for folder, _, names in os.walk(RECORDED):
            for name in names:
                files.add(os.path.relpath(os.path.join(folder, name), RECORDED))
        files.remove("INDEX.md")
        self.assertEqual(files, {file for row in ROWS.values() for file in row[0]})
        self.assertEqual(set(EXPECTED), set(ROWS))
        self.assertGreaterEqual(len(EXPECTED), 100)

    def test_each_run_is_judged_right(self) -> None:
        for name, expected in EXPECTED.items():
            with self.subTest(run=name):
                self._check(_judged(name), expected)

    def _check(self, found: Outcome, expected: Run) -> None:
        self.assertEqual((found.status, found.fault), (expected.status, expected.fault))
        if expected.cost is None:
            self.assertIsNone(found.cost_usd)
        else:
            self.assertAlmostEqual(found.cost_usd or 0.0, expected.cost)
        self.assertTrue(found.reason.startswith(expected.said), found.reason)
        self.assertEqual(bool(found.reason), found.status is not Status.COMPLETED)
        if found.status is Status.COMPLETED:
            self.assertEqual(found.result, expected.text)
        self.assertTrue(found.result.startswith(expected.text), found.result)
        self.assertEqual(bool(found.result), bool(expected.text))
        self.assertEqual(found.denied_tools, expected.denied)

    def test_how_the_stream_is_cut_does_not_matter(self) -> None:
        for name in ("success.stream.jsonl", "background_task.stream.jsonl", "verbose_array.json"):
            with self.subTest(run=name):
                self.assertEqual(_judged(name, chunk=7), _judged(name))

    def test_no_run_succeeds_whose_index_tells_of_an_error(self) -> None:
        for name, (_, code, last) in ROWS.items():
            if code != 0 or "is_error=true" in last or last.startswith("error_"):
                with self.subTest(run=name):
                    self.assertIs(_judged(name).status, Status.FAILED)

    def test_a_run_that_we_ended_is_never_a_success_whatever_it_printed(self) -> None:
        cases = {
            Fault.INTERRUPTED: (Status.CANCELLED, "interrupted"),
            Fault.TIMEOUT: (Status.TIMED_OUT, "no result in time"),
        }
        self.assertEqual(len(SIGNALLED), 8)
        for name in SIGNALLED:
            for ended, (status, reason) in cases.items():
                with self.subTest(run=name, ended=ended):
                    found = _judged(name, ended)
                    self.assertEqual((found.status, found.fault), (status, ended))
                    self.assertEqual(found.reason, reason)
                    # Its cost is what a result gave, else unknown: never 0 by itself.
                    cost = EXPECTED[name].cost
                    self.assertEqual(found.cost_usd, cost)

    def test_the_stream_says_whether_claude_has_nothing_left_to_do(self) -> None:
        cases = {
            "success.stream.jsonl": (True, True),
            "background_task.stream.jsonl": (True, True),
            "background_task_killed.stream.jsonl": (True, True),
            "project_hooks.stream.jsonl": (True, True),
            "sigkill_bash.stream.jsonl": (True, False),
            "resume_unknown.stream.jsonl": (False, True),
            "bad_flag.stderr.txt": (False, False),
            "success.json": (False, True),
        }
        for name, (began, waiting) in cases.items():
            with self.subTest(run=name):
                found = _transcript(name)
                self.assertEqual((found.began, found.waiting), (began, waiting))

    def test_version_key_and_session_are_noted(self) -> None:
        found = _transcript("v2.1.330/success.stream.jsonl")
        self.assertEqual(found.version, "2.1.330")
        self.assertEqual(found.authentication, "ANTHROPIC_API_KEY")
        session = "7d1f4f0a-93a6-4c7e-8a39-0f3a2b6f0c11"
        self.assertEqual(_judged("session_first.json").session_id, session)

    def test_tokens_turns_and_time_come_from_the_result(self) -> None:
        found = _judged("subagent.stream.jsonl")
        # modelUsage counts the subagent, usage does not.
        self.assertEqual(found.usage, Usage(3600, 1035, 300, 150))
        self.assertEqual(found.num_turns, 2)
        many = transcript.LARGEST
        self.assertEqual(_of(_line(num_turns=many, duration_ms=many + 1)).num_turns, many)
        self.assertEqual(_of(_line(num_turns=many, duration_ms=many + 1)).duration_ms, 0)
        self.assertGreater(found.duration_ms, 0)


def _line(**fields: object) -> bytes:
    return json.dumps({"type": "result", **fields}).encode()


GOOD: dict[str, object] = {
    "subtype": "success",
    "is_error": False,
    "num_turns": 1,
    "result": "Done.",
    "total_cost_usd": 0.5,
}


def _of(*lines: bytes, code: int = 0, stderr: str = "", ended: Fault = Fault.NONE) -> Outcome:
    return verdict.outcome(stream.transcript_of(lines), code=code, stderr=stderr, ended=ended)


class Success(unittest.TestCase):
    def test_it_needs_everything_at_once(self) -> None:
        for subtype in ("success", "error_max_turns", None):
            for is_error in (False, True, None):
                for turns in (1, 2, 0, None, True, -1):
                    for code in (0, 1, 143, -9):
                        for ended in (Fault.NONE, Fault.TIMEOUT):
                            fields = {**GOOD, "subtype": subtype, "is_error": is_error}
                            line = _line(**{**fields, "num_turns": turns})
                            good = subtype == "success" and is_error is False and code == 0
                            good = good and turns in (1, 2) and turns is not True
                            good = good and ended is Fault.NONE
                            with self.subTest(line=line, code=code, ended=ended):
                                found = _of(line, code=code, ended=ended)
                                self.assertIs(found.status is Status.COMPLETED, good)
                                self.assertIs(found.reason == "", good)

    def test_without_a_result_there_is_none(self) -> None:
        init = b'{"type": "system", "subtype": "init"}'
        for lines in ((), (init,), (init, b'{"type": "assistant"}')):
            with self.subTest(lines=lines):
                found = _of(*lines)
                self.assertEqual((found.status, found.cost_usd), (Status.FAILED, None))
                self.assertEqual(found.reason, "Claude ended without a result (exit 0)")

    def test_a_success_that_was_killed_afterwards_says_so(self) -> None:
        found = _of(_line(**GOOD), code=-9)
        self.assertEqual(found.fault, Fault.TRANSIENT)
        self.assertEqual(found.reason, "Claude reported success, but ended with signal 9")

    def test_missing_words_are_replaced(self) -> None:
        cases: list[tuple[dict[str, object], tuple[Fault, str]]] = [
            (
                {"is_error": True, "result": None},
                (Fault.REQUEST, "Claude reported an error"),
            ),
            (
                {"num_turns": 0, "result": ""},
                (Fault.REQUEST, "the prompt never reached the model"),
            ),
            ({"subtype": ["x"]}, (Fault.NONE, "Claude stopped: no subtype")),
            ({"subtype": "error_new"}, (Fault.NONE, "Claude stopped: error_new")),
            (
                {"subtype": "error_new", "errors": ["a", 5, "b"]},
                (Fault.NONE, "Claude stopped: error_new (a; b)"),
            ),
            ({"subtype": "error_max_turns", "errors": "odd"}, (Fault.TURNS, TURNS)),
        ]
        for fields, expected in cases:
            with self.subTest(fields=fields):
                found = _of(_line(**{**GOOD, **fields}))
                self.assertEqual((found.fault, found.reason), expected)


class SeveralResults(unittest.TestCase):
    def test_cost_is_the_last_ones_and_text_the_last_without_origin(self) -> None:
        first = _line(**GOOD)
        second = _line(**{**GOOD, "result": "Noted.", "total_cost_usd": 0.75, "origin": {}})
        third = _line(**{**GOOD, "result": "All done.", "total_cost_usd": 1.0})
        empty = _line(**{**GOOD, "result": ""})
        answer = _line(**{**GOOD, "total_cost_usd": 0.75})
        cases = [
            ((first,), 0.5, "Done."),
            ((first, second), 0.75, "Done."),
            ((first, second, third), 1.0, "All done."),
            ((second,), 0.75, "Noted."),
            ((second, answer), 0.75, "Done."),
            ((empty, second), 0.75, ""),
        ]
        for lines, cost, text in cases:
            with self.subTest(lines=lines):
                found = _of(*lines)
                self.assertEqual((found.cost_usd, found.result), (cost, text))

    def test_the_last_one_decides(self) -> None:
        stopped = _line(**{**GOOD, "subtype": "error_max_turns", "is_error": True})
        self.assertIs(_of(_line(**GOOD), stopped, code=1).status, Status.FAILED)
        self.assertIs(_of(stopped, _line(**GOOD)).status, Status.COMPLETED)

    def test_another_leg_means_that_claude_is_at_work_again(self) -> None:
        result = _line(**GOOD)
        cases = [
            ((result,), True),
            ((result, b'{"type": "system", "subtype": "task_updated"}'), True),
            ((result, b'{"type": "news"}', b'{"type": "system", "subtype": []}'), True),
            ((result, b'{"type": "system", "subtype": "init"}'), False),
            ((result, b'{"type": "assistant"}'), False),
            ((result, b'{"type": "assistant"}', result), True),
        ]
        for lines, waiting in cases:
            with self.subTest(lines=lines):
                self.assertIs(stream.transcript_of(lines).waiting, waiting)


def _share(*costs: object, total: object = 9.0, **fields: object) -> bytes:
    models = {
        f"model-{n}": {"costUSD": cost, "inputTokens": 10 * (n + 1), "outputTokens": 1}
        for n, cost in enumerate(costs)
    }
    further = {"total_cost_usd": total, "model_usage_since_last_result": models}
    return _line(**{**GOOD, **further, **fields})


def _spoken(id: str, model: str = "a") -> bytes:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 1}
    return _line(type="assistant", message={"id": id, "model": model, "usage": usage})


TOKENS = {"input_tokens": 10, "output_tokens": 1}


class Cost(unittest.TestCase):
    def test_of_a_resumed_session_only_the_share_of_this_process_counts(self) -> None:
        cases = [
            ((_share(0.25),), 0.25, Usage(10, 1)),
            ((_share(0.25, 0.5),), 0.75, Usage(30, 2)),
            ((_share(0.25), _share(0.5)), 0.75, Usage(20, 2)),
            ((_share(0), _share(0.5, 1)), 1.5, Usage(40, 3)),
            ((_share(),), 0.0, Usage()),
            ((_share(0.25), _share()), 0.25, Usage(10, 1)),
        ]
        for lines, cost, usage in cases:
            with self.subTest(lines=lines):
                found = _of(*lines)
                self.assertEqual((found.cost_usd, found.usage), (cost, usage))

    def test_a_share_that_is_no_sum_of_money_makes_the_whole_unknown(self) -> None:
        for odd in (None, "1", True, -1, float("nan"), float("inf"), 10**400):
            with self.subTest(odd=str(odd)[:20]):
                self.assertIsNone(_of(_share(odd)).cost_usd)
                self.assertIsNone(_of(_share(0.5, odd)).cost_usd)
                self.assertIsNone(_of(_share(odd), _share(0.5)).cost_usd)

    def test_a_share_of_another_form_is_passed_over(self) -> None:
        others: list[object] = [None, [], "x", 5]
        for odd in others:
            with self.subTest(odd=odd):
                line = _line(**{**GOOD, "model_usage_since_last_result": odd})
                self.assertEqual(_of(line).cost_usd, 0.5)
        mixed = {"a": {"costUSD": 0.25}, "b": 7}
        line = _line(**{**GOOD, "model_usage_since_last_result": mixed})
        self.assertIsNone(_of(line).cost_usd)

    def test_money_that_may_have_been_spent_is_never_counted_as_nothing(self) -> None:
        said = _spoken("m1")
        free = _line(**{**GOOD, "total_cost_usd": 0})
        for lines in (
            (said,),
            (said, free),
            (said, _share()),
            (said, _share(0.25), said.replace(b"m1", b"m2")),
        ):
            with self.subTest(lines=lines):
                self.assertIsNone(_of(*lines).cost_usd)
        self.assertEqual(_of(free).cost_usd, 0.0)
        self.assertIsNone(_of(_line(**{**GOOD, "total_cost_usd": 0, "usage": TOKENS})).cost_usd)
        self.assertEqual(_of(said, _share(0.25)).tokens, {})

    def test_a_total_that_falls_is_unknown_from_then_on(self) -> None:
        def totals(*given: object) -> list[bytes]:
            return [_line(**{**GOOD, "total_cost_usd": total}) for total in given]

        for odd in ((0.5, 0.25), (0.5, 0.25, 0.25), (0.5, 0), (0.5, None)):
            with self.subTest(odd=odd):
                self.assertIsNone(_of(*totals(*odd)).cost_usd)
        for plain in ((0.5, 0.5), (0.25, 0.5), (0, 0.5), (None, 0.5)):
            with self.subTest(plain=plain):
                self.assertEqual(_of(*totals(*plain)).cost_usd, 0.5)

    def test_tokens_are_counted_once_a_message_and_by_model(self) -> None:
        lines = [_spoken(id, model) for id, model in ("1a", "1a", "2b", "1a", "3a")]
        self.assertEqual(_of(*lines).tokens, {"a": 220, "b": 110})
        for odd in (b'"x"', b"7", b'{"usage": []}', b'{"usage": {"input_tokens": -5}}'):
            line = b'{"type": "assistant", "message": %s}' % odd
            self.assertEqual(_of(line).tokens, {})

    def test_what_a_model_was_paid_is_known_by_its_input(self) -> None:
        self.assertEqual(_of(_share(0.25, total=9.0)).session_cost_usd, 9.0)
        self.assertEqual(
            _of(_share(0.25), _share(0.5, 1.0)).paid,
            {"model-0": Paid(0.75, 20), "model-1": Paid(1.0, 20)},
        )
        used = {"a": {"costUSD": 0.5, "inputTokens": 1, "cacheReadInputTokens": 4}, "b": 7}
        line = _line(**{**GOOD, "modelUsage": used})
        found = _of(line, line)
        self.assertEqual((found.paid, found.session_cost_usd), ({"a": Paid(0.5, 5)}, None))

    def test_what_is_no_sum_of_money_is_unknown_and_never_0(self) -> None:
        for odd in ("NaN", "Infinity", "1e999", "-1", "-1e999", "true", '"5"', "null", "[]", "{}"):
            line = b'{"type": "result", "total_cost_usd": %s}' % odd.encode()
            with self.subTest(odd=odd):
                self.assertIsNone(_of(line).cost_usd)
        largest = (str(transcript.LARGEST), float(transcript.LARGEST))
        for number, cost in (("0", 0.0), ("0.0", 0.0), ("2", 2.0), ("1e-7", 1e-7), largest):
            line = b'{"type": "result", "total_cost_usd": %s}' % number.encode()
            with self.subTest(number=number):
                self.assertEqual(_of(line).cost_usd, cost)

    def test_tokens_come_from_the_models_else_from_the_last_leg(self) -> None:
        usage = {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": -4, "x": 1}
        models = {
            "a": {"inputTokens": 10, "cacheCreationInputTokens": 5, "outputTokens": 1.5},
            "b": {"inputTokens": 1, "cacheReadInputTokens": 7, "outputTokens": True},
            "c": None,
        }
        cases: list[tuple[dict[str, object], Usage]] = [
            ({}, Usage()),
            ({"usage": usage}, Usage(1, 2)),
            ({"usage": usage, "modelUsage": {}}, Usage(1, 2)),
            ({"usage": usage, "modelUsage": models}, Usage(11, 0, 5, 7)),
            ({"usage": [], "modelUsage": 5}, Usage()),
        ]
        for fields, expected in cases:
            with self.subTest(fields=fields):
                self.assertEqual(_of(_line(**GOOD, **fields)).usage, expected)


class HostileLines(unittest.TestCase):
    def test_what_is_no_message_is_passed_over(self) -> None:
        cases = [
            b"",
            b"   ",
            b"not JSON",
            b"Error: something on stdout",
            b"\xff\xfe\x00",
            b'{"type": "result"',
            b"null",
            b"5",
            b'"result"',
            b"{}",
            b'{"type": 5}',
            b'{"type": null}',
            b"[]",
            b"[[]]",
            b'[1, "x", null, {"kind": "result"}]',
            b"[" * 100_000,
            b'{"type": ' * 50_000,
            b'{"type": "result", "num_turns": ' + b"9" * 5000,
        ]
        for line in cases:
            with self.subTest(line=line[:40]):
                self.assertEqual(stream.parse(line), [])
                found = _of(line, _line(**GOOD), line)
                self.assertIs(found.status, Status.COMPLETED)

    def test_an_array_holds_many_messages(self) -> None:
        line = b'[{"type": "a"}, 5, {"type": "b"}]'
        self.assertEqual(stream.parse(line), [{"type": "a"}, {"type": "b"}])

    def test_a_number_of_5000_digits_costs_at_most_its_line(self) -> None:
        huge = b"9" * 5000
        line = b'{"type": "result", "subtype": "success", "total_cost_usd": %s}' % huge
        found = _of(line)
        self.assertIsNone(found.cost_usd)
        for field in ("num_turns", "duration_ms"):
            line = b'{"type": "result", "%s": %s}' % (field.encode(), b"9" * 400)
            self.assertEqual(_of(line).num_turns, 0)
            self.assertEqual(_of(line).duration_ms, 0)

    def test_fields_of_any_type_upset_nothing(self) -> None:
        odd: list[object] = [None, True, -1, 1.5, "x", "\ud800", [], [None], [[]], {}, {"x": []}]
        fields = (
            *("subtype", "result", "is_error", "num_turns", "duration_ms", "total_cost_usd"),
            *("usage", "modelUsage", "model_usage_since_last_result", "errors", "origin"),
            *("permission_denials", "session_id", "api_error_status", "rate_limit_info"),
            *("error", "apiKeySource", "message"),
        )
        for kind in ("result", "assistant", "system", "rate_limit_event", "user", "x"):
            for field in fields:
                for value in odd:
                    line = _line(**{**GOOD, "is_error": True, field: value, "type": kind})
                    with self.subTest(kind=kind, field=field, value=value):
                        found = _of(line, code=1)
                        self.assertIsInstance(found.reason, str)
                        self.assertIsInstance(found.result, str)
                        json.dumps([found.cost_usd, vars(found.usage), found.reason])

    def test_a_huge_line_is_read_like_any_other(self) -> None:
        text = "x" * 5_000_000
        said = _of(_line(**{**GOOD, "result": text})).result
        self.assertRegex(said, r"\Ax+\.\.\. 4,942,656 characters left out \.\.\.x+\Z")

    def test_denied_tools_are_named_with_their_command(self) -> None:
        denials = [
            {"tool_name": "Bash", "tool_input": {"command": "npm test"}},
            {"tool_name": "Write", "tool_input": {"file_path": "/etc/passwd"}},
            {"tool_name": "WebFetch"},
            {"tool_input": "odd"},
            "odd",
        ]
        found = _of(_line(**GOOD, permission_denials=denials))
        self.assertEqual(found.denied_tools, ("Bash(npm test)", "Write", "WebFetch", "a tool"))


def _error(text: str, status: object = None) -> bytes:
    return _line(**{**GOOD, "is_error": True, "result": text, "api_error_status": status})


class LongLines(unittest.TestCase):
    def test_every_recorded_result_may_be_one_by_its_begin_and_what_grows_large_is_none(
        self,
    ) -> None:
        known = {True: 0, False: 0}
        for line in self.recorded():
            kinds = {message["type"] for message in stream.parse(line)}
            may = stream.may_hold_result(line[:BEGIN_BYTES])
            if "result" in kinds or kinds.issubset({"user", "assistant"}):
                self.assertEqual(may, "result" in kinds, line[:300])
                known[may] += 1
        self.assertGreater(min(known.values()), 10)

    def recorded(self) -> Iterator[bytes]:
        """Every line of every recorded stream."""
        for folder, _, names in os.walk(RECORDED):
            for name in names:
                if name.endswith(".jsonl"):
                    with open(os.path.join(folder, name), "rb") as file:
                        yield from file

    def test_what_says_first_that_it_is_something_else_is_none(self) -> None:
        quoted = json.dumps({"type": "user", "message": '{"type":"result"}'}).encode()
        for begin in (b"", b"x" * 256, b'"{', b'{"type":"user","m":"', b' { "type" : "r"', quoted):
            with self.subTest(begin=begin):
                self.assertFalse(stream.may_hold_result(begin))

    def test_what_does_not_say_at_once_what_it_is_may_be_one(self) -> None:
        result = (b'{"type":"result"', b'{ "type" : "result"', b'{"cost":1,"type":"result"')
        for begin in (*result, b'{"usage":{"type":"user"', b' \n[{"type":"system"', b"{"):
            with self.subTest(begin=begin):
                self.assertTrue(stream.may_hold_result(begin))


class ErrorAnswers(unittest.TestCase):
    def test_the_class_of_the_failed_answer_comes_before_status_and_words(self) -> None:
        cases = {
            "authentication_failed": Fault.ACCOUNT,
            "oauth_org_not_allowed": Fault.ACCOUNT,
            "billing_error": Fault.ACCOUNT,
            "rate_limit": Fault.RATE,
            "overloaded": Fault.TRANSIENT,
            "server_error": Fault.TRANSIENT,
            "invalid_request": Fault.REQUEST,
            "model_not_found": Fault.REQUEST,
            "max_output_tokens": Fault.REQUEST,
            "unknown": Fault.RATE,
            "a_new_one": Fault.RATE,
        }
        for error, fault in cases.items():
            with self.subTest(error=error):
                assistant = json.dumps({"type": "assistant", "error": error}).encode()
                self.assertIs(_of(assistant, _error("x", 429), code=1).fault, fault)

    def test_without_a_class_the_status_decides(self) -> None:
        cases = {
            400: Fault.REQUEST,
            401: Fault.ACCOUNT,
            402: Fault.ACCOUNT,
            403: Fault.ACCOUNT,
            404: Fault.REQUEST,
            408: Fault.TRANSIENT,
            413: Fault.REQUEST,
            429: Fault.RATE,
            500: Fault.TRANSIENT,
            529: Fault.TRANSIENT,
        }
        for status, fault in cases.items():
            with self.subTest(status=status):
                self.assertIs(_of(_error("words", status), code=1).fault, fault)
        self.assertIs(_of(_error("Credit balance is too low", 400)).fault, Fault.ACCOUNT)

    def test_older_versions_tell_by_words_alone(self) -> None:
        cases = {
            "Invalid API key · Fix external API key": Fault.ACCOUNT,
            "Invalid API key · Please run /login": Fault.ACCOUNT,
            "Credit balance is too low": Fault.ACCOUNT,
            'API Error: 401 {"error":{"type":"authentication_error"}}': Fault.ACCOUNT,
            "OAuth token has expired": Fault.ACCOUNT,
            'API Error: 429 {"error":{"type":"rate_limit_error"}}': Fault.RATE,
            "Claude AI usage limit reached|1749924000": Fault.LIMIT,
            "5-hour limit reached ∙ resets 2am": Fault.LIMIT,
            "You've hit your session limit · resets 1:30am (Europe/Paris)": Fault.LIMIT,
            "You’ve reached your weekly limit": Fault.LIMIT,
            'API Error: 529 {"error":{"type":"overloaded_error"}}': Fault.TRANSIENT,
            "API Error: 503 upstream": Fault.TRANSIENT,
            "API Error: Connection error.": Fault.TRANSIENT,
            "Request timed out": Fault.TRANSIENT,
            "Prompt is too long": Fault.REQUEST,
            'API Error: 400 {"message":"prompt is too long: 205000 tokens"}': Fault.REQUEST,
            "API Error: 400 max_tokens: 45000 is more than 8192": Fault.REQUEST,
            "something new": Fault.REQUEST,
            "": Fault.REQUEST,
        }
        for said, fault in cases.items():
            with self.subTest(said=said):
                self.assertIs(_of(_error(said), code=1).fault, fault)

    def test_a_rejecting_limit_comes_before_everything_until_it_is_lifted(self) -> None:
        def event(status: object) -> bytes:
            info = {"status": status, "resetsAt": 1_700_000_000}
            return json.dumps({"type": "rate_limit_event", "rate_limit_info": info}).encode()

        cases = [
            ([event("rejected")], Fault.LIMIT),
            ([event("rejected"), event("allowed")], Fault.TRANSIENT),
            ([event("allowed_warning")], Fault.TRANSIENT),
            ([b'{"type": "rate_limit_event"}'], Fault.TRANSIENT),
        ]
        for lines, fault in cases:
            with self.subTest(lines=lines):
                self.assertIs(_of(*lines, _error("overloaded", 529), code=1).fault, fault)

    def test_a_reset_is_a_time_in_seconds_or_milliseconds_or_unknown(self) -> None:
        cases = {
            "1700000000.5": 1_700_000_000.5,
            "1700000000123": 1_700_000_000.123,
            "1e15": None,
            '"soon"': None,
            "-1": None,
            "NaN": None,
        }
        for given, expected in cases.items():
            with self.subTest(given):
                info = f'{{"status": "rejected", "resetsAt": {given}}}'
                event = f'{{"type": "rate_limit_event", "rate_limit_info": {info}}}'.encode()
                found = _of(event, _error("limit", 429), code=1)
                self.assertEqual((found.fault, found.resets_at), (Fault.LIMIT, expected))

    def test_an_error_that_was_overcome_fails_nothing(self) -> None:
        assistant = b'{"type": "assistant", "error": "rate_limit"}'
        self.assertIs(_of(assistant, _line(**GOOD)).status, Status.COMPLETED)


class Silence(unittest.TestCase):
    INIT = b'{"type": "system", "subtype": "init"}'

    def test_only_what_surely_concerns_every_feature_is_a_fault_of_usage(self) -> None:
        cases = [
            (1, "error: unknown option '--x'", Fault.USAGE),
            (1, "error: too many arguments", Fault.USAGE),
            (1, "a warning\nerror: unknown option '--x'\n(Did you mean --y?)", Fault.USAGE),
            (1, "Not logged in · Please run /login", Fault.ACCOUNT),
            (1, "Error: ENOSPC: no space left on device, write", Fault.TRANSIENT),
            (1, "some error: of another kind", Fault.TRANSIENT),
            (1, "", Fault.TRANSIENT),
            (0, "error: unknown option '--x'", Fault.TRANSIENT),
            (-9, "error: unknown option '--x'", Fault.TRANSIENT),
            (126, "sh: claude: Permission denied", Fault.PROGRAM),
            (127, "sh: claude: not found", Fault.PROGRAM),
            (127, "", Fault.PROGRAM),
        ]
        for code, stderr, fault in cases:
            with self.subTest(code=code, stderr=stderr):
                self.assertIs(_of(code=code, stderr=stderr).fault, fault)
                # Once it began, the command line was good.
                self.assertIs(_of(self.INIT, code=code, stderr=stderr).fault, Fault.TRANSIENT)

    def test_the_end_of_standard_error_is_the_reason(self) -> None:
        stderr = "\n".join(f"line {number}" for number in range(100)) + "\n\n"
        reason = _of(self.INIT, code=3, stderr=stderr).reason
        expected = "\n".join(f"line {number}" for number in range(80, 100))
        self.assertEqual(reason, f"Claude ended without a result (exit 3): {expected}")
        self.assertEqual(_of(code=127).reason, "claude could not be started")


class OldVersions(unittest.TestCase):
    def test_a_version_that_damages_the_settings_it_shares_is_told(self) -> None:
        for version in ("2.1.58", "2.1.12", "2.0.999", "1.0.128", "0.2.9", "2.1.12 (Claude Code)"):
            with self.subTest(version=version):
                number = version.split()[0]
                told = f"Claude Code {number} is old: 2.1.59 or newer is safer with several at once"
                self.assertEqual(stream.old_version(version), told)

    def test_a_newer_version_and_one_that_is_none_are_not(self) -> None:
        newer = ("2.1.59", "2.1.60", "2.1.330", "2.2.0", "2.10.0", "10.0.0", "3.0.0-beta.1")
        odd = (
            "",
            "0.0.0-simulated",
            "2.1",
            "v2.1.1",
            "x",
            "\u0662.1.1",
            "9" * 5000,
            "1.1." + "1" * 99,
        )
        for version in (*newer, *odd):
            with self.subTest(version=version[:20]):
                self.assertEqual(stream.old_version(version), "")


DENIED = (
    "--disallowedTools=Bash(git stash:*),EnterWorktree,CronCreate,ScheduleWakeup"
    ",Agent(isolation:worktree),Workflow"
)
"""What no list can allow."""

SETTINGS = "--settings=" + json.dumps(
    {"hooks": {"WorktreeCreate": [{"hooks": [command_line.NO_WORKTREE_HOOK]}]}}
)


class CommandLine(unittest.TestCase):
    FEATURE = Feature("auth", "Sign-in")

    def _argv(
        self, options: ClaudeOptions, feature: Feature = FEATURE, *, resume: bool = False
    ) -> list[str]:
        return command_line.argv(options, feature, "5e55", resume=resume)

    def test_by_default_it_asks_for_the_stream_and_names_the_session(self) -> None:
        plain = ClaudeOptions(allowed_tools=("Read", "Bash(git add:*)"))
        self.assertEqual(
            self._argv(plain),
            [
                "claude",
                "-p",
                "--output-format=stream-json",
                "--verbose",
                "--strict-mcp-config",
                "--permission-mode=acceptEdits",
                "--allowedTools=Read,Bash(git add:*)",
                DENIED,
                "--session-id=5e55",
                SETTINGS,
            ],
        )

    def test_only_a_list_that_names_servers_gets_any(self) -> None:
        for given in ("--mcp-config=.mcp.json", "--mcp-config", "--strict-mcp-config"):
            argv = self._argv(ClaudeOptions(extra_args=(given,)))
            self.assertEqual(argv.count("--strict-mcp-config"), given == "--strict-mcp-config")

    def test_each_option_is_one_word_whatever_its_value_holds(self) -> None:
        options = ClaudeOptions(
            command=("npx", "my claude"),
            permission_mode="plan",
            allowed_tools=("Bash(npm run a, b)", "Read"),
            disallowed_tools=("WebFetch", "Bash(rm -rf /:*)"),
            model="opus",
            fallback_model="sonnet",
            max_turns=5,
            max_budget_usd=2.5,
            append_system_prompt="--be brief,\nplease",
            extra_args=("--add-dir=../a b",),
        )
        self.assertEqual(
            self._argv(options, resume=True),
            [
                "npx",
                "my claude",
                "-p",
                "--output-format=stream-json",
                "--verbose",
                "--strict-mcp-config",
                "--permission-mode=plan",
                "--allowedTools=Bash(npm run a, b),Read",
                f"{DENIED},WebFetch,Bash(rm -rf /:*)",
                "--model=opus",
                "--fallback-model=sonnet",
                "--max-turns=5",
                "--max-budget-usd=2.5",
                "--append-system-prompt=--be brief,\nplease",
                "--resume=5e55",
                SETTINGS,
                "--add-dir=../a b",
            ],
        )

    def test_a_feature_overrides_model_and_tools(self) -> None:
        own = replace(self.FEATURE, model="haiku", allowed_tools=("Read",))
        words = self._argv(ClaudeOptions(model="opus"), own)
        self.assertIn("--model=haiku", words)
        self.assertIn("--allowedTools=Read", words)
        none = self._argv(ClaudeOptions(), replace(self.FEATURE, allowed_tools=()))
        self.assertFalse([word for word in none if word.startswith("--allowedTools")])


class Subagents(unittest.TestCase):
    """No subagent gets a worktree of its own, whatever settings the list brings."""

    FEATURE = Feature("auth", "Sign-in")

    def argv(self, options: ClaudeOptions) -> list[str]:
        return command_line.argv(options, self.FEATURE, "5e55", resume=False)

    def test_the_hook_goes_into_the_settings_of_the_list_and_replaces_its_own(self) -> None:
        hook = json.loads(SETTINGS.partition("=")[2])["hooks"]["WorktreeCreate"]
        theirs = {"env": {"A": "b"}, "hooks": {"Stop": [], "WorktreeCreate": [{"hooks": []}]}}
        merged = json.dumps({"env": {"A": "b"}, "hooks": {"Stop": [], "WorktreeCreate": hook}})
        given = json.dumps(theirs)
        for words, expected in (
            ((f"--settings={given}", "--x"), [f"--settings={merged}", "--x"]),
            (("--settings", given, "--x"), ["--settings", merged, "--x"]),
            (
                ("--settings=x.json", "--settings", given),
                ["--settings=x.json", "--settings", merged],
            ),
        ):
            with self.subTest(words):
                options = ClaudeOptions(extra_args=words)
                self.assertEqual(self.argv(options)[-len(expected) :], expected)
                self.assertIn(DENIED, self.argv(options))
                (command,) = command_line.commands(options, [self.FEATURE])
                self.assertEqual(command.brief, ("claude", "-p", *words))
        wrapped = ClaudeOptions(command=("wrapper", "--settings", given))
        self.assertEqual(self.argv(wrapped)[:4], ["wrapper", "--settings", merged, "-p"])
        self.assertNotIn(SETTINGS, self.argv(wrapped))

    def test_where_no_hook_of_ours_would_be_run_there_are_no_subagents(self) -> None:
        denied = DENIED.replace("Agent(", "Agent,Agent(")
        for words in (
            ("--settings=settings.json",),
            ("--settings", "settings.json"),
            ("--settings=[1]",),
            ('--settings={"hooks": []}',),
            ('--settings={"disableAllHooks": true}',),
            (f"--settings={'[' * 100_000}",),
            ("--bare",),
            ("--safe-mode",),
        ):
            with self.subTest(str(words)[:80]):
                argv = self.argv(ClaudeOptions(extra_args=words))
                self.assertIn(denied, argv)
                self.assertEqual(argv[-len(words) :], list(words))
                self.assertNotIn(SETTINGS, argv)

    def test_a_person_who_opens_the_session_has_the_same_rules(self) -> None:
        argv = command_line.interactive(ClaudeOptions(), self.FEATURE, "5e55")
        self.assertEqual(argv[-1], SETTINGS)
        self.assertIn(DENIED, argv)

    def test_what_we_add_is_no_bypass_of_the_lists(self) -> None:
        self.assertEqual(bypasses(ClaudeOptions()), ())
        given = ClaudeOptions(extra_args=(SETTINGS,))
        self.assertEqual(bypasses(given), ())


class Environment(unittest.TestCase):
    def test_ours_goes_on_top_of_the_users_and_the_lists_on_top_of_ours(self) -> None:
        base = {"PATH": "/bin", "CLAUDECODE": "1", "DISABLE_AUTOUPDATER": "0", "KEY": "secret"}
        options = ClaudeOptions(env={"CLAUDE_CODE_MAX_RETRIES": "0", "KEY": "other"})
        self.assertEqual(
            command_line.environment(base, options),
            {
                "PATH": "/bin",
                "KEY": "other",
                "CLAUDE_CODE_MAX_RETRIES": "0",
                "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
                "DISABLE_AUTOUPDATER": "1",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
            },
        )
        self.assertEqual(base["CLAUDECODE"], "1")


class Commands(unittest.TestCase):
    """What ``plan`` shows of the commands that a list runs."""

    def test_one_command_stands_for_all_features_that_have_the_same(self) -> None:
        (command,) = command_line.commands(ClaudeOptions(), [Feature("a", "a"), Feature("b", "b")])
        self.assertEqual(command.features, ())
        self.assertEqual(command.brief, ("claude", "-p"))
        exact = command_line.argv(ClaudeOptions(), Feature("a", "a"), "SESSION", resume=False)
        self.assertEqual(command.argv, tuple(exact))

    def test_features_with_options_of_their_own_have_a_command_of_their_own(self) -> None:
        features = [Feature("a", "a"), Feature("b", "b", model="opus"), Feature("c", "c")]
        common, other = command_line.commands(ClaudeOptions(), features)
        self.assertEqual((common.features, other.features), (("a", "c"), ("b",)))
        self.assertEqual(other.brief, ("claude", "-p", "--model=opus"))

    def test_the_brief_form_holds_all_that_is_the_lists_own(self) -> None:
        options = ClaudeOptions(
            command=("./claude", "--x"),
            permission_mode="plan",
            allowed_tools=("Bash(rm:*)",),
            disallowed_tools=("WebFetch",),
            append_system_prompt="Be evil.",
            extra_args=("--verbose", "--y"),
        )
        (command,) = command_line.commands(options, [Feature("a", "a")])
        denied = ",".join((*ALWAYS_DISALLOWED_TOOLS, *NO_WORKTREES_BY_AGENTS, "WebFetch"))
        self.assertEqual(
            command.brief,
            (
                *("./claude", "--x", "-p", "--permission-mode=plan"),
                *("--allowedTools=Bash(rm:*)", f"--disallowedTools={denied}"),
                *("--append-system-prompt=Be evil.", "--verbose", "--y"),
            ),
        )

    def test_variables_are_shown_and_secrets_among_them_are_not_however_short(self) -> None:
        options = ClaudeOptions(env={"NODE_OPTIONS": "--require x", "API_KEY": "short"})
        (command,) = command_line.commands(options, [Feature("a", "a")])
        self.assertEqual(command.env, {"NODE_OPTIONS": "--require x", "API_KEY": "[masked]"})


if __name__ == "__main__":
    unittest.main()
