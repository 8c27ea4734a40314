"""Reads a Markdown checklist: each checkbox is an item, and those in it are its steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...model.frozen import replace
from ...model.translate import N_
from .items import Item, Source, block, line, slug, source_of
from .markdown import Entry, Section, sections_of
from .references import titles_in

KIND = "checklist"

_REFERENCE = re.compile(
    r"\s*\(\s*(?:depends on|blocked by|after|requires|needs)\b[^()]{1,500}\)", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:[A-Za-z]{1,4}-?)?\d{1,4}(?:\.\d{1,4})*[.):]?(?=\s)")


def read(text: str) -> Source | None:
    """The plan; ``None`` if there is no checkbox."""
    items = [item for section in sections_of(text) for item in _items(section)]
    if not items:
        return None
    items = [_linked(item, items) for item in items]
    notes = []
    if len(items) > 1 and not any(item.depends_on for item in items):
        notes.append(
            N_("The checklist names no dependencies: its items do not wait for each other.")
        )
    return source_of(KIND, items, notes)


def _items(section: Section) -> Iterator[Item]:
    for entry in section.entries:
        title = line(_plain(_REFERENCE.sub("", entry.text)))
        heading = f"This is part of “{line(section.heading)}”." if section.heading else ""
        body = "\n".join(entry.body)
        yield Item(
            title,
            title,
            block("\n\n".join(part for part in (body, heading) if part)),
            depends_on=tuple(titles_in("\n".join((entry.text, *_own_lines(entry))))),
            is_done=entry.is_done,
        )


def _own_lines(entry: Entry) -> Sequence[str]:
    """The lines below an entry that are no steps."""
    return [each for each in entry.body if "[" not in each[:12]]


def _plain(text: str) -> str:
    """A text without the marks of emphasis around it or around its beginning."""
    found = re.match(r"(\*\*|__|~~)(.+?)\1", text)
    return f"{found[2]}{text[found.end() :]}" if found else text


def _linked(item: Item, items: Sequence[Item]) -> Item:
    """The item with the keys of what it names: titles, their numbers, or their beginnings."""
    keys = []
    for name in item.depends_on:
        found = [each.key for each in items if _is_called(each, name) and each.key != item.key]
        keys.append(found[0] if found else name)
    return replace(item, depends_on=tuple(keys))


def _is_called(item: Item, name: str) -> bool:
    number = _NUMBER.match(item.title)
    if number and number[0].rstrip(".):").lower() == name.lower():
        return True
    return bool(slug(name)) and slug(item.title, 200) == slug(name, 200)
