"""Where the members of a JSON object and the elements of a JSON array are in a text."""

from __future__ import annotations

import json
import re

from ..model.frozen import dataclass

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Item:
    """A member of an object, or an element of an array, which has no key."""

    key: str
    lead: str
    """The whitespace before it, after the bracket or the comma."""
    begin: int
    """Where it begins: at its key, or at the value of an element."""
    key_end: int
    start: int
    end: int
    """Where its value starts and ends."""
    value: object


def items(text: str, start: int) -> list[Item]:
    """The items of the object or array at ``start`` in a valid JSON text."""
    closing = "}" if text[start] == "{" else "]"
    found: list[Item] = []
    after = start + 1
    at = _behind_blank(text, after)
    while text[at] != closing:
        found.append(_item(text, after, at, has_key=closing == "}"))
        at = _behind_blank(text, found[-1].end)
        if text[at] == ",":
            after = at + 1
            at = _behind_blank(text, after)
    return found


def _item(text: str, after: int, begin: int, *, has_key: bool) -> Item:
    key, key_end, start = "", begin, begin
    if has_key:
        key, key_end = _DECODER.raw_decode(text, begin)
        start = _behind_blank(text, _behind_blank(text, key_end) + 1)
    value, end = _DECODER.raw_decode(text, start)
    return Item(key, text[after:begin], begin, key_end, start, end, value)


def root(text: str) -> int:
    """Where the value of a JSON text starts."""
    return _behind_blank(text, 0)


def _behind_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found
    return found.end()
