"""A plan from elsewhere: its items, cleaned and bounded, whatever format they come from."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from ...model.errors import UserError
from ...model.frozen import dataclass, replace
from ...model.terminal_text import clean, one_line
from ...model.translate import N_

ITEMS_LIMIT = 2000
TITLE_LIMIT = 200
TEXT_LIMIT = 256 * 1024
"""Characters of one item."""
LINKS_LIMIT = 50_000
"""Dependencies of all items together."""
ID_LENGTH = 36

_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Item:
    """What becomes one feature."""

    key: str
    """What the source calls it, such as ``T012`` or ``#7``; unique in the source."""
    title: str
    text: str = ""
    """Everything else that is said about it, in Markdown."""
    criteria: tuple[str, ...] = ()
    """When it is done, one line each."""
    depends_on: tuple[str, ...] = ()
    """Keys."""
    tags: tuple[str, ...] = ()
    priority: int | None = None
    is_done: bool = False


@dataclass(frozen=True)
class Source:
    """A plan as it was read."""

    kind: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    """What was decided while reading, a sentence each."""
    is_partial: bool = False
    """Whether it may depend on items that are not in it, as a selection of issues does."""


def line(text: str, limit: int = TITLE_LIMIT) -> str:
    """A text, cleaned, on one line, and cut if it is long."""
    short = one_line(text[: 4 * limit])
    return short if len(short) <= limit else f"{short[: limit - 1].rstrip()}…"


def block(text: str) -> str:
    """A text of several lines, cleaned; tabs stay, because code needs them."""
    cleaned = "\t".join(clean(part) for part in text.replace("\r\n", "\n").split("\t"))
    return "\n".join(each.rstrip() for each in cleaned.split("\n")).strip("\n")


def slug(text: str, limit: int = ID_LENGTH) -> str:
    """A text as an id: ASCII letters, digits and single dashes; empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", text[: 8 * limit].replace("ß", "ss").replace("'", ""))
    ascii = plain.encode("ascii", "ignore").decode().lower()
    words = _NOT_IN_IDS.sub("-", ascii).strip("-")
    if len(words) <= limit:
        return words
    cut = words[: limit + 1].rpartition("-")[0]
    return cut if len(cut) > limit // 2 else words[:limit].strip("-")


def source_of(
    kind: str, items: Iterable[Item], notes: Iterable[str] = (), *, is_partial: bool = False
) -> Source:
    """A source whose items are within the limits and have unique keys.

    Raises :class:`UserError` if there are none or too many.
    """
    listed = _with_unique_keys(items)
    if not listed:
        raise UserError(
            N_("the {kind} file has no items").format(kind=kind),
            hint=N_("docs/commands/import.md has examples"),
        )
    for item in listed:
        if len(item.text) > TEXT_LIMIT:
            said = N_("{key} is longer than {limit:,} characters")
            raise UserError(said.format(key=item.key, limit=TEXT_LIMIT))
    if sum(len(item.depends_on) for item in listed) > LINKS_LIMIT:
        said = N_("the file has more than {limit:,} dependencies")
        raise UserError(said.format(limit=LINKS_LIMIT))
    return Source(kind, tuple(map(_without_repeats, listed)), tuple(notes), is_partial)


def _with_unique_keys(items: Iterable[Item]) -> list[Item]:
    """The items with unique keys: a repeated one gets a number. Each item has a title."""
    found: dict[str, Item] = {}
    for item in items:
        if len(found) >= ITEMS_LIMIT:
            raise UserError(
                N_("the file has more than {limit:,} items").format(limit=ITEMS_LIMIT),
                hint=N_("import a part of it"),
            )
        base = item.key or item.title or f"Item {len(found) + 1}"
        key, number = base, 2
        while key in found:
            key, number = f"{base} ({number})", number + 1
        found[key] = replace(item, key=key, title=item.title or key)
    return list(found.values())


def _without_repeats(item: Item) -> Item:
    kept = dict.fromkeys(key for key in item.depends_on if key != item.key)
    return replace(item, depends_on=tuple(kept))


def text_in(value: object) -> str:
    """The text of a JSON value: a string, a number, or lines in a list; else empty."""
    if isinstance(value, str):
        return block(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return "\n".join(f"- {text}" for text in map(text_in, value) if text)
    return ""


def texts_in(value: object) -> tuple[str, ...]:
    """The lines of a JSON list of texts, or of one text."""
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in (line(text_in(each), TEXT_LIMIT) for each in values) if text)


def key_in(value: object) -> str:
    """The id in a JSON value, on one line; empty for a list or an object."""
    return line(text_in(value), 80) if not isinstance(value, list) else ""


def parsed(text: str) -> object:
    """The value of a JSON text. Raises ``ValueError`` if it is not JSON or nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(N_("it is nested too deeply")) from None
