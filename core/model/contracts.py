"""Contracts: the entries of ``creates`` and ``uses`` that can be verified."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .frozen import Enum, dataclass
from .translate import N_


class Kind(Enum):
    """The kind of a contract."""

    PATH = "path"
    SYMBOL = "symbol"
    COMMAND = "command"


@dataclass(frozen=True)
class Contract:
    """One contract: ``path:src/task.py``, ``symbol:TaskStorage``, ``command:make smoke``."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.what}"


def contract(entry: str) -> Contract | None:
    """The contract of an entry; ``None`` if it is free text, which is documentation."""
    word, colon, what = entry.partition(":")
    if not colon or word not in {kind.value for kind in Kind}:
        return None
    return Contract(Kind(word), what.strip())


def contracts(entries: Iterable[str]) -> list[Contract]:
    """The contracts among the entries."""
    return [found for found in map(contract, entries) if found is not None]


def fault(promise: Contract) -> str:
    """Why a contract can never be kept; empty if it can."""
    if not promise.what:
        return N_("is incomplete: nothing follows the colon")
    parts = promise.what.split("/")
    if promise.kind is Kind.PATH and (parts[0] == "" or ".." in parts):
        return N_("is no path inside the repository")
    return ""


DEFINING = (
    *("class", "def", "function", "func", "fn", "fun", "interface", "type", "struct", "enum"),
    *("trait", "module", "namespace", "const", "let", "var", "val", "record", "object", "macro"),
    *("protocol", "extension", "typedef", "union", "message", "service", "package"),
    *("create_table", "scope", "define_method", "attr_accessor", "attr_reader", "attr_writer"),
    *("TABLE", "VIEW", "FUNCTION", "TYPE", "INDEX"),
)
"""The keywords before the name in a definition, in common languages."""

BETWEEN = ("async", "abstract", "final", "mut", "static", "inline", "data", "case", "sealed")
"""The modifiers between such a keyword and the name."""

TYPED = (
    *("public", "private", "protected", "internal", "static", "inline", "extern", "virtual"),
    *("void", "int", "long", "char", "bool", "float", "double", "unsigned"),
)
"""The beginnings of definitions that have a type instead of a keyword."""

PROSE = ("*.md", "*.rst", "*.txt", "*.adoc")
"""Files that mention names but define none."""


def definition(symbol: str) -> str:
    """A POSIX extended regular expression for the lines that define ``symbol``.

    It matches a keyword and the name, perhaps after a receiver (``self.name``, ``Type::name``,
    ``(t *T) name``); a type and the name; or the name at the beginning of the line, followed by
    ``=``, ``:`` or parameters. Of a dotted name, the last part counts. This is not a parser: it is
    wrong about block comments and about what a macro defines.
    """
    last = [part for part in re.split(r"::|[.#]", symbol) if part]
    name = re.sub(r"([][.{}()*+?^$|\\])", r"\\\1", last[-1] if last else symbol)
    gap, end = "[ \t]+", "([^A-Za-z0-9_]|$)"
    words, between, typed = ("|".join(each) for each in (DEFINING, BETWEEN, TYPED))
    code = "^([^#\"'/*]*[^A-Za-z0-9_#\"'/*.])?"
    receiver = r"(\([^()]*\)[ \t]*|[A-Za-z0-9_]+(\.|::)|[:`\"*&]|IF NOT EXISTS )*"
    by_word = f"{code}({words})[*]?{gap}(({words}|{between}){gap})*{receiver}{name}{end}"
    a_type = "(([^:=;\"'()]|::)*[^A-Za-z0-9_:=;\"'()])?"
    by_type = rf"^[ \t]*({typed})[ \t]+{a_type}{name}[ \t]*(\(|=[^=]|;)"
    by_itself = rf"^[ \t]*(export[ \t]+)?{name}[ \t]*(=[^=]|:|\(.*\)[ \t]*(\{{|=>|:))"
    macro = f"^[ \t]*#[ \t]*define{gap}{name}{end}"
    return f"{by_word}|{by_type}|{by_itself}|{macro}"
