"""Parses the JSON stream of the Claude Code CLI, line by line.

Written for 2.1; the streams of 1.0.128 to 2.1.330 are in ``tests/fixtures/claude``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ..model.costs import SHARE
from ..model.frozen import replace
from ..model.json_values import dollars_of, integer
from ..model.translate import N_
from ..model.window import Window, share_of
from .spending import INPUT_TOKENS, paid_by, spent
from .transcript import LONGEST_ID, Message, Transcript, moment, text_of


def parse(line: bytes) -> list[Message]:
    """The messages on one line of output; empty if it is no JSON of the stream.

    With ``"verbose": true`` in the user's settings, a line is an array.
    """
    if b'"type"' not in line:
        return []  # Cheap: an agent may print millions of such lines.
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return []
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, dict) and isinstance(v.get("type"), str)]


RECENT = 16
"""How many messages of concurrent subagents may be interleaved."""


def observe(transcript: Transcript, message: Message) -> Transcript:
    """The transcript after one more message of the stream."""
    kind, subtype = message["type"], message.get("subtype")
    if kind == "system" and subtype == "init":
        return replace(
            transcript,
            began=True,
            waiting=False,
            version=text_of(message, "claude_code_version")[:LONGEST_ID],
            model=text_of(message, "model")[:LONGEST_ID],
            authentication=text_of(message, "apiKeySource"),
        )
    if kind == "assistant":
        error = text_of(message, "error")
        answered = transcript.answered or not error
        return replace(
            _counted(transcript, message),
            waiting=False,
            error=error or transcript.error,
            answered=answered,
        )
    if kind == "result":
        answers = "origin" not in message or transcript.result is None
        text = text_of(message, "result") if answers else transcript.text
        cost_usd, usage = spent(transcript, message)
        share = message.get(SHARE)
        return replace(
            transcript,
            result=message,
            text=text,
            waiting=True,
            cost_usd=cost_usd,
            usage=usage,
            paid=paid_by(transcript.paid, message),
            session_cost_usd=dollars_of(message.get("total_cost_usd")) if share else None,
            unpaid=False,
        )
    if kind == "rate_limit_event":
        limit = message.get("rate_limit_info")
        rejected = isinstance(limit, dict) and limit.get("status") == "rejected"
        resets_at = moment(limit.get("resetsAt")) if isinstance(limit, dict) else None
        return replace(
            transcript,
            limited=rejected,
            resets_at=resets_at if rejected else None,
            windows={**transcript.windows, **_window(limit, resets_at)},
        )
    return transcript


def _window(limit: object, resets_at: float | None) -> dict[str, Window]:
    """The window of a limit, by its type; empty if the stream does not tell how full it is.

    No recorded stream has the field ``utilization``; its name is in the program of Claude Code.
    """
    share = share_of(limit.get("utilization")) if isinstance(limit, dict) else None
    if not isinstance(limit, dict) or share is None:
        return {}
    type = text_of(limit, "rateLimitType")[:LONGEST_ID]
    return {type: Window(type, share, resets_at)}


def _counted(transcript: Transcript, message: Message) -> Transcript:
    """The transcript with the tokens of one more message, counted once for all its lines."""
    inner = message.get("message")
    usage = inner.get("usage") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(usage, dict):
        return transcript
    id, model = text_of(inner, "id"), text_of(inner, "model")
    count = sum(integer(usage, name) for name in INPUT_TOKENS)
    if not count or id in transcript.recent:
        return transcript
    tokens = {**transcript.tokens, model: transcript.tokens.get(model, 0) + count}
    recent = (*transcript.recent, id)[-RECENT:]
    return replace(transcript, tokens=tokens, recent=recent, unpaid=True)


SHARES_ITS_SETTINGS = (2, 1, 59)
"""The first version whose concurrent processes do not damage their shared ``~/.claude.json``."""


def old_version(version: str) -> str:
    """A warning if concurrent processes of this version are unsafe; else empty."""
    found = re.match(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(?![-0-9])", version)
    if not found or tuple(map(int, found.groups())) >= SHARES_ITS_SETTINGS:
        return ""
    safe = ".".join(map(str, SHARES_ITS_SETTINGS))
    return N_(
        "Claude Code {version} is old: {safe} or newer is safer for concurrent features"
    ).format(version=found[0], safe=safe)


def transcript_of(lines: Iterable[bytes]) -> Transcript:
    """The transcript of a whole stream."""
    transcript = Transcript()
    for line in lines:
        for message in parse(line):
            transcript = observe(transcript, message)
    return transcript
