"""Cost and tokens from one or several results of a session."""

from __future__ import annotations

import unittest

from core.claude import stream
from core.model.costs import Paid
from core.model.json_values import LARGEST
from core.model.outcome import Status, Usage
from tests.support import streams
from tests.support.streams import GOOD, TOKENS


class SeveralResults(unittest.TestCase):
    def test_cost_is_the_last_ones_and_text_the_last_without_origin(self) -> None:
        first = streams.line(**GOOD)
        second = streams.line(**{**GOOD, "result": "Noted.", "total_cost_usd": 0.75, "origin": {}})
        third = streams.line(**{**GOOD, "result": "All done.", "total_cost_usd": 1.0})
        empty = streams.line(**{**GOOD, "result": ""})
        answer = streams.line(**{**GOOD, "total_cost_usd": 0.75})
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
                found = streams.judge(*lines)
                self.assertEqual((found.cost_usd, found.result), (cost, text))

    def test_the_last_one_decides(self) -> None:
        stopped = streams.line(**{**GOOD, "subtype": "error_max_turns", "is_error": True})
        self.assertIs(streams.judge(streams.line(**GOOD), stopped, code=1).status, Status.FAILED)
        self.assertIs(streams.judge(stopped, streams.line(**GOOD)).status, Status.COMPLETED)

    def test_another_message_means_that_claude_works_again(self) -> None:
        result = streams.line(**GOOD)
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


class Cost(unittest.TestCase):
    def test_only_this_process_s_share_of_a_resumed_session_counts(self) -> None:
        cases = [
            ((streams.share(0.25),), 0.25, Usage(10, 1)),
            ((streams.share(0.25, 0.5),), 0.75, Usage(30, 2)),
            ((streams.share(0.25), streams.share(0.5)), 0.75, Usage(20, 2)),
            ((streams.share(0), streams.share(0.5, 1)), 1.5, Usage(40, 3)),
            ((streams.share(),), 0.0, Usage()),
            ((streams.share(0.25), streams.share()), 0.25, Usage(10, 1)),
        ]
        for lines, cost, usage in cases:
            with self.subTest(lines=lines):
                found = streams.judge(*lines)
                self.assertEqual((found.cost_usd, found.usage), (cost, usage))

    def test_a_share_that_is_no_sum_of_money_makes_the_whole_unknown(self) -> None:
        for odd in (None, "1", True, -1, float("nan"), float("inf"), 10**400):
            with self.subTest(odd=str(odd)[:20]):
                self.assertIsNone(streams.judge(streams.share(odd)).cost_usd)
                self.assertIsNone(streams.judge(streams.share(0.5, odd)).cost_usd)
                self.assertIsNone(streams.judge(streams.share(odd), streams.share(0.5)).cost_usd)

    def test_a_share_of_another_form_is_passed_over(self) -> None:
        others: list[object] = [None, [], "x", 5]
        for odd in others:
            with self.subTest(odd=odd):
                line = streams.line(**{**GOOD, "model_usage_since_last_result": odd})
                self.assertEqual(streams.judge(line).cost_usd, 0.5)
        mixed = {"a": {"costUSD": 0.25}, "b": 7}
        line = streams.line(**{**GOOD, "model_usage_since_last_result": mixed})
        self.assertIsNone(streams.judge(line).cost_usd)

    def test_money_that_may_have_been_spent_is_never_counted_as_nothing(self) -> None:
        said = streams.spoken("m1")
        free = streams.line(**{**GOOD, "total_cost_usd": 0})
        for lines in (
            (said,),
            (said, free),
            (said, streams.share()),
            (said, streams.share(0.25), said.replace(b"m1", b"m2")),
        ):
            with self.subTest(lines=lines):
                self.assertIsNone(streams.judge(*lines).cost_usd)
        self.assertEqual(streams.judge(free).cost_usd, 0.0)
        self.assertIsNone(
            streams.judge(streams.line(**{**GOOD, "total_cost_usd": 0, "usage": TOKENS})).cost_usd
        )
        self.assertEqual(streams.judge(said, streams.share(0.25)).tokens, {})

    def test_a_total_that_falls_is_unknown_from_then_on(self) -> None:
        def totals(*given: object) -> list[bytes]:
            return [streams.line(**{**GOOD, "total_cost_usd": total}) for total in given]

        for odd in ((0.5, 0.25), (0.5, 0.25, 0.25), (0.5, 0), (0.5, None)):
            with self.subTest(odd=odd):
                self.assertIsNone(streams.judge(*totals(*odd)).cost_usd)
        for plain in ((0.5, 0.5), (0.25, 0.5), (0, 0.5), (None, 0.5)):
            with self.subTest(plain=plain):
                self.assertEqual(streams.judge(*totals(*plain)).cost_usd, 0.5)

    def test_tokens_are_counted_once_a_message_and_by_model(self) -> None:
        lines = [streams.spoken(id, model) for id, model in ("1a", "1a", "2b", "1a", "3a")]
        self.assertEqual(streams.judge(*lines).tokens, {"a": 220, "b": 110})
        for odd in (b'"x"', b"7", b'{"usage": []}', b'{"usage": {"input_tokens": -5}}'):
            line = b'{"type": "assistant", "message": %s}' % odd
            self.assertEqual(streams.judge(line).tokens, {})

    def test_the_cost_of_each_model_is_given_with_its_input_tokens(self) -> None:
        self.assertEqual(streams.judge(streams.share(0.25, total=9.0)).session_cost_usd, 9.0)
        self.assertEqual(
            streams.judge(streams.share(0.25), streams.share(0.5, 1.0)).paid,
            {"model-0": Paid(0.75, 20), "model-1": Paid(1.0, 20)},
        )
        used = {"a": {"costUSD": 0.5, "inputTokens": 1, "cacheReadInputTokens": 4}, "b": 7}
        line = streams.line(**{**GOOD, "modelUsage": used})
        found = streams.judge(line, line)
        self.assertEqual((found.paid, found.session_cost_usd), ({"a": Paid(0.5, 5)}, None))

    def test_an_invalid_amount_is_unknown_and_never_0(self) -> None:
        for odd in ("NaN", "Infinity", "1e999", "-1", "-1e999", "true", '"5"', "null", "[]", "{}"):
            line = b'{"type": "result", "total_cost_usd": %s}' % odd.encode()
            with self.subTest(odd=odd):
                self.assertIsNone(streams.judge(line).cost_usd)
        largest = (str(LARGEST), float(LARGEST))
        for number, cost in (("0", 0.0), ("0.0", 0.0), ("2", 2.0), ("1e-7", 1e-7), largest):
            line = b'{"type": "result", "total_cost_usd": %s}' % number.encode()
            with self.subTest(number=number):
                self.assertEqual(streams.judge(line).cost_usd, cost)

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
                self.assertEqual(streams.judge(streams.line(**GOOD, **fields)).usage, expected)
