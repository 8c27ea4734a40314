"""The messages of a stream as lines."""

from __future__ import annotations

import json
import unittest
from collections.abc import Mapping
from datetime import datetime, timezone

from core.model.costs import SHARE
from core.reporter import stream_text, style
from core.reporter.style import Style
from tests.support.story import ASCII, HOSTILE, PLAIN, is_safe


def _assistant(*blocks: Mapping[str, object]) -> dict[str, object]:
    return {"type": "assistant", "message": {"content": list(blocks)}}


def _user(content: object, *, is_error: bool = False) -> dict[str, object]:
    block = {"type": "tool_result", "content": content, "is_error": is_error}
    return {"type": "user", "message": {"content": [block]}}


def _lines(
    message: Mapping[str, object],
    style: Style = PLAIN,
    *,
    verbose: bool = False,
    quiet: bool = False,
) -> list[str]:
    return list(stream_text.message_lines(message, style, verbose=verbose, quiet=quiet))


TOOL = {"type": "tool_use", "name": "Bash", "input": {"command": "ls\n-la", "timeout": 5}}


WORDS = {"type": "text", "text": "I will.\nNow."}


RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "num_turns": 1,
    "total_cost_usd": 0.5,
    "duration_ms": 1500,
    "result": "Done.",
}


class AMessage(unittest.TestCase):
    def test_words_and_tools_are_shown(self) -> None:
        self.assertEqual(
            _lines(_assistant(WORDS, TOOL)),
            ["I will.", "Now.", "▸ Bash(command=ls -la, timeout=5)"],
        )
        self.assertEqual(_lines(_assistant(TOOL), ASCII), ["> Bash(command=ls -la, timeout=5)"])

    def test_a_tool_is_cut_to_the_width(self) -> None:
        long = {"type": "tool_use", "name": "Write", "input": {"content": "日本" * 100}}
        for width in (20, 80, 200):
            (line,) = _lines(_assistant(long), Style(width=width))
            self.assertIn(style.columns(line), (width - 1, width))
            self.assertTrue(line.endswith("…"))

    def test_results_of_tools_show_in_short_or_whole_when_asked_for(self) -> None:
        self.assertEqual(_lines(_user("fine\nall\nof it\n")), ["  fine (+2 lines)"])
        self.assertEqual(_lines(_user("\nfine\n")), ["  fine"])
        self.assertEqual(_lines(_user("")), [])
        self.assertEqual(_lines(_user("fine\nall"), verbose=True), ["  fine", "  all"])
        self.assertEqual(_lines(_user("no such\nfile", is_error=True)), ["  ✗ no such file"])
        self.assertEqual(_lines(_user("no", is_error=True), ASCII), ["  x no"])
        structured = _user([{"type": "text", "text": "é"}, {"type": "text", "text": "a"}])
        self.assertEqual(_lines(structured, verbose=True), ["  é", "  a"])
        for other in ([], [7], [{"type": "image"}]):
            self.assertEqual(_lines(_user(other), verbose=True), [f"  {json.dumps(other)}"])

    def test_a_short_result_fits_the_width(self) -> None:
        (line,) = _lines(_user("日本" * 100 + "\nmore"), Style(width=40))
        self.assertLessEqual(style.columns(line), 40)
        self.assertTrue(line.endswith("… (+1 line)"), line)

    def test_a_result_of_a_tool_has_the_local_time_where_it_is_known(self) -> None:
        at = datetime(2026, 1, 2, 14, 30, 15).astimezone(timezone.utc)
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for message, verbose, expected in (
            (_user("fine"), False, "  14:30:15 fine"),
            (_user("fine"), True, "  14:30:15 fine"),
            (_user(""), False, "  14:30:15"),
            (_user("no", is_error=True), False, "  ✗ 14:30:15 no"),
        ):
            message["timestamp"] = stamp
            self.assertEqual(_lines(message, verbose=verbose), [expected])
        for odd in ("yesterday", 7, "0001-01-01T00:00:00Z"):
            self.assertEqual(_lines({**_user("fine"), "timestamp": odd}), ["  fine"])

    def test_quiet_shows_words_only(self) -> None:
        self.assertEqual(_lines(_assistant(WORDS, TOOL), quiet=True), ["I will.", "Now."])
        self.assertEqual(_lines({"type": "system", "subtype": "init"}, quiet=True), [])

    def test_a_result_says_how_it_went(self) -> None:
        overloaded = {**RESULT, "is_error": True, "result": "API Error: 529"}
        share = {"a": {"costUSD": 0.1}, "b": {"costUSD": 0.2}}
        stopped = {**RESULT, "subtype": "error_max_turns", "num_turns": 7, "errors": ["a", "b"]}
        del stopped["result"]
        bare = {"type": "result"}
        cases: list[tuple[Mapping[str, object], list[str]]] = [
            (RESULT, ["RESULT success · 1 turn · $0.50 · 1.5s"]),
            (overloaded, ["RESULT failed · 1 turn · $0.50 · 1.5s", "API Error: 529"]),
            (stopped, ["RESULT error_max_turns · 7 turns · $0.50 · 1.5s", '["a", "b"]']),
            (bare, ["RESULT ? · ? turns · cost unknown · 0.0s"]),
            ({**RESULT, SHARE: share}, ["RESULT success · 1 turn · $0.30 · 1.5s"]),
            ({**RESULT, SHARE: {"a": 7}}, ["RESULT success · 1 turn · cost unknown · 1.5s"]),
        ]
        for message, expected in cases:
            with self.subTest(expected[0]):
                self.assertEqual(_lines(message), expected)

    def test_only_start_and_retries_of_system_messages_are_shown(self) -> None:
        cases: list[tuple[Mapping[str, object], list[str]]] = [
            ({"type": "system", "subtype": "init"}, ["Claude Code ?, ?"]),
            (
                {"type": "system", "subtype": "init", "model": "m", "claude_code_version": "2.1"},
                ["Claude Code 2.1, m"],
            ),
            (
                {"type": "system", "subtype": "api_retry", "attempt": 2, "error_status": 529},
                ["API retry 2 after 529"],
            ),
            (
                {"type": "system", "subtype": "api_retry", "attempt": 1},
                ["API retry 1 after no answer"],
            ),
            ({"type": "system", "subtype": "compact_boundary"}, []),
            ({"type": "system", "subtype": ["?"]}, []),
            ({"type": "rate_limit_event"}, []),
        ]
        for message, expected in cases:
            with self.subTest(message):
                self.assertEqual(_lines(message), expected)

    def test_a_message_of_any_shape_is_survived(self) -> None:
        cases: list[tuple[object, list[str]]] = [
            ("just words", ["just words"]),
            (None, []),
            (["no block", {"type": "thinking", "thinking": "hm"}], []),
            ([{"type": "text"}], []),
            ([{"type": "tool_use"}], ["▸ ?()"]),
            ([{"type": "tool_use", "name": "T", "input": [1]}], ["▸ T()"]),
            ([{"type": "tool_result", "is_error": True}], ["  ✗ null"]),
            ([{"type": "tool_result"}], ["  null"]),
        ]
        for content, expected in cases:
            with self.subTest(content):
                message = {"type": "assistant", "message": {"content": content}}
                self.assertEqual(_lines(message), expected)
        self.assertEqual(_lines({"type": "assistant"}), [])

    def test_nothing_that_the_model_says_reaches_the_terminal_raw(self) -> None:
        tool = {"type": "tool_use", "name": HOSTILE, "input": {HOSTILE: HOSTILE}}
        for message in (
            _assistant({"type": "text", "text": HOSTILE}, tool),
            _user(HOSTILE, is_error=True),
            _user([HOSTILE]),
            _user(HOSTILE),
            {**RESULT, "subtype": HOSTILE, "result": HOSTILE},
            {"type": "system", "subtype": "init", "model": HOSTILE},
            {"type": "system", "subtype": "api_retry", "error_status": HOSTILE},
        ):
            lines = _lines(message, verbose=True)
            self.assertTrue(lines)
            for line in lines:
                self.assertTrue(is_safe(line), line)
