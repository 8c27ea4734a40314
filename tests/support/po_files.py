"""Reads and writes the two files of a catalogue: ``.po``, the source, and ``.mo``, for gettext."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

HEADER = """\
Language: fr
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
Plural-Forms: nplurals=2; plural=(n > 1);
"""


@dataclass
class Entry:
    """A sentence and its translations: one, or with ``many`` those for one and for many things."""

    text: str
    many: str = ""
    said: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    fuzzy: bool = False
    """The sentence was changed since it was translated."""

    @property
    def is_translated(self) -> bool:
        """Whether it can be shown."""
        return not self.fuzzy and len(self.said) == (2 if self.many else 1) and all(self.said)


_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr|msgstr\[\d\]) )?(".*")$')


def read(text: str) -> list[Entry]:
    """The entries of a ``.po`` file, without its header."""
    entries: list[Entry] = []
    for block in text.split("\n\n"):
        parts: dict[str, str] = {}
        entry, key = Entry(""), ""
        for line in block.splitlines():
            if line.startswith("#:"):
                entry.places += line[2:].split()
            elif line.startswith("#,"):
                entry.fuzzy = "fuzzy" in line
            elif found := _LINE.match(line):
                key = found[1] or key
                parts[key] = parts.get(key, "") + ast.literal_eval(found[2])
            elif line and not line.startswith("#"):
                raise ValueError(f"not a line of a .po file: {line!r}")
        entry.text, entry.many = parts.pop("msgid", ""), parts.pop("msgid_plural", "")
        entry.said = list(parts.values())
        if entry.text:
            entries.append(entry)
    return entries


def written(entries: Iterable[Entry]) -> str:
    """The ``.po`` file of the entries."""
    blocks = ["\n".join(["# French sentences of RoRchestrator", *_part("msgid", ""), *_head()])]
    blocks += ["\n".join(_block(each)) for each in entries]
    return "\n\n".join(blocks) + "\n"


def _head() -> Iterator[str]:
    return _part("msgstr", HEADER)


def _block(entry: Entry) -> Iterator[str]:
    yield f"#: {' '.join(entry.places)}"
    if entry.fuzzy:
        yield "#, fuzzy"
    yield from _part("msgid", entry.text)
    if not entry.many:
        yield from _part("msgstr", "".join(entry.said[:1]))
        return
    yield from _part("msgid_plural", entry.many)
    for number, said in enumerate([*entry.said, "", ""][:2]):
        yield from _part(f"msgstr[{number}]", said)


def _part(key: str, text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        yield f"{key} {_quoted(text)}"
        return
    yield f'{key} ""'
    yield from map(_quoted, lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("\n", "\\n").replace("\t", "\\t")


def compiled(entries: Iterable[Entry]) -> bytes:
    """The ``.mo`` file of the entries that are translated; its format is in gettext's manual."""
    pairs = {"": HEADER}
    for each in entries:
        if each.is_translated:
            key = f"{each.text}\0{each.many}" if each.many else each.text
            pairs[key] = "\0".join(each.said)
    coded = sorted((key.encode(), said.encode()) for key, said in pairs.items())
    start = 28 + 16 * len(coded)
    tables: tuple[list[int], list[int]] = [], []
    strings = b""
    for which, table in enumerate(tables):
        for pair in coded:
            table += len(pair[which]), start + len(strings)
            strings += pair[which] + b"\0"
    ends = (28, 28 + 8 * len(coded), 0, start)
    head = struct.pack("<7I", 0x950412DE, 0, len(coded), *ends)
    return head + struct.pack(f"<{4 * len(coded)}I", *tables[0], *tables[1]) + strings
