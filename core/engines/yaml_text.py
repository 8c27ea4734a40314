"""Writes YAML that people read: short lists on a line, scripts as blocks, quotes where needed.

YAML 1.1 and 1.2 read the text alike. A scalar is plain only if no reader could take it for
something else; a script stands line by line, as in a shell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ..model.frozen import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Union

    Value = Union[str, int, bool, None, "Noted", Sequence["Value"], Mapping[str, "Value"]]
    """What can be written; a :class:`Noted` only as the value of a key, and not of the first one
    in an item of a list."""

WIDTH = 100
"""A list that fits into this width stands on one line."""


@dataclass(frozen=True)
class Noted:
    """The value of a key, with comments above the key, and an empty line above these."""

    value: Value
    comment: str = ""


PLAIN = re.compile(r"[A-Za-z_/$][^\x00-\x1f#]*")
"""Begins like a word, a path or an expression; the rest is checked by :func:`_is_plain`."""

WORD = re.compile(r"[A-Za-z_/$][\w./@$-]*", re.ASCII)
"""May also stand in a list on one line."""

READ_AS_OTHERS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that are no strings to YAML 1.1, in any case of letters."""


def yaml_text(document: Mapping[str, Value]) -> str:
    """A document as text."""
    return "".join(f"{line}\n" for line in _mapping(document, "")).lstrip("\n")


def _mapping(value: Mapping[str, Value], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        if isinstance(inner, Noted):
            yield ""
            yield from (f"{indent}# {line}".rstrip() for line in inner.comment.splitlines())
            inner = inner.value
        yield from _entry(f"{indent}{_scalar(key)}:", inner, indent)


def _entry(head: str, value: Value, indent: str) -> Iterator[str]:
    """A value behind the head of its line: ``key:``."""
    if isinstance(value, str):
        yield from _string(head, value, indent)
    elif isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, indent + "  ")
    elif isinstance(value, Sequence) and value:
        line = f"{head} [{', '.join(map(_scalar, value))}]" if _are_words(value) else ""
        if 0 < len(line) <= WIDTH:
            yield line
            return
        yield head
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        lines = list(_mapping(value, indent + "  "))
        # The first key stands behind the dash.
        yield f"{indent}- {lines[0][len(indent) + 2 :]}"
        yield from lines[1:]
    else:
        yield from _entry(f"{indent}-", value, indent)


def _string(head: str, text: str, indent: str) -> Iterator[str]:
    if not _is_block(text):
        yield f"{head} {_scalar(text)}"
        return
    body = text[:-1] if text.endswith("\n") else text
    yield f"{head} |" if text.endswith("\n") else f"{head} |-"
    yield from (f"{indent}  {line}" if line else "" for line in body.split("\n"))


def _is_block(text: str) -> bool:
    """Whether a text is a script: several lines, all of which a block keeps as they are."""
    if "\n" not in text.rstrip("\n") and not text.endswith("\n"):
        return False
    if text.endswith("\n\n") or text[:1] in (" ", "\t", "\n"):
        return False  # It would need an indicator.
    lines = text.split("\n")
    return all(line.isprintable() or _has_only_tabs(line) for line in lines) and not any(
        line.strip() == "" != line or line.startswith("\t") for line in lines
    )


def _has_only_tabs(line: str) -> bool:
    return line.replace("\t", "").isprintable()


def _are_words(values: Sequence[Value]) -> bool:
    return all(isinstance(v, str) and WORD.fullmatch(v) and _is_plain(v) for v in values)


def _scalar(value: Value) -> str:
    """A scalar, or an empty collection, on one line."""
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    return (
        PLAIN.fullmatch(text) is not None
        and text.isprintable()
        and ": " not in text
        and text[-1] not in ": "
        and text.lower() not in READ_AS_OTHERS
    )


def _quoted(text: str) -> str:
    inner = "".join(c if c.isprintable() else _escaped(c) for c in _slashed(text))
    return f'"{inner}"'


def _slashed(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(character: str) -> str:
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    code = ord(character)
    if character in known:
        return known[character]
    return f"\\x{code:02x}" if code < 0x100 else _wide(code)


def _wide(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
