"""What a prompt says about its work: the files that it writes, the names that it makes or uses.

It reads words, not sentences: of the verbs before a path or name, the nearest one decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from ...model.frozen import dataclass, field
from ..prompt_text import ENDINGS, Line, is_command, lines_of

WRITES = (
    *("add", "adds", "append", "build", "change", "changes", "create", "creates", "define"),
    *("defines", "delete", "edit", "extend", "extends", "fix", "generate", "implement"),
    *("implements", "introduce", "modify", "move", "provide", "provides", "put", "refactor"),
    *("register", "remove", "rename", "replace", "rewrite", "split", "update", "write", "writes"),
    *("new", "class", "module", "function", "method"),
)
"""Words before what is written."""

READS = (
    *("as", "after", "beside", "by", "call", "calls", "exists", "follow", "follows", "from"),
    *("import", "imports", "inherit", "inherits", "like", "of", "on", "read", "reads", "reuse"),
    *("run", "runs", "see", "through", "unlike", "use", "uses", "using", "via"),
)
"""Words before what is only used. They end the effect of a verb before them."""

_CUE = re.compile(rf"\b(?:({'|'.join(WRITES)})|({'|'.join(READS)}))\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.;:]\s+|,? but | – |\n")
_NEGATED = re.compile(
    r"\b(?:do not|don't|never|must not|may not|should not|nothing|no longer|out of scope|later"
    r"|another feature|not part of|unchanged|not changed|instead of)\b",
    re.IGNORECASE,
)
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"\s*#+\s*(.*)")
_FILES = re.compile(r"\b(?:files?|deliverables?|outputs?|creates?|changes?)\b", re.IGNORECASE)
_ROW = re.compile(r"\s*(?:\||[-*+] |\d+[.)] )")
_PATH = re.compile(r"(?:\./)?((?:[\w.@-]+/)*[\w@-][\w.@-]*\.([A-Za-z]\w{0,7})|(?:[\w.@-]+/)+)\Z")
_BARE = re.compile(
    r"(?<![\w/:.@$~{}*<>`-])(?:\./)?([\w.@-]+(?:/[\w.@-]+)+\.[A-Za-z]\w{0,7})(?![\w/*{<`])"
)
_NAME = re.compile(r"([A-Za-z_]\w*(?:(?:\.|::|#)[A-Za-z_]\w*)*[?!]?)(?:\(.*\))?\Z")
_DEFINES = re.compile(
    r"\s*(?:(?:export|public|abstract|final|async|default|pub)\s+)*"
    r"(?:class|def|function|func|fn|interface|struct|enum|trait|module|type)\s+"
    r"(?:self\.)?([A-Za-z_]\w*(?:::\w+)*[?!]?)"
)

SHORTEST = 3
"""Characters of a name that is worth looking up."""

LONGEST = 100_000
"""Characters of a prompt that are read."""

LONGEST_LINE = 2_000
"""Characters of a line that are read."""


@dataclass(frozen=True)
class Said:
    """What a prompt says, each path or name with its first line."""

    writes: dict[str, int] = field(default_factory=dict)
    """Files that it creates or changes."""
    makes: dict[str, int] = field(default_factory=dict)
    """Names that it is going to define."""
    uses: dict[str, int] = field(default_factory=dict)
    """Paths and names that it mentions beside these, if it does not rule them out."""


@cache  # After each accepted finding, all findings are computed again.
def said_by(text: str) -> Said:
    """What a prompt says; nobody may change it."""
    said = Said()
    lists_files = False
    for line in lines_of(text[:LONGEST]):
        if line.language is not None:
            found = _DEFINES.match(line.text)
            if found and is_distinctive(found[1]):
                said.makes.setdefault(found[1], line.number)
            continue
        heading = _HEADING.match(line.text)
        if heading:
            lists_files = bool(_FILES.search(heading[1]) and not _NEGATED.search(heading[1]))
        elif lists_files and _ROW.match(line.text):
            if not _NEGATED.search(line.text):
                _read_row(line, said)
        else:
            _read_prose(line, said)
    for known in (*said.writes, *said.makes):
        said.uses.pop(known, None)
    return said


def path_in(word: str) -> str:
    """The path in a word, without ``./``; empty if the word is not a path."""
    found = _PATH.match(word.strip())
    if found is None or found[1].startswith("..") or "//" in found[1]:
        return ""
    if found[2] and "/" not in found[1] and found[2].lower() not in ENDINGS:
        return ""
    return found[1]


def name_in(word: str) -> str:
    """The name of code in a word, without parameters; empty if the word is not a name."""
    found = _NAME.match(word.strip())
    return found[1] if found and len(found[1]) >= SHORTEST else ""


def is_distinctive(name: str) -> bool:
    """Whether a name is no ordinary word: it has a capital inside, an underscore or a dot."""
    return len(name) > SHORTEST and bool(re.search(r"[a-z\d][A-Z]|\w_\w|[.:#]|\A[A-Z][a-z]", name))


def _read_row(line: Line, said: Said) -> None:
    """A row of a list of files: it writes the path that comes first, and makes the names after."""
    spans = _SPAN.findall(line.text[:LONGEST_LINE]) or _BARE.findall(line.text[:LONGEST_LINE])[:1]
    path = path_in(spans[0]) if spans else ""
    if not path:
        _read_prose(line, said)
        return
    said.writes.setdefault(path, line.number)
    for span in spans[1:]:
        name = name_in(span)
        if path_in(span):
            said.uses.setdefault(path_in(span), line.number)
        elif is_distinctive(name):
            said.makes.setdefault(name, line.number)


def _read_prose(line: Line, said: Said) -> None:
    if "`" not in line.text and "/" not in line.text:
        return
    for clause in _CLAUSE.split(line.text[:LONGEST_LINE]):
        words = list(_words(clause))
        if not words or _NEGATED.search(clause):
            continue
        verbs = [(cue.start(), bool(cue[1])) for cue in _CUE.finditer(_without_code(clause))]
        for start, word in words:
            path, name = path_in(word), name_in(word)
            wanted = _is_written(verbs, start)
            if path:
                (said.writes if wanted else said.uses).setdefault(path, line.number)
            elif name and not is_command(word):
                # A name with a dot is mostly one of a library.
                made = wanted and is_distinctive(name) and name.isidentifier()
                (said.makes if made else said.uses).setdefault(name, line.number)
                owner = re.split(r"\.|::|#", name)[0]
                if owner != name and len(owner) >= SHORTEST:
                    said.uses.setdefault(owner, line.number)


def _words(clause: str) -> Iterator[tuple[int, str]]:
    """What stands between backticks, and bare paths, each with its place."""
    for span in _SPAN.finditer(clause):
        yield span.start(), span[1]
    if "/" in clause:
        for bare in _BARE.finditer(_without_code(clause)):
            yield bare.start(), bare[1]


def _without_code(clause: str) -> str:
    """A clause with blanks in place of its code."""
    return _SPAN.sub(lambda found: " " * len(found[0]), clause)


def _is_written(verbs: list[tuple[int, bool]], start: int) -> bool:
    """Whether what begins at ``start`` is written: by the nearest of the verbs before it."""
    return next((writes for place, writes in reversed(verbs) if place < start), False)
