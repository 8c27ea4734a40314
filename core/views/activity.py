"""`ActivityLog`: what Claude does right now, from the growing log of an attempt."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from ..claude.stream import observe, parse
from ..claude.transcript import Message, Transcript, text_of
from ..journal.private_files import only_regular
from ..model.frozen import dataclass, field
from ..model.json_values import integer
from ..model.lines import LineSplitter
from ..model.mask import whole_words
from ..model.terminal_text import clean, one_line
from ..model.translate import N_, _
from .tool_action import MOST_CHARACTERS, excerpt, tool_action

READ_BYTES = 1024 * 1024
"""Of one call: a view may fall behind an agent that prints without end."""

LONGEST_LINE = 8 * 1024 * 1024

LAST_LINES = 12
LINES_OF_A_RESULT = 4

MOST_CALLS = 64
"""Tool calls that can be open at once; more are forgotten."""

STARTS = N_("starts")
THINKS = N_("thinks")
ENDS = N_("ends")


@dataclass(frozen=True)
class Activity:
    """What an attempt of Claude does, and what it has used so far."""

    action: str = ""
    """Such as ``Edit src/api.py`` or ``$ npm test``, on one line; empty without a log."""
    turns: int = 0
    """The number of the model's answers."""
    tokens: int = 0
    """Input, output and cache tokens; until the result, without output tokens."""
    cost_usd: float | None = None
    """What the last result reported; ``None`` before there is one."""
    changed_at: float = 0.0
    """When the log last grew, in seconds since 1970; 0 without a log."""
    last_lines: tuple[str, ...] = ()
    """The latest texts, tool calls and ends of their results."""
    tokens_by_model: Mapping[str, int] = field(default_factory=dict)
    """Input and cache tokens, from which an unreported cost is estimated."""


class ActivityLog:
    """Follows the log of one attempt; :meth:`read` takes in what was added since.

    ``mask`` removes secrets. A missing or unreadable log is an empty activity, no error.
    """

    def __init__(self, path: str, mask: Callable[[str], str] = str) -> None:
        self.path = path
        self.behind = False
        """Whether the log has more than the last call read."""
        self._mask = mask
        self._offset = 0
        self._splitter = LineSplitter(LONGEST_LINE)
        self._transcript = Transcript()
        self._folder = ""
        self._turns = 0
        self._answer = ""
        self._state = _(STARTS)
        self._calls: dict[str, tuple[str, str]] = {}
        """Open tool calls by their id: the thread that made them, and the action."""
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._activity = Activity()

    def read(self) -> Activity:
        """The activity now. At most :data:`READ_BYTES` are read."""
        try:
            known = os.stat(self.path)
            if known.st_size == self._offset and self._activity.changed_at == known.st_mtime:
                return self._activity
            with open(self.path, "rb", opener=only_regular) as file:
                file.seek(self._offset)
                chunk = file.read(READ_BYTES)
        except OSError:
            return self._activity
        self._offset += len(chunk)
        self.behind = self._offset < known.st_size
        for line in self._splitter.feed(chunk):
            for message in parse(line):
                self._hear(message)
        self._activity = self._now(known.st_mtime)
        return self._activity

    def _now(self, changed_at: float) -> Activity:
        transcript = self._transcript
        used = sum(vars(transcript.usage).values())
        return Activity(
            one_line(self._action()),
            self._turns,
            max(used, sum(transcript.tokens.values())),
            transcript.cost_usd if transcript.result is not None else None,
            changed_at,
            tuple(self._lines),
            transcript.tokens,
        )

    def _action(self) -> str:
        if not self._calls:
            return self._state
        *others, (_, action) = self._calls.values()
        return f"{action} (+{len(others)})" if others else action

    def _hear(self, message: Message) -> None:
        self._transcript = observe(self._transcript, message)
        kind = message["type"]
        if kind == "assistant":
            self._hear_answer(message)
        elif kind == "user":
            self._hear_results(message)
        elif kind == "result":
            self._state = _(ENDS)
            self._calls.clear()
        elif kind == "system":
            self._hear_system(message)

    def _hear_system(self, message: Message) -> None:
        subtype = message.get("subtype")
        if subtype == "init":
            self._folder = text_of(message, "cwd")
            self._state = _(THINKS)
        elif subtype == "api_retry":
            error = integer(message, "error_status") or one_line(text_of(message, "error"))
            attempt, most = integer(message, "attempt"), integer(message, "max_retries")
            self._state = _("API retry {attempt} of {most} after {error}").format(
                attempt=attempt, most=most, error=error or _("no answer")
            )
            self._lines.append(self._state)

    def _hear_answer(self, message: Message) -> None:
        thread = text_of(message, "parent_tool_use_id")
        inner = message.get("message")
        id = text_of(inner, "id") if isinstance(inner, dict) else ""
        if id != self._answer or not id:
            # A thread answers again when it has all results of its tools.
            self._answer = id
            self._turns += not thread
            self._calls = {k: v for k, v in self._calls.items() if v[0] != thread}
        for block in blocks(message):
            if block.get("type") == "tool_use":
                self._begin(block, thread)
            elif block.get("type") == "text":
                text = text_of(block, "text").strip()
                self._state = excerpt(text, self._mask) or _(THINKS)
                self._add(text, LAST_LINES, "")
            else:
                self._state = _(THINKS)

    def _begin(self, block: Mapping[str, object], thread: str) -> None:
        given = block.get("input")
        arguments = given if isinstance(given, dict) else {}
        action = tool_action(text_of(block, "name"), arguments, self._folder, self._mask)
        if len(self._calls) < MOST_CALLS:
            self._calls[text_of(block, "id")] = (thread, action)
        self._lines.append(f"> {one_line(action)}")

    def _hear_results(self, message: Message) -> None:
        for block in blocks(message):
            if block.get("type") == "tool_result":
                self._calls.pop(text_of(block, "tool_use_id"), None)
                self._state = _(THINKS)
                self._add(plain(block.get("content")), LINES_OF_A_RESULT, "  ")

    def _add(self, text: str, most: int, indent: str) -> None:
        """Add the last lines of a text."""
        end = text[-MOST_CHARACTERS:]
        # Masked before it is cut into lines: a secret may have several of them.
        shown = clean(self._mask(end if len(end) == len(text) else whole_words(end)))
        kept = [line.rstrip() for line in shown.splitlines() if line.strip()]
        self._lines.extend(indent + line for line in kept[-most:])


def blocks(message: Message) -> Iterator[Mapping[str, object]]:
    """The content of a message, block by block."""
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    if isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))


def plain(content: object) -> str:
    """The text of a tool's result, which is a text or a list of blocks."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(text_of(part, "text") for part in parts if isinstance(part, dict))
