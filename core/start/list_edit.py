"""Edits of a feature list that keep every other byte: keys of features, and new features."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence

from ..model.errors import UserError
from ..model.frozen import dataclass, field
from ..model.translate import N_
from ..project.list_reader import LIST_LIMIT_BYTES, content_of
from ..project.source_text import BYTE_ORDER_MARKS, decoded, not_json
from ..reporter.documents import write_whole
from .json_spans import Item, items, root
from .json_style import (
    Style,
    has_line_end,
    indent_at,
    indent_of,
    layout_like,
    layout_of_first,
    style_of,
)

Replacement = tuple[int, int, str]
"""Start, end and new text."""


@dataclass(frozen=True)
class ListFile:
    """A feature list as it was read."""

    path: str
    content: bytes
    text: str
    """Without a byte order mark."""


@dataclass(frozen=True)
class Change:
    """New values of keys of one feature, and keys to remove."""

    id: str
    put: Mapping[str, object] = field(default_factory=dict)
    drop: tuple[str, ...] = ()


def read(path: str) -> ListFile:
    """A feature list. Raises :class:`UserError` if it can't be read."""
    try:
        content = content_of(path, LIST_LIMIT_BYTES)
        return ListFile(path, content, decoded(content))
    except OSError as error:
        raise UserError(
            N_("{path} can't be read: {why}").format(path=path, why=error.strerror)
        ) from None
    except ValueError as error:
        raise UserError(
            N_("{path} can't be read: it is {why}").format(path=path, why=error)
        ) from None


def edited(
    file: ListFile, changes: Sequence[Change] = (), added: Sequence[Mapping[str, object]] = ()
) -> str:
    """The text of a list with ``changes``, one for each feature, and ``added`` features at its end.

    A value that is equal already keeps its bytes. Raises :class:`UserError` if the list isn't JSON
    with features of these ids, or has a key twice in one object.
    """
    try:
        return _edited(file.text, changes, added)
    except json.JSONDecodeError as error:
        raise not_json(file.path, error) from None
    except (ValueError, RecursionError) as error:
        raise UserError(
            N_("{path} can't be edited: {why}").format(path=file.path, why=error)
        ) from None


def write(file: ListFile, text: str) -> None:
    """Write the new text of a list: whole, through a link, with its encoding, mode and owner.

    Raises :class:`UserError` if it changed since it was read, or if it can't be written.
    """
    real = os.path.realpath(file.path)
    try:
        if content_of(real, LIST_LIMIT_BYTES) != file.content:
            raise UserError(
                N_("{path} changed meanwhile; it was left as it is").format(path=file.path),
                hint=N_("try again"),
            )
        write_whole(real, encoded(file.content, text), like=os.stat(real))
    except OSError as error:
        raise UserError(
            N_("{path} can't be written: {why}").format(path=file.path, why=error.strerror)
        ) from None
    except ValueError as error:
        raise UserError(
            N_("{path} is now {why}; it was left as it is").format(path=file.path, why=error)
        ) from None


def encoded(content: bytes, text: str) -> bytes:
    """The bytes of a text, in the encoding of ``content``."""
    for mark, name in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            order = "-le" if mark.startswith(b"\xff") else "-be"
            encoding = "utf-8" if name == "utf-8-sig" else name + order
            return mark + text.encode(encoding)
    return text.encode()


def _edited(text: str, changes: Sequence[Change], added: Sequence[Mapping[str, object]]) -> str:
    intended = _intended(_parsed(text), changes, added)
    top = items(text, root(text))
    features = next(item for item in top if item.key == "features")
    listed = items(text, features.start)
    style = style_of(text, top, listed)
    wanted = {change.id: change for change in changes}
    replacements = [
        replacement
        for each in listed
        for change in (wanted.get(_id(each.value)),)
        if change is not None
        for replacement in _changed(text, each, change, style)
    ]
    if added:
        replacements.append(_appended(text, features, listed, added, style))
    new = _replaced(text, replacements)
    # Whatever the layout, the list means what it should.
    if json.dumps(_parsed(new)) != json.dumps(intended):
        raise ValueError(N_("the result would not be what was intended"))
    return new


