"""Reads a page as a strict parser does: what is not well-formed is an error."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser
from typing import Any

VOID = frozenset(("meta", "br", "hr", "img", "input", "link"))
"""Elements without an end."""

Attributes = dict[str, str]


class Page(HTMLParser):
    """A page: its elements in order, its text, and its embedded data."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Attributes]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(content)
        self.close()
        assert not self._open, f"not closed: {self._open}"
        twice = [id for id, count in Counter(self.ids).items() if count > 1]
        assert not twice, f"the same id twice: {twice}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {tag} {names}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert self._open.count("svg") or tag in VOID, f"<{tag}/> outside of a picture"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> without a beginning"
        last = self._open.pop()
        assert last == tag, f"</{tag}> ends <{last}>"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        elif not self._open or self._open[-1] != "style":
            self.texts.append(data)

    @property
    def ids(self) -> list[str]:
        """All ids."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def tags(self) -> set[str]:
        """The names of all elements."""
        return {tag for tag, _ in self.elements}

    @property
    def text(self) -> str:
        """All text, on one line."""
        return " ".join(" ".join(self.texts).split())

    @property
    def data(self) -> Any:
        """The embedded report."""
        return json.loads(self.scripts[0])

    def all(self, tag: str, name: str = "") -> list[Attributes]:
        """The attributes of all elements of a kind; with a class of that name, if one is given."""
        return [
            attributes
            for kind, attributes in self.elements
            if kind == tag and (not name or name in attributes.get("class", "").split())
        ]


def page_of(fragment: str) -> Page:
    """A part of a page."""
    return Page(f"<body>{fragment}</body>")
