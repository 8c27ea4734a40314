"""How a feature list is written: its line ends, indentation and separators, for new values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ..model.frozen import dataclass
from .json_spans import Item, items

LOOKED_AT = 20
"""Features at the end of a list whose style is looked at."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_INDENT = re.compile(r"[ \t]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Style:
    """How values are written."""

    newline: str = "\n"
    unit: str = "  "
    """One level of indentation."""
    comma: str = ", "
    colon: str = ": "
    is_spread: bool = False
    """Whether arrays have a line for each element."""
    is_ascii: bool = False

    def value(self, value: object, indent: str, *, spread: bool) -> str:
        """A JSON value, on one line or, if ``spread``, with a line for each of its items."""
        if not spread:
            return self._dumped(value, None, (self.comma, self.colon))
        lines = self._dumped(value, self.unit, (",", self.colon))
        return lines.replace("\n", self.newline + indent)

    def member(self, key: str, value: object, indent: str, *, spread: bool) -> str:
        """A key and its value."""
        return f"{self._dumped(key)}{self.colon}{self.value(value, indent, spread=spread)}"

    def _dumped(
        self, value: object, indent: str | None = None, separators: tuple[str, str] | None = None
    ) -> str:
        text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=self.is_ascii)
        if _SURROGATE.search(text):  # Only an escape can express half a pair.
            return json.dumps(value, indent=indent, separators=separators)
        return text


def style_of(text: str, top: Sequence[Item], features: Sequence[Item]) -> Style:
    """The style of a list with these top-level members and features."""
    found = _LINE_END.search(text)
    members = [
        items(text, each.start) for each in features[-LOOKED_AT:] if isinstance(each.value, dict)
    ]
    full = [each for each in members if each]
    first = (full[-1] if full else top)[0]
    colon = text[first.key_end : first.start]
    return Style(
        found[0] if found else "\n",
        indent_of(top[0].lead) if has_line_end(top[0].lead) else "  ",
        _comma(full, colon),
        ": " if has_line_end(colon) else colon,
        any(_is_spread(text, item) for each in full for item in each),
        text.isascii() and "\\u" in text,
    )


def _comma(members: Sequence[Sequence[Item]], colon: str) -> str:
    """The separator of items on one line."""
    leads = [item.lead for each in members for item in each[1:] if not has_line_end(item.lead)]
    if leads:
        return f",{leads[-1]}"
    return ", " if colon.endswith(" ") else ","


def _is_spread(text: str, item: Item) -> bool:
    return isinstance(item.value, (list, dict)) and has_line_end(text[item.start : item.end])


def has_line_end(text: str) -> bool:
    """Whether a text contains the end of a line."""
    return bool(_LINE_END.search(text))


def indent_of(blank: str) -> str:
    """The indentation at the end of whitespace before an item."""
    return _LINE_END.split(blank)[-1]


def indent_at(text: str, at: int) -> str:
    """The indentation of the line with the character ``at``."""
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    found = _INDENT.match(text, start, at)
    assert found
    return found[0]


@dataclass(frozen=True)
class Layout:
    """Where a new feature and its keys are put."""

    lead: str
    """Before the feature."""
    opening: str
    """Between its brace and its first key."""
    between: str
    """Between a comma and the next key."""
    closing: str

    def feature(self, entry: Mapping[str, object], style: Style) -> str:
        """The text of a feature."""
        spread = style.is_spread and has_line_end(self.between)
        indent = indent_of(self.between) if spread else ""
        members = [style.member(key, value, indent, spread=spread) for key, value in entry.items()]
        inner = f",{self.between}".join(members)
        return f"{{{self.opening}{inner}{self.closing}}}"


def layout_like(text: str, features: Sequence[Item], style: Style) -> Layout:
    """The layout of a feature after others: like the last of them."""
    last = features[-1]
    lead = last.lead if len(features) > 1 or has_line_end(last.lead) else style.comma[1:]
    members = items(text, last.start) if isinstance(last.value, dict) else []
    if not members:
        return Layout(lead, "", style.comma[1:], "")
    opening, closing = members[0].lead, text[members[-1].end : last.end - 1]
    if not has_line_end(opening):
        return Layout(lead, opening, style.comma[1:], closing)
    between = style.newline + indent_of(opening)
    return Layout(lead, between, between, closing)


def layout_of_first(text: str, features: Item, style: Style) -> tuple[Layout, str]:
    """The layout of the first feature, and what follows the last one in the array."""
    if not has_line_end(text):
        return Layout(style.comma[1:], "", style.comma[1:], ""), ""
    outer = style.newline + indent_at(text, features.begin)
    lead = outer + style.unit
    return Layout(lead, lead + style.unit, lead + style.unit, lead), outer