def _parsed(text: str) -> object:
    return json.loads(text, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(N_("it has the key {key!r} twice in one object").format(key=twice))
    return found


def _intended(
    data: object, changes: Sequence[Change], added: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """The value that the new text must have. Raises ``ValueError`` if it can't be made."""
    listed = data.get("features") if isinstance(data, dict) else None
    if not (isinstance(data, dict) and isinstance(listed, list)):
        raise ValueError(N_("it has no list of features"))
    ids = [_id(each) for each in listed]
    by_id = {change.id: change for change in changes}
    if len(by_id) < len(changes):
        raise ValueError(N_("two changes of one feature"))
    for id in by_id:
        if ids.count(id) != 1:
            said = N_("it has two features {id!r}") if id in ids else N_("it has no feature {id!r}")
            raise ValueError(said.format(id=id))
    features = [_with(each, by_id[id]) if id in by_id else each for id, each in zip(ids, listed)]
    return {**data, "features": [*features, *added]}


def _id(feature: object) -> str:
    """The id of a feature; empty if it has none."""
    id = feature.get("id") if isinstance(feature, dict) else None
    return id if isinstance(id, str) else ""


def _with(feature: Mapping[str, object], change: Change) -> dict[str, object]:
    if "id" in change.drop or set(change.drop) & set(change.put):
        raise ValueError(N_("{id!r} can't lose a key that it needs").format(id=change.id))
    kept = {key: value for key, value in feature.items() if key not in change.drop}
    return {**kept, **change.put}


def _replaced(text: str, replacements: Sequence[Replacement]) -> str:
    parts, at = [], 0
    # Sorted by position only: at one position, a removal ends where an addition begins.
    for start, end, new in sorted(replacements, key=lambda each: each[:2]):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _changed(text: str, feature: Item, change: Change, style: Style) -> Iterator[Replacement]:
    members = items(text, feature.start)
    yield from _removed(members, change.drop)
    new = dict(change.put)
    for member in members:
        if member.key in new:
            value = new.pop(member.key)
            if json.dumps(value) != json.dumps(member.value):
                yield member.start, member.end, _rewritten(text, member, value, style)
    if new:
        last = members[-1]
        lead = last.lead if len(members) > 1 or has_line_end(last.lead) else style.comma[1:]
        spread = style.is_spread and has_line_end(lead)
        indent = indent_of(lead) if spread else ""
        texts = [style.member(key, value, indent, spread=spread) for key, value in new.items()]
        yield last.end, last.end, "".join(f",{lead}{each}" for each in texts)


def _removed(members: Sequence[Item], keys: Sequence[str]) -> Iterator[Replacement]:
    """The removal of members, each with one comma."""
    is_first = True
    for index, member in enumerate(members):
        if member.key not in keys:
            is_first = False
        elif is_first:  # There is a next one, because the id stays.
            yield member.begin, members[index + 1].begin, ""
        else:
            yield members[index - 1].end, member.end, ""


def _rewritten(text: str, member: Item, value: object, style: Style) -> str:
    """The text of a new value in place of an old one."""
    old = text[member.start : member.end]
    had_items = isinstance(member.value, (list, dict)) and bool(member.value)
    spread = has_line_end(old) if had_items else style.is_spread and has_line_end(member.lead)
    return style.value(value, indent_at(text, member.begin), spread=spread)


def _appended(
    text: str,
    features: Item,
    listed: Sequence[Item],
    added: Sequence[Mapping[str, object]],
    style: Style,
) -> Replacement:
    """The new features, after the last one, or in place of an empty array."""
    if listed:
        layout = layout_like(text, listed, style)
        texts = [f",{layout.lead}{layout.feature(each, style)}" for each in added]
        return listed[-1].end, listed[-1].end, "".join(texts)
    layout, closing = layout_of_first(text, features, style)
    opening = layout.lead if has_line_end(layout.lead) else ""
    inner = f",{layout.lead}".join(layout.feature(each, style) for each in added)
    return features.start, features.end, f"[{opening}{inner}{closing}]"
