"""Text files of users: encoding and byte order marks, JSON syntax errors in plain words."""

from __future__ import annotations

import json

from ..model.errors import UserError
from ..model.patterns import pattern
from ..model.translate import N_

BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
"""Longest first: the mark of UTF-16 is a prefix of UTF-32's."""

MARGIN = 60
"""Characters of a line shown on each side of a fault."""

QUOTES = "'‘’‚`“”„«»"
"""Characters wrongly used as quotes."""

TRAILING_COMMA = N_("trailing comma before a closing bracket")

_WORDS = {
    "Expecting ':'": N_("a colon is missing after the key"),
    "Expecting ','": N_("a comma is missing before this, or the string before it ended too early"),
    "Extra data": N_("unexpected text after the end of the list"),
    "Invalid control character": N_(
        "a string contains a line break: write \\n, or a list of lines"
    ),
    "Unterminated string": N_("the string that begins here has no closing quote"),
    "Invalid \\": N_("a backslash in a string is written twice: \\\\"),
    "Expecting property name": N_("expected a key in double quotes"),
    "Expecting value": N_("expected a value here"),
}
"""Messages of json.JSONDecodeError, by their beginning, in plain words."""

_CONSTANT = pattern(r"(True|False|None)\b")
_PLAIN = {"True": "true", "False": "false", "None": "null"}


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, or as its byte order mark says.

    Raises ``ValueError`` with the position of the first invalid byte.
    """
    encoding = next((e for mark, e in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "")
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding or "utf-8", "replace")
        name = encoding.removesuffix("-sig").upper() or "UTF-8"
        byte = f"byte 0x{error.object[error.start]:02x}"
        raise ValueError(
            N_("not {name} at {position} ({byte}): save it as UTF-8").format(
                name=name, position=_position(before), byte=byte
            )
        ) from None
    if "\0" in text:
        place = _position(text[: text.index("\0")])
        raise ValueError(N_("not text at {place} (NUL byte): save it as UTF-8").format(place=place))
    return text


def _position(before: str) -> str:
    """The position after the text ``before``."""
    lines = before.split("\n")
    return N_("line {line}, column {column}").format(line=len(lines), column=len(lines[-1]) + 1)


def not_json(path: str, error: json.JSONDecodeError) -> UserError:
    """Why a file is not JSON: in plain words, with the line and a caret below the fault."""
    text, position = error.doc, error.pos
    what = _fault(text, position, error.msg)
    if what == TRAILING_COMMA:
        # Python versions differ: some point at the comma, some behind it.
        position = text.rindex(",", 0, position + 1)
    place = _position(text[:position])
    return UserError(
        N_("{path} is not JSON at {place}: {what}").format(path=path, place=place, what=what),
        details=_excerpt(text, position),
    )


def _fault(text: str, position: int, said: str) -> str:
    rest, before = text[position:], text[:position].rstrip()
    if not text.strip():
        return N_("the file is empty")
    if "," in (before[-1:], rest[:1]) and rest.lstrip(", \t\r\n").startswith(("]", "}")):
        return TRAILING_COMMA
    if rest.startswith(("//", "/*", "#")):
        return N_("JSON has no comments (use a key that begins with _ for notes)")
    if rest.startswith(tuple(QUOTES)):
        return N_('strings and keys are written in double quotes ("), not in {rest}').format(
            rest=rest[0]
        )
    constant = _CONSTANT.match(rest)
    if constant:
        return N_("{constant} is written {plain}").format(
            constant=constant[0], plain=_PLAIN[constant[0]]
        )
    if rest[:1].isspace() and rest[0] not in " \t\r\n":
        return N_("U+{code:04X} is not JSON whitespace: replace it with a space").format(
            code=ord(rest[0])
        )
    if said.startswith("Invalid control character") and rest[0] not in "\r\n":
        return N_("U+{code:04X} in a string is written \\u{code:04x}").format(code=ord(rest[0]))
    if not rest.strip():
        return N_("the file ends too early: a closing bracket is missing")
    return next((words for start, words in _WORDS.items() if said.startswith(start)), said)


def _excerpt(text: str, position: int) -> tuple[str, ...]:
    start = text.rfind("\n", 0, position) + 1
    line = text[start:].partition("\n")[0].rstrip("\r").replace("\t", " ")
    column = position - start
    left = max(0, column - MARGIN)
    if not line[left : column + MARGIN].strip():
        return ()
    return line[left : column + MARGIN], " " * (column - left) + "^"
