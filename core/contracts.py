"""What a feature's ``creates`` and ``uses`` promise, as far as that can be checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from .frozen import dataclass


class Kind(Enum):
    """What kind of thing is promised."""

    PATH = "path"
    SYMBOL = "symbol"
    COMMAND = "command"


@dataclass(frozen=True)
class Contract:
    """One promise: ``path:src/task.py``, ``symbol:TaskStorage``, ``command:make smoke``."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.what}"


def contracts(entries: Iterable[str]) -> list[Contract]:
    """The entries that can be checked; free text is documentation."""
    found = []
    for entry in entries:
        word, colon, what = entry.partition(":")
        if colon and what.strip() and word in {kind.value for kind in Kind}:
            found.append(Contract(Kind(word), what.strip()))
    return found


DEFINING = (
    *("class", "def", "function", "func", "fn", "fun", "interface", "type", "struct", "enum"),
    *("trait", "module", "namespace", "const", "let", "var", "val", "record", "object", "macro"),
    *("protocol", "extension", "typedef", "table", "view", "scope", "define", "public", "static"),
)
"""The words that stand before a name where it is defined, in the languages of today."""


def definition(symbol: str) -> str:
    """A POSIX extended regular expression for the lines that define ``symbol``.

    A word that defines, then the name, perhaps with a receiver (``self.name``, ``Type::name``,
    ``(t *T) name``) or modifiers between them; or the name at the beginning of a line, followed
    by ``=``, ``:`` or ``(``.
    """
    name = re.escape(symbol)
    end = "([^A-Za-z0-9_]|$)"
    words = "|".join(DEFINING)
    by_word = rf"(^|[^A-Za-z0-9_])({words})[ \t]+([^=;\"']*[^A-Za-z0-9_\"'=;])?{name}{end}"
    by_itself = rf"^[ \t]*(export[ \t]+)?{name}[ \t]*(=[^=]|:|\(.*\)[ \t]*(\{{|=>|:))"
    return f"{by_word}|{by_itself}"
