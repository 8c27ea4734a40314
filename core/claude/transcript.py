"""What is known of an attempt from the messages of its stream so far."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.costs import Paid
from ..model.frozen import dataclass, field
from ..model.json_values import dollars_of
from ..model.outcome import Usage

Message = Mapping[str, object]


STDERR_TAIL_LINES = 20


RESULT_LINES = 2_000


RESULT_CHARACTERS = 64 * 1024
"""Of what Claude said at the end; its log has all of it."""


LONGEST_ID = 200
"""No session's id is longer."""


@dataclass(frozen=True)
class Transcript:
    """What the stream has told so far, as far as the outcome depends on it."""

    began: bool = False
    """Whether Claude got as far as an ``init`` line: from then on its session exists."""
    version: str = ""
    authentication: str = ""
    result: Message | None = None
    text: str = ""
    """Of the last result that answers our prompt, not a background task's notification."""
    waiting: bool = False
    """Whether the last thing of weight was a result: Claude has nothing left to do."""
    error: str = ""
    """The class that the last failed answer was given."""
    limited: bool = False
    """Whether a usage limit rejects requests."""
    resets_at: float | None = None
    """When it is lifted, in seconds since 1970, if the stream says so."""
    answered: bool = False
    """Whether the model has said anything that was no error."""
    cost_usd: float | None = None
    usage: Usage = field(default_factory=Usage)
    paid: Mapping[str, Paid] = field(default_factory=dict)
    """By model, what the results reported."""
    session_cost_usd: float | None = None
    """Of all processes of the session, where the CLI carries it over."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """By model, the input and cache tokens of all messages."""
    recent: tuple[str, ...] = ()
    """The ids of the last messages: a message comes in several lines, each with its usage."""
    unpaid: bool = False
    """Whether the model answered after the last result: no result reports what that cost."""


def text_of(message: Message, key: str) -> str:
    value = message.get(key)
    return value if isinstance(value, str) else ""


MILLISECONDS = 1e11
"""A time above this, in the year 5138, is given in milliseconds."""


def moment(value: object) -> float | None:
    """Seconds since 1970, up to the year 5138; ``None`` for what is no such time."""
    at = dollars_of(value)
    if at is None or at < MILLISECONDS:
        return at
    return at / 1000 if at / 1000 < MILLISECONDS else None
