"""A Markdown file as sections with checkboxes, without its comments and code blocks' contents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model.frozen import dataclass

_BOX = re.compile(r"(?:[-*+]|\d{1,9}[.)])\s+\[([ xX])\]\s+(\S.*)")
_HEADING = re.compile(r"(#{1,6})(?:\s+(.*))?\Z")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])\s")
_RULE = re.compile(r"(?:-{3,}|\*{3,}|_{3,})\s*\Z")
_FENCE = re.compile(r"(```+|~~~+)")


@dataclass(frozen=True)
class Entry:
    """A checkbox that is in no other one, with the lines below it."""

    text: str
    is_done: bool
    body: tuple[str, ...] = ()
    """Without the indentation that they share."""


@dataclass(frozen=True)
class Section:
    """What is below one heading; before the first one, there is a section without a heading."""

    level: int
    heading: str
    prose: tuple[str, ...]
    """The lines outside of checkboxes."""
    entries: tuple[Entry, ...]


class _Open:
    """An entry whose lines are still read."""

    def __init__(self, indent: int, text: str, *, is_done: bool) -> None:
        self.indent = indent
        self.text = text
        self.is_done = is_done
        self.lines: list[str] = []

    def holds(self, line: str) -> bool:
        """Whether a line belongs to the entry: it is indented more, or goes on with its text."""
        if not line.strip() or indent_of(line) > self.indent:
            return True
        before = self.lines[-1] if self.lines else self.text
        text = line.strip()
        return bool(before.strip()) and not (
            _MARKER.match(text) or _HEADING.match(text) or _RULE.match(text) or _FENCE.match(text)
        )

    def entry(self) -> Entry:
        return Entry(self.text, self.is_done, tuple(dedented(self.lines)))


class _Reader:
    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.level, self.heading = 0, ""
        self.prose: list[str] = []
        self.entries: list[Entry] = []
        self.open: _Open | None = None

    def add(self, line: str, *, is_code: bool) -> None:
        text = line.strip()
        if self.open is not None and not is_code and not self.open.holds(line):
            self._close()
        heading = None if is_code or indent_of(line) > 3 else _HEADING.match(text)
        box = None if is_code else _BOX.match(text)
        if self.open is not None:
            self.open.lines.append(line)
        elif heading:
            self._end()
            self.level = len(heading[1])
            self.heading = (heading[2] or "").strip().rstrip("#").strip()
        elif box:
            self.open = _Open(indent_of(line), box[2].strip(), is_done=box[1] != " ")
        else:
            self.prose.append(line)

    def _close(self) -> None:
        if self.open is not None:
            self.entries.append(self.open.entry())
            self.open = None

    def _end(self) -> None:
        self._close()
        if self.heading or self.prose or self.entries:
            self.sections.append(
                Section(self.level, self.heading, tuple(self.prose), tuple(self.entries))
            )
        self.prose, self.entries = [], []

    def end(self) -> list[Section]:
        self._end()
        return self.sections


def sections_of(text: str) -> list[Section]:
    """The sections of a Markdown text."""
    reader = _Reader()
    for line, is_code in _lines(text):
        reader.add(line, is_code=is_code)
    return reader.end()


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """The lines without comments, each with whether it is in a code block."""
    fence, in_comment = "", False
    for line in text.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line.strip())
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
            yield line, True
            continue
        line = line.expandtabs(4)
        kept, in_comment = _without_comment(line, in_comment)
        if kept.strip() or not line.strip():
            if mark and kept == line:
                fence = mark[1]
            yield kept, bool(fence)


def _without_comment(line: str, in_comment: bool) -> tuple[str, bool]:
    """A line without its comments, and whether one goes on in the next line."""
    parts: list[str] = []
    at = 0
    while True:
        if in_comment:
            end = line.find("-->", at)
            if end < 0:
                return "".join(parts), True
            at, in_comment = end + 3, False
        start = line.find("<!--", at)
        if start < 0:
            return "".join([*parts, line[at:]]), False
        parts.append(line[at:start])
        at, in_comment = start + 4, True


def indent_of(line: str) -> int:
    """The columns before the text of a line without tabs."""
    return len(line) - len(line.lstrip(" "))


def dedented(lines: list[str]) -> list[str]:
    """Lines without the indentation that they share, and without empty lines around them."""
    shared = min((indent_of(line) for line in lines if line.strip()), default=0)
    found = [line[shared:].rstrip() for line in lines]
    while found and not found[0]:
        found.pop(0)
    while found and not found[-1]:
        found.pop()
    return found


def without_comments(text: str) -> str:
    """A Markdown text without its HTML comments, which no reader of the page sees."""
    return "\n".join(line for line, _ in _lines(text)).strip("\n")
