"""Text from outside in Markdown: it formats nothing, ends nothing and mentions nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.patterns import pattern
from ..model.terminal_text import one_line

_SPECIAL = pattern(r"([\\`*_${}\[\]()+!|~])")
_LINKED = pattern(r"([@#:])(?=[\w/])")
"""What begins a mention, a number of an issue, or what follows the scheme of a URL."""


def escaped(text: str) -> str:
    """A text from outside on one line: it formats nothing, links nowhere and mentions nobody."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINKED.sub(r"\1<!-- -->", _SPECIAL.sub(r"\\\1", plain))


def code(text: str) -> str:
    """A text from outside as code on one line, also in a table; empty for none.

    As HTML, because Markdown can't hold a backtick or a bar in a cell.
    """
    plain = one_line(text)
    if not plain:
        return ""
    if "`" not in plain and "|" not in plain:
        return f"`{plain}`"
    coded = re.sub(r"[&<>|`*_\[\]\\~]", lambda found: f"&#{ord(found[0])};", plain)
    return f"<code>{coded}</code>"


def fenced(text: str) -> Iterator[str]:
    """A text from outside as a block of code, which it can't end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence
    yield from text.splitlines() or [""]
    yield fence
