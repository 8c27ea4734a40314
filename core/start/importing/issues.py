"""Reads GitHub issues as ``gh issue list --json number,title,body,labels`` prints them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...model.translate import N_
from .items import Item, Source, block, line, source_of, text_in
from .markdown import without_comments
from .references import every_issue, issues_in

KIND = "github-issues"

_URL = re.compile(r"https://[^\s/]+/(?:repos/)?([\w.-]+/[\w.-]+)/issues/\d+\Z")
_PART = re.compile(r"[-*+]\s+\[[ xX]\]\s+(\S+)\s*\Z")
"""An entry of a task list that is nothing but another issue."""


def read(data: object) -> Source | None:
    """The plan; ``None`` if it is in another format."""
    listed = [data] if isinstance(data, dict) else data
    if not isinstance(listed, list) or not listed or not all(map(_is_issue, listed)):
        return None
    issues = [each for each in listed if "pull_request" not in each]
    notes = []
    if len(issues) < len(listed):
        notes.append(N_("Pull requests are left out."))
    known = {_number(issue) for issue in issues}
    items = []
    for issue in issues:
        parts = [number for number in _parts(issue) if number in known]
        items.append(_item(issue, parts))
        if parts:
            said = N_(
                "#{number} waits for its parts {parts}; if it has no work of its own, remove "
                "its feature."
            )
            names = ", ".join(f"#{number}" for number in parts)
            notes.append(said.format(number=_number(issue), parts=names))
    # An issue that is not in the file is closed, or none of those that were asked for.
    return source_of(KIND, items, notes, is_partial=True)


def _is_issue(value: object) -> bool:
    return isinstance(value, dict) and type(value.get("number")) is int and "title" in value


def _number(issue: Mapping[str, object]) -> str:
    return str(issue["number"])


def _repository(issue: Mapping[str, object]) -> str:
    for name in ("url", "html_url"):
        found = _URL.match(text_in(issue.get(name)))
        if found:
            return found[1].lower()
    return ""


def _item(issue: Mapping[str, object], parts: Sequence[str]) -> Item:
    body = block(without_comments(text_in(issue.get("body"))))
    needed = dict.fromkeys((*_blockers(issue), *_own(issue, issues_in(body)), *parts))
    state = text_in(issue.get("state")).lower()
    number = _number(issue)
    return Item(
        f"#{number}",
        line(text_in(issue.get("title"))) or f"Issue {number}",
        body,
        depends_on=tuple(f"#{each}" for each in needed),
        tags=tuple(_labels(issue.get("labels"))),
        is_done=state == "closed" or issue.get("closed") is True,
    )


def _own(issue: Mapping[str, object], found: Iterator[tuple[str, str]]) -> Iterator[str]:
    """The numbers of issues of the same repository."""
    repository = _repository(issue)
    for named, number in found:
        if not named or named.lower() == repository:
            yield number


def _parts(issue: Mapping[str, object]) -> Iterator[str]:
    """The issues of which an issue consists: sub-issues, and entries of its task list."""
    seen = dict.fromkeys(_numbers(issue.get("subIssues")))
    for each in without_comments(text_in(issue.get("body"))).split("\n"):
        found = _PART.match(each.strip())
        if found:
            seen.update(dict.fromkeys(_own(issue, every_issue(found[1]))))
    seen.pop(_number(issue), None)
    yield from seen


def _blockers(issue: Mapping[str, object]) -> Iterator[str]:
    yield from _numbers(issue.get("blockedBy"))


def _numbers(value: object) -> Iterator[str]:
    """The numbers of linked issues, as ``gh`` or the API writes them."""
    nodes = value.get("nodes") if isinstance(value, dict) else value
    for each in nodes if isinstance(nodes, list) else []:
        number = each.get("number") if isinstance(each, dict) else None
        if type(number) is int:
            yield str(number)


def _labels(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else []:
        name = line(text_in(each.get("name") if isinstance(each, dict) else each), 100)
        if name:
            yield name
