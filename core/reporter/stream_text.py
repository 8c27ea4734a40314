"""Claude's stream as readable lines, for `logs`: texts, tool calls, results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ..model.costs import SHARE
from ..model.terminal_text import clean, one_line
from ..model.translate import _
from ..model.words import counted, duration, money
from .style import Style, shorten


def message_lines(
    message: Mapping[str, object], style: Style, *, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """The lines of one message of Claude's stream; most system messages have none.

    ``verbose`` shows the results of tools whole, else in short; ``quiet`` shows texts only.
    """
    kind, subtype = message.get("type"), message.get("subtype")
    if kind == "result":
        yield from _result_lines(message, style)
    elif kind in ("assistant", "user"):
        for block in _content(message):
            if block.get("type") == "text" or not quiet:
                yield from _block_lines(block, style, _time(message), verbose=verbose)
    elif kind == "system" and isinstance(subtype, str) and subtype in _SYSTEM and not quiet:
        yield _SYSTEM[subtype](message, style)


def _init_line(message: Mapping[str, object], style: Style) -> str:
    model, version = message.get("model"), message.get("claude_code_version")
    return style.paint(
        one_line(
            _("Claude Code {version}, {model}").format(version=version or "?", model=model or "?")
        ),
        "dim",
    )


def _retry_line(message: Mapping[str, object], style: Style) -> str:
    attempt, error = message.get("attempt"), message.get("error_status")
    return style.paint(
        one_line(
            _("API retry {attempt} after {error}").format(
                attempt=attempt, error=error or _("no answer")
            )
        ),
        "yellow",
    )


_SYSTEM = {"init": _init_line, "api_retry": _retry_line}


def _content(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def _time(message: Mapping[str, object]) -> str:
    """The local time of a message, with a space behind it; empty without one.

    Only results of tools have one.
    """
    given = message.get("timestamp")
    try:
        at = datetime.fromisoformat(str(given).replace("Z", "+00:00")).timestamp()
        return f"{datetime.fromtimestamp(at).strftime('%H:%M:%S')} "
    except (ValueError, OverflowError, OSError):
        return ""


def _block_lines(
    block: Mapping[str, object], style: Style, time: str, *, verbose: bool
) -> Iterator[str]:
    kind = block.get("type")
    if kind == "text":
        yield from clean(str(block.get("text", ""))).splitlines()
    elif kind == "tool_use":
        given = block.get("input")
        name = one_line(str(block.get("name", "?")))
        line = f"{name}({_arguments(given if isinstance(given, dict) else {})})"
        room = style.width - 2
        yield style.paint(style.pick("▸ ", "> ") + shorten(line, room, style), "cyan")
    elif kind == "tool_result" and block.get("is_error") is True:
        said = shorten(f"{time}{one_line(_result(block))}", style.width - 4, style)
        yield style.paint(f"  {style.pick('✗', 'x')} {said}", "red")
    elif kind == "tool_result" and verbose:
        yield from _painted(f"{time}{_result(block)}".splitlines(), style)
    elif kind == "tool_result":
        first, *more = [line for line in _result(block).splitlines() if line.strip()] or [""]
        count = f" (+{counted(len(more), 'line')})" if more else ""
        room = style.width - 2 - len(time) - len(count)
        if first or time:
            yield from _painted([f"{time}{shorten(one_line(first), room, style)}{count}"], style)


def _painted(lines: Iterable[str], style: Style) -> Iterator[str]:
    for line in lines:
        yield style.paint(f"  {line}".rstrip(), "dim")


def _result(block: Mapping[str, object]) -> str:
    """The result of a tool, cleaned: a text, or a list of blocks with texts."""
    content = block.get("content")
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    if texts and all(isinstance(text, str) for text in texts):
        return clean("\n".join(map(str, texts)))
    return clean(_plain(content))


def _arguments(given: Mapping[str, object]) -> str:
    return ", ".join(f"{one_line(str(name))}={one_line(_plain(v))}" for name, v in given.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _own_cost(result: Mapping[str, object]) -> float | None:
    """The cost of this result alone: the CLI's total may be that of the whole session."""
    share = result.get(SHARE)
    if not isinstance(share, dict):
        return _usd(result, "total_cost_usd")
    costs = [
        _usd(model, "costUSD") if isinstance(model, dict) else None for model in share.values()
    ]
    return None if None in costs else sum(filter(None, costs))


def _result_lines(message: Mapping[str, object], style: Style) -> Iterator[str]:
    failed = message.get("is_error") is not False or message.get("subtype") != "success"
    cost = _own_cost(message)
    dot = style.pick(" · ", " | ")
    turns = message.get("num_turns")
    subtype = one_line(str(message.get("subtype", "?")))
    facts = [
        _("failed") if failed and subtype == "success" else subtype,
        counted(turns, "turn") if isinstance(turns, int) else _("? turns"),
        money(cost),
        duration(_ms(message, "duration_ms")),
    ]
    yield style.paint(
        _("RESULT {facts}").format(facts=dot.join(map(one_line, facts))),
        "red" if failed else "green",
    )
    if failed:
        said = message.get("result") or message.get("errors") or ""
        yield from clean(_plain(said)).splitlines()


def _ms(message: Mapping[str, object], key: str) -> float:
    value = message.get(key)
    return value / 1000 if isinstance(value, (int, float)) else 0.0


def _usd(message: Mapping[str, object], key: str) -> float | None:
    value = message.get(key)
    return value if isinstance(value, (int, float)) else None
