"""Lines that a CI system obeys: ours are marked, and none from outside gets through.

GitHub's runner obeys ``::name::`` at the beginning of a line, after blanks, and ``##[name]``
anywhere in it (docs.github.com: Workflow commands). GitLab folds what ``section_start:`` and
``section_end:`` enclose (docs.gitlab.com: CI/CD job logs). Azure and TeamCity have ``##name[``.
"""

from __future__ import annotations

import re

from .ci_systems import Ci
from .terminal_text import clean, one_line


class CiCommand(str):
    """Lines of ours that the CI system is to obey, with their line ends."""

    __slots__ = ()


def annotation(kind: str, message: str, *, title: str, file: str = "", line: int = 0) -> CiCommand:
    """A message that GitHub shows beside ``file``; ``kind`` is error, warning or notice."""
    given = {"file": file, "line": str(line or ""), "title": title}
    properties = ",".join(f"{key}={_property(value)}" for key, value in given.items() if value)
    return CiCommand(f"::{kind} {properties}::{_data(message)}\n")


def group(ci: Ci, title: str, text: str, name: str, at: float) -> list[str]:
    """``text``, which ends with a line end, so that the CI system folds it under its ``title``.

    ``name`` is made of letters, digits and ``_``; ``at`` is the time in seconds since 1970.
    """
    if ci is Ci.GITHUB:
        return [
            CiCommand(f"::group::{_data(one_line(title))}\n"),
            text,
            CiCommand("::endgroup::\n"),
        ]
    if ci is Ci.GITLAB:
        start, end = (
            f"\x1b[0Ksection_{edge}:{at:.0f}:{name}\r\x1b[0K" for edge in ("start", "end")
        )
        return [CiCommand(f"{start}{one_line(title)}\n"), text, CiCommand(f"{end}\n")]
    return [text]


def _data(text: str) -> str:
    plain = _BRACKET.sub(r"\1 [", clean(text))
    return plain.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


_BLANKS = r"(?:\x1b\[[0-?]*[ -/]*[@-~]|[\s\x00-\x1f\x7f-\x9f\ufeff])*"
_BLANK = re.compile(_BLANKS)
_BEGINNING = re.compile(rf"({_BLANKS})(?:::|section_)")
_BRACKET = re.compile(r"(##\w*)\[")
_SECTION = re.compile(r"section_(?=(?:start|end):\d)")
_SUSPECT = re.compile(r"::|##|section_")
_JSON = re.compile(r"""["{]|\[["{[]""")
_LINE_END = re.compile(r"([\r\n])")

KEPT = 40
"""The characters at both ends of an unfinished line that can matter."""


class CommandGuard:
    """Changes lines of one stream that a CI system would obey; call it with each write.

    A backslash goes before the beginning of a line, a blank before the bracket of ``##[``. In
    JSON the bracket is escaped, so that its readers find the same text.
    """

    def __init__(self) -> None:
        self._head = ""
        """The beginning of the unfinished line, without blanks."""
        self._tail = ""
        """Its end."""

    def is_ours(self, text: str) -> bool:
        """Whether the CI system is to obey ``text``, which is then written as it is."""
        return isinstance(text, CiCommand)

    def begin_line(self) -> str:
        """What to write before a text that has to begin a line."""
        begun = "\n" if self._tail else ""
        self._head = self._tail = ""
        return begun

    def __call__(self, text: str) -> str:
        """The text to write instead."""
        if not self._tail and text.endswith("\n") and not _SUSPECT.search(text):
            return text
        return "".join(map(self._part, _LINE_END.split(text)))

    def _part(self, part: str) -> str:
        """A line end, or a text without one."""
        if part in ("\r", "\n"):
            self._head = self._tail = ""
            return part
        head, tail, whole = self._head, self._tail, self._head + part
        self._head = _BLANK.sub("", whole, count=1)[:KEPT]
        self._tail = (tail + part)[-KEPT:]
        if _JSON.match(self._head):
            return _without_brackets(part, tail, r"\u005b")
        part = _SECTION.sub(r"section\_", _without_brackets(part, tail, " ["))
        begins = _BEGINNING.match(whole)
        if begins and not _BEGINNING.match(head):
            at = max(0, begins.end(1) - len(head))
            part = f"{part[:at]}\\{part[at:]}"
        return part


def _without_brackets(part: str, before: str, bracket: str) -> str:
    """``part`` with the bracket of each ``##[`` written as ``bracket``; ``before`` precedes it."""
    joined = _BRACKET.sub(lambda each: each[1] + bracket, before + part)
    # Those in ``before`` are written already.
    return joined[len(_BRACKET.sub(lambda each: each[1] + bracket, before)) :]
