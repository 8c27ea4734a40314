"""Any bytes as Claude's stream: never an exception, a false success or a raw control."""

from __future__ import annotations

import glob
import json
import math
import os
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from core.claude import end_of_attempt, stream
from core.model import event_json, events, outcome_json
from core.model.lines import LineSplitter
from core.model.outcome import AttemptOutcome, Fault, Status
from core.model.terminal_text import clean
from core.reporter.stream_text import message_lines
from core.reporter.style import Style
from tests.fuzz.harness import Target, assert_shown_clean
from tests.fuzz.mutations import damaged, documents, dumped
from tests.support.paths import ROOT


def _recordings() -> list[bytes]:
    found = []
    for path in sorted(
        glob.glob(os.path.join(ROOT, "tests/fixtures/claude/**/*.json*"), recursive=True)
    ):
        with open(path, "rb") as file:
            content = file.read()
        if len(content) < 20_000:
            found.append(content)
    return found


def _messages(recordings: list[bytes]) -> Iterator[Any]:
    for recording in recordings:
        for line in recording.splitlines():
            yield from stream.parse(line)


RECORDINGS = _recordings()
MESSAGES = list(_messages(RECORDINGS))
RESULTS = [m for m in MESSAGES if m["type"] == "result"]
LINE = st.one_of(documents(RESULTS), documents(MESSAGES)).map(dumped)
STREAMS = st.one_of(
    damaged(st.sampled_from(RECORDINGS), least=0),
    damaged(st.sampled_from(RECORDINGS)),
    st.lists(LINE, max_size=5).map(b"\n".join),
    st.lists(LINE, max_size=3).map(lambda lines: b"[" + b",".join(lines) + b"]"),
    st.binary(max_size=200),
)
CASES = st.tuples(
    STREAMS,
    st.integers(1, 70_000),
    st.sampled_from([0, 0, 0, 1, 2, 126, 127, 130, -2, -9, -15]),
    st.sampled_from([Fault.NONE, Fault.NONE, Fault.TIMEOUT, Fault.INTERRUPTED]).map(
        lambda fault: fault.value
    ),
    st.one_of(st.just(""), st.text(max_size=30), st.sampled_from(["error: x", "Not logged in"])),
)
"""The stream, how it is cut into chunks, exit code, how we ended it, standard error."""

STYLES = (Style(), Style(5, colour=False, unicode=False))


def check(case: tuple[bytes, int, int, str, str]) -> None:
    """Judge the stream, and show it as ``logs`` does."""
    content, size, code, ended, stderr = case
    splitter, lines = LineSplitter(), []
    for start in range(0, len(content), size):
        lines += splitter.feed(content[start : start + size])
    lines += splitter.rest()
    transcript = stream.transcript_of(lines)
    outcome = end_of_attempt.outcome(transcript, code=code, ended=Fault(ended), stderr=stderr)
    _check_outcome(outcome, content, code, ended)
    for line in lines:
        _check_shown(line)


def _check_outcome(outcome: AttemptOutcome, content: bytes, code: int, ended: str) -> None:
    cost = outcome.cost_usd
    assert cost is None or (type(cost) is float and math.isfinite(cost) and cost >= 0)
    if outcome.status is Status.COMPLETED:
        assert code == 0 and ended == "none" and not outcome.reason
        assert any(map(_is_success, _objects(content)))
    else:
        assert outcome.reason
    event = events.attempt_ended(1.0, "r", "auth", outcome)
    text = json.dumps(event_json.to_json(event), allow_nan=False)
    assert outcome_json.attempt_outcome(event_json.from_json(json.loads(text)).data) == outcome


def _objects(content: bytes) -> Iterator[Any]:
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        yield from value if isinstance(value, list) else [value]


def _is_success(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and message.get("type") == "result"
        and message.get("subtype") == "success"
        and message.get("is_error") is False
        and type(message.get("num_turns")) is int
        and message["num_turns"] >= 1
    )


def _check_shown(line: bytes) -> None:
    messages = stream.parse(line)
    for message in messages:
        for style in STYLES:
            for shown in message_lines(message, style, verbose=True):
                assert_shown_clean(shown)
    if not messages:
        assert_shown_clean(clean(line.decode("utf-8", "replace")), lines=True)


TARGET = Target("stream", CASES, check)
