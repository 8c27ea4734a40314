"""What users write: its encoding, and what in it is not JSON, in plain words."""

from __future__ import annotations

import json
import re

from ..model.errors import UserError

BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
"""The longer ones first: that of UTF-16 is the beginning of that of UTF-32."""

MARGIN = 60
"""How much of a long line is shown on each side of a fault."""

QUOTES = "'‘’‚`“”„«»"
"""What stands where a text should begin, and begins none."""

TRAILING_COMMA = "no comma may stand before a closing bracket"

_WORDS = {
    "Expecting ':'": "a colon is missing after the key",
    "Expecting ','": "a comma is missing before this, or the text before it ended too early",
    "Extra data": "nothing may follow the end of the list",
    "Invalid control character": "a text goes over the end of its line: write \\n there, "
    "or a list of lines",
    "Unterminated string": "the text that begins here has no closing quote",
    "Invalid \\": "a backslash in a text is written twice: \\\\",
    "Expecting property name": "a key is written in double quotes",
    "Expecting value": "expected a value here",
}
"""What json.JSONDecodeError says, by its beginning, and what we say instead."""

_CONSTANT = re.compile(r"(True|False|None)\b")
_PLAIN = {"True": "true", "False": "false", "None": "null"}


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, or what its byte order mark says.

    Raises ``ValueError`` with the position of what is no text.
    """
    encoding = next((e for mark, e in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "")
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding or "utf-8", "replace")
        name = encoding.removesuffix("-sig").upper() or "UTF-8"
        byte = f"byte 0x{error.object[error.start]:02x}"
        raise ValueError(f"not {name} at {_place(before)} ({byte}): save it as UTF-8") from None
    if "\0" in text:
        place = _place(text[: text.index("\0")])
        raise ValueError(f"not text at {place} (a NUL): save it as UTF-8")
    return text


def _place(before: str) -> str:
    """Where the text after ``before`` is."""
    lines = before.split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"


def not_json(path: str, error: json.JSONDecodeError) -> UserError:
    """Why a file is not JSON: plain words, the line, and a caret below the fault."""
    text, position = error.doc, error.pos
    what = _fault(text, position, error.msg)
    if what == TRAILING_COMMA:
        # Python's versions differ in whether they point at it or behind it.
        position = text.rindex(",", 0, position + 1)
    place = _place(text[:position])
    return UserError(f"{path} is not JSON at {place}: {what}", details=_excerpt(text, position))


def _fault(text: str, position: int, said: str) -> str:
    rest, before = text[position:], text[:position].rstrip()
    if not text.strip():
        return "the file is empty"
    if "," in (before[-1:], rest[:1]) and rest.lstrip(", \t\r\n").startswith(("]", "}")):
        return TRAILING_COMMA
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments (a key that begins with _ may hold notes)"
    if rest.startswith(tuple(QUOTES)):
        return f'texts and keys stand in double quotes ("), not in {rest[0]}'
    constant = _CONSTANT.match(rest)
    if constant:
        return f"{constant[0]} is written {_PLAIN[constant[0]]}"
    if rest[:1].isspace() and rest[0] not in " \t\r\n":
        return f"U+{ord(rest[0]):04X} is no blank of JSON: replace it with a space"
    if said.startswith("Invalid control character") and rest[0] not in "\r\n":
        return f"U+{ord(rest[0]):04X} in a text is written \\u{ord(rest[0]):04x}"
    if not rest.strip():
        return "the file ends too early: a closing bracket is missing"
    return next((words for start, words in _WORDS.items() if said.startswith(start)), said)


def _excerpt(text: str, position: int) -> tuple[str, ...]:
    start = text.rfind("\n", 0, position) + 1
    line = text[start:].partition("\n")[0].rstrip("\r").replace("\t", " ")
    column = position - start
    left = max(0, column - MARGIN)
    if not line[left : column + MARGIN].strip():
        return ()
    return line[left : column + MARGIN], " " * (column - left) + "^"
