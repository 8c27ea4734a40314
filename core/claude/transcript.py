"""The state of an attempt from its stream so far: result, cost, tokens, usage limit."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.costs import Paid
from ..model.frozen import dataclass, field
from ..model.json_values import dollars_of
from ..model.outcome import Usage
from ..model.window import Window

Message = Mapping[str, object]


STDERR_TAIL_LINES = 20


RESULT_LINES = 2_000


RESULT_CHARACTERS = 64 * 1024
"""Limit of Claude's closing message; the log has all of it."""


LONGEST_ID = 200
"""Longer than any session id."""


@dataclass(frozen=True)
class Transcript:
    """The part of the stream so far that the outcome depends on."""

    began: bool = False
    """Whether there was an ``init`` line, so that the session exists."""
    version: str = ""
    model: str = ""
    authentication: str = ""
    result: Message | None = None
    text: str = ""
    """Text of the last result that answers our prompt, not a background task's notification."""
    waiting: bool = False
    """Whether the last relevant message was a result, so that Claude has nothing to do."""
    error: str = ""
    """The error class of the last failed answer."""
    limited: bool = False
    """Whether a usage limit is rejecting requests."""
    resets_at: float | None = None
    """The reset in seconds since 1970, if the stream names it."""
    windows: Mapping[str, Window] = field(default_factory=dict)
    """How full the windows of usage limits are, by type, if the stream tells it."""
    answered: bool = False
    """Whether the model has answered without an error."""
    cost_usd: float | None = None
    usage: Usage = field(default_factory=Usage)
    paid: Mapping[str, Paid] = field(default_factory=dict)
    """Reported cost by model."""
    session_cost_usd: float | None = None
    """Total of all processes of the session, if the CLI reports it."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """Input and cache tokens of all messages, by model."""
    recent: tuple[str, ...] = ()
    """The latest message ids: a message has several lines, each with its usage."""
    unpaid: bool = False
    """Whether the model answered after the last result, at an unreported cost."""


def text_of(message: Message, key: str) -> str:
    value = message.get(key)
    return value if isinstance(value, str) else ""


MILLISECONDS = 1e11
"""A time above this (the year 5138) is in milliseconds."""


def moment(value: object) -> float | None:
    """Seconds since 1970, up to the year 5138; ``None`` if invalid."""
    at = dollars_of(value)
    if at is None or at < MILLISECONDS:
        return at
    return at / 1000 if at / 1000 < MILLISECONDS else None
