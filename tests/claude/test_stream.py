"""The stream, line by line: hostile lines, long lines, old versions."""

from __future__ import annotations

import json
import unittest

from core.claude import stream
from core.model.outcome import Status
from tests.support import streams
from tests.support.streams import GOOD


class HostileLines(unittest.TestCase):
    def test_lines_that_are_no_messages_are_ignored(self) -> None:
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
                found = streams.judge(line, streams.line(**GOOD), line)
                self.assertIs(found.status, Status.COMPLETED)

    def test_an_array_holds_many_messages(self) -> None:
        line = b'[{"type": "a"}, 5, {"type": "b"}]'
        self.assertEqual(stream.parse(line), [{"type": "a"}, {"type": "b"}])

    def test_a_number_of_5000_digits_costs_at_most_its_line(self) -> None:
        huge = b"9" * 5000
        line = b'{"type": "result", "subtype": "success", "total_cost_usd": %s}' % huge
        found = streams.judge(line)
        self.assertIsNone(found.cost_usd)
        for field in ("num_turns", "duration_ms"):
            line = b'{"type": "result", "%s": %s}' % (field.encode(), b"9" * 400)
            self.assertEqual(streams.judge(line).num_turns, 0)
            self.assertEqual(streams.judge(line).duration_ms, 0)

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
                    line = streams.line(**{**GOOD, "is_error": True, field: value, "type": kind})
                    with self.subTest(kind=kind, field=field, value=value):
                        found = streams.judge(line, code=1)
                        self.assertIsInstance(found.reason, str)
                        self.assertIsInstance(found.result, str)
                        json.dumps([found.cost_usd, vars(found.usage), found.reason])

    def test_a_huge_line_is_read_like_any_other(self) -> None:
        text = "x" * 5_000_000
        said = streams.judge(streams.line(**{**GOOD, "result": text})).result
        self.assertRegex(said, r"\Ax+\.\.\. 4,942,656 characters left out \.\.\.x+\Z")

    def test_denied_tools_are_named_with_their_command(self) -> None:
        denials = [
            {"tool_name": "Bash", "tool_input": {"command": "npm test"}},
            {"tool_name": "Write", "tool_input": {"file_path": "/etc/passwd"}},
            {"tool_name": "WebFetch"},
            {"tool_input": "odd"},
            "odd",
        ]
        found = streams.judge(streams.line(**GOOD, permission_denials=denials))
        self.assertEqual(found.denied_tools, ("Bash(npm test)", "Write", "WebFetch", "a tool"))


class OldVersions(unittest.TestCase):
    def test_a_version_that_damages_shared_settings_is_reported(self) -> None:
        for version in ("2.1.58", "2.1.12", "2.0.999", "1.0.128", "0.2.9", "2.1.12 (Claude Code)"):
            with self.subTest(version=version):
                number = version.split()[0]
                old = f"Claude Code {number} is old"
                told = f"{old}: 2.1.59 or newer is safer for concurrent features"
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
