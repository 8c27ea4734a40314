"""Reads a Markdown checklist: each checkbox is an item, with the checkboxes below it as steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...model.frozen import replace
from ...model.translate import N_
from .items import Item, Source, block, line, slug, source_of
from .markdown import Entry, Section, sections_of
from .references import titles_in

KIND = "checklist"

_REFERENCE = re.compile(
    r"(?<!\s)\s*\(\s*(?:depends on|blocked by|after|requires|needs)\b[^()]{1,500}\)", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:[A-Za-z]{1,4}-?)?\d{1,4}(?:\.\d{1,4})*[.):]?(?=\s)")


def read(text: str) -> Source | None:
    """The plan; ``None`` if there is no checkbox."""
    items = [item for section in sections_of(text) for item in _items(section)]
    if not items:
        return None
    named = _named(items)
    items = [_linked(item, named) for item in items]
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


def _named(items: Sequence[Item]) -> Mapping[str, Sequence[tuple[int, str]]]:
    """By title and by number: places and keys of the first two items that are called so."""
    named: dict[str, list[tuple[int, str]]] = {}
    for place, item in enumerate(items):
        number = _NUMBER.match(item.title)
        names = [_by_title(item.title), *([_by_number(number[0].rstrip(".):"))] if number else [])]
        for name in names:
            known = named.setdefault(name, [])
            if len(known) < 2 and item.key not in (key for _, key in known):
                known.append((place, item.key))
    return named


def _by_title(name: str) -> str:
    return f"title {slug(name, 200)}" if slug(name) else ""


def _by_number(name: str) -> str:
    return f"number {name.lower()}"


def _linked(item: Item, named: Mapping[str, Sequence[tuple[int, str]]]) -> Item:
    """The item with the keys of the items that it names by title or by number."""
    keys = []
    for name in item.depends_on:
        title = _by_title(name)
        places = {*named.get(_by_number(name), ()), *(named.get(title, ()) if title else ())}
        found = [key for _, key in sorted(places) if key != item.key]
        keys.append(found[0] if found else name)
    return replace(item, depends_on=tuple(keys))
