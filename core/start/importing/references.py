"""References of one item to others in a text: "depends on T012, T013", "blocked by #4"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PLAIN = r"depend(?:s|ing|ent)? (?:up)?on|depends|blocked (?:by|on)|dependenc(?:y|ies)|blockers?"
_LOOSE = rf"{_PLAIN}|requires?|needs|after|prerequisites?"
_NOT = r"(?<!not )(?<!n't )(?<!\bno )(?<!\w)"
_FILLER = r"[\s:*_`(\[]{0,8}(?:(?:on|tasks?|issues?|stories|story)[\s:*_`(\[]{1,4})?"
_CLOSE, _OPEN = r"[`\])*_]{0,3}", r"[`\[(*_]{0,3}"
_RANGE = r"-|–|—|\.\.|\bto\b|\bthrough\b"
_AND = r"[,;&+/]|\band\b"
_BETWEEN = rf"{_CLOSE}\s{{0,3}}(?:(?:{_AND}|{_RANGE})\s{{0,3}}){{0,2}}{_OPEN}"


def pattern(reference: str, *, in_prose: bool = False) -> re.Pattern[str]:
    r"""The pattern of a list of references, such as ``T\d+``, after words that say what they are.

    ``in_prose``, "after T3" and "needs T3" may mean something else.
    """
    says = _PLAIN if in_prose else _LOOSE
    listed = rf"(?:{reference})(?:{_BETWEEN}(?:{reference}))*"
    return re.compile(rf"{_NOT}(?:{says}){_FILLER}({listed})", re.IGNORECASE)


RANGE_LIMIT = 200
"""Tasks of ``T010-T013``."""

_TASK = r"T\d{1,4}[a-z]?\b"
_TASKS = pattern(_TASK), pattern(_TASK, in_prose=True)
_ONE_TASK = re.compile(r"T(\d{1,4})([a-z]?)", re.IGNORECASE)
_TASK_RANGE = re.compile(
    rf"T(\d{{1,4}}){_CLOSE}\s{{0,3}}(?:{_RANGE})\s{{0,3}}{_OPEN}T(\d{{1,4}})", re.IGNORECASE
)


def tasks_in(text: str, *, in_prose: bool = False) -> Iterator[str]:
    """The tasks that a text depends on: ``T012, T013`` and ``T010-T013``."""
    for listed in _TASKS[in_prose].findall(text):
        for number, letter in _ONE_TASK.findall(listed):
            yield f"T{number}{letter.lower()}"
        for first, last in _TASK_RANGE.findall(listed):
            start = int(first)
            for number in range(start + 1, min(int(last), start + RANGE_LIMIT)):
                yield f"T{number:0{len(first)}d}"


_ISSUE = (
    r"(?:[\w.-]{1,40}/[\w.-]{1,100})?\#\d{1,9}\b|https://[^\s/]{1,80}/[\w.-]+/[\w.-]+/issues/\d+\b"
)
_ISSUES = pattern(_ISSUE, in_prose=True)
_ONE_ISSUE = re.compile(
    r"(?:(?P<short>[\w.-]+/[\w.-]+)?\#|https://[^\s/]+/(?P<long>[\w.-]+/[\w.-]+)/issues/)(?P<n>\d+)"
)


def issues_in(text: str) -> Iterator[tuple[str, str]]:
    """The issues that a text depends on: the repository, if it is named, and the number."""
    for listed in _ISSUES.findall(text):
        yield from every_issue(listed)


def every_issue(text: str) -> Iterator[tuple[str, str]]:
    """The issues that a text names."""
    for found in _ONE_ISSUE.finditer(text):
        yield found["short"] or found["long"] or "", found["n"]


_QUOTED = re.compile(
    r"\(\s*(?:depends on|blocked by|after|requires|needs)[:\s]\s*([^()]{1,500})\)|"
    r"\b(?:depends on|blocked by)[:\s]\s*([^().]{1,500})",
    re.IGNORECASE,
)


def titles_in(text: str) -> Iterator[str]:
    """What a text says that it depends on: names of other items, separated by commas."""
    for found in _QUOTED.finditer(text):
        for part in re.split(r"[,;]|\band\b", found[1] or found[2]):
            if part.strip():
                yield part.strip(" \t\n\"'`“”*_:#.")
