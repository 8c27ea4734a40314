"""Outcomes of attempts: recorded streams and unusual ends."""

from __future__ import annotations

import json
import os
import unittest

from core.model.json_values import LARGEST
from core.model.outcome import AttemptOutcome, Fault, Status, Usage
from tests.support import streams
from tests.support.streams import EXPECTED, GOOD, RECORDED, ROWS, SIGNALLED, TURNS, Run


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
                self._check(streams.judged(name), expected)

    def _check(self, found: AttemptOutcome, expected: Run) -> None:
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
                self.assertEqual(streams.judged(name, chunk=7), streams.judged(name))

    def test_no_run_succeeds_whose_index_tells_of_an_error(self) -> None:
        for name, (_, code, last) in ROWS.items():
            if code != 0 or "is_error=true" in last or last.startswith("error_"):
                with self.subTest(run=name):
                    self.assertIs(streams.judged(name).status, Status.FAILED)

    def test_a_run_that_we_ended_is_never_a_success_whatever_it_printed(self) -> None:
        cases = {
            Fault.INTERRUPTED: (Status.CANCELLED, "interrupted"),
            Fault.TIMEOUT: (Status.TIMED_OUT, "no result within the time limit"),
        }
        self.assertEqual(len(SIGNALLED), 8)
        for name in SIGNALLED:
            for ended, (status, reason) in cases.items():
                with self.subTest(run=name, ended=ended):
                    found = streams.judged(name, ended)
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
                found = streams.transcript(name)
                self.assertEqual((found.began, found.waiting), (began, waiting))

    def test_version_key_and_session_are_noted(self) -> None:
        found = streams.transcript("v2.1.330/success.stream.jsonl")
        self.assertEqual(found.version, "2.1.330")
        self.assertEqual(found.authentication, "ANTHROPIC_API_KEY")
        session = "7d1f4f0a-93a6-4c7e-8a39-0f3a2b6f0c11"
        self.assertEqual(streams.judged("session_first.json").session_id, session)

    def test_tokens_turns_and_time_come_from_the_result(self) -> None:
        found = streams.judged("subagent.stream.jsonl")
        # modelUsage counts the subagent, usage does not.
        self.assertEqual(found.usage, Usage(3600, 1035, 300, 150))
        self.assertEqual(found.num_turns, 2)
        many = LARGEST
        self.assertEqual(
            streams.judge(streams.line(num_turns=many, duration_ms=many + 1)).num_turns,
            many,
        )
        self.assertEqual(
            streams.judge(streams.line(num_turns=many, duration_ms=many + 1)).duration_ms,
            0,
        )
        self.assertGreater(found.duration_ms, 0)


class Success(unittest.TestCase):
    def test_success_needs_every_condition_at_once(self) -> None:
        for subtype in ("success", "error_max_turns", None):
            for is_error in (False, True, None):
                for turns in (1, 2, 0, None, True, -1):
                    for code in (0, 1, 143, -9):
                        for ended in (Fault.NONE, Fault.TIMEOUT):
                            fields = {**GOOD, "subtype": subtype, "is_error": is_error}
                            line = streams.line(**{**fields, "num_turns": turns})
                            good = subtype == "success" and is_error is False and code == 0
                            good = good and turns in (1, 2) and turns is not True
                            good = good and ended is Fault.NONE
                            with self.subTest(line=line, code=code, ended=ended):
                                found = streams.judge(line, code=code, ended=ended)
                                self.assertIs(found.status is Status.COMPLETED, good)
                                self.assertIs(found.reason == "", good)

    def test_without_a_result_there_is_none(self) -> None:
        init = b'{"type": "system", "subtype": "init"}'
        for lines in ((), (init,), (init, b'{"type": "assistant"}')):
            with self.subTest(lines=lines):
                found = streams.judge(*lines)
                self.assertEqual((found.status, found.cost_usd), (Status.FAILED, None))
                self.assertEqual(found.reason, "Claude ended without a result (exit 0)")

    def test_a_success_that_was_killed_afterwards_says_so(self) -> None:
        found = streams.judge(streams.line(**GOOD), code=-9)
        self.assertEqual(found.fault, Fault.TRANSIENT)
        self.assertEqual(found.reason, "Claude reported success but ended with signal 9")

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
                found = streams.judge(streams.line(**{**GOOD, **fields}))
                self.assertEqual((found.fault, found.reason), expected)


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
                self.assertIs(
                    streams.judge(assistant, streams.error("x", 429), code=1).fault,
                    fault,
                )

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
                self.assertIs(streams.judge(streams.error("words", status), code=1).fault, fault)
        self.assertIs(
            streams.judge(streams.error("Credit balance is too low", 400)).fault,
            Fault.ACCOUNT,
        )

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
                self.assertIs(streams.judge(streams.error(said), code=1).fault, fault)

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
                self.assertIs(
                    streams.judge(*lines, streams.error("overloaded", 529), code=1).fault,
                    fault,
                )

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
                found = streams.judge(event, streams.error("limit", 429), code=1)
                self.assertEqual((found.fault, found.resets_at), (Fault.LIMIT, expected))

    def test_an_error_that_was_overcome_fails_nothing(self) -> None:
        assistant = b'{"type": "assistant", "error": "rate_limit"}'
        self.assertIs(streams.judge(assistant, streams.line(**GOOD)).status, Status.COMPLETED)


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
                self.assertIs(streams.judge(code=code, stderr=stderr).fault, fault)
                # Once it began, the command line was good.
                self.assertIs(
                    streams.judge(self.INIT, code=code, stderr=stderr).fault,
                    Fault.TRANSIENT,
                )

    def test_the_end_of_standard_error_is_the_reason(self) -> None:
        stderr = "\n".join(f"line {number}" for number in range(100)) + "\n\n"
        reason = streams.judge(self.INIT, code=3, stderr=stderr).reason
        expected = "\n".join(f"line {number}" for number in range(80, 100))
        self.assertEqual(reason, f"Claude ended without a result (exit 3): {expected}")
        self.assertEqual(streams.judge(code=127).reason, "claude could not be started")
