"""The change of a file as a patch that ``git apply`` takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

AROUND = 3
"""Unchanged lines that a patch shows around each change."""


def patch(name: str, old: bytes, new: bytes) -> bytes:
    """The patch from ``old`` to ``new``; empty if they are the same. ``name`` has slashes."""
    if old == new:
        return b""
    before, after = _lines(old), _lines(new)
    ours, theirs = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    # A tab ends a name with blanks.
    end = b"\t\n" if " " in name and not ours.startswith(b'"') else b"\n"
    head = b"diff --git %b %b\n--- %b%b+++ %b%b" % (ours, theirs, ours, end, theirs, end)
    matcher = SequenceMatcher(None, before, after)
    hunks = (b"".join(_hunk(group, before, after)) for group in matcher.get_grouped_opcodes(AROUND))
    return head + b"".join(hunks)


def _lines(content: bytes) -> list[bytes]:
    """The lines of a file, each with its end: only line feeds end lines, as for git."""
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]


def _hunk(
    group: Sequence[tuple[str, int, int, int, int]],
    before: Sequence[bytes],
    after: Sequence[bytes],
) -> Iterator[bytes]:
    first, last = group[0], group[-1]
    old, new = _range(first[1], last[2]), _range(first[3], last[4])
    yield b"@@ -%b +%b @@\n" % (old, new)
    for tag, start, stop, begin, end in group:
        if tag == "equal":
            yield from (_line(b" ", line) for line in before[start:stop])
        else:
            yield from (_line(b"-", line) for line in before[start:stop])
            yield from (_line(b"+", line) for line in after[begin:end])


def _range(start: int, stop: int) -> bytes:
    """The lines of a hunk: an empty one stands behind the line before it."""
    count = stop - start
    return b"%d,%d" % (start + 1 if count else start, count)


def _line(sign: bytes, line: bytes) -> bytes:
    if line.endswith(b"\n"):
        return sign + line
    return sign + line + b"\n\\ No newline at end of file\n"


def _quoted(name: str) -> bytes:
    """A name as git quotes it: with escapes for control characters, quotes and other bytes."""
    spelled = name.encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in spelled):
        return spelled
    return b'"' + b"".join(map(_escaped, spelled)) + b'"'


def _escaped(byte: int) -> bytes:
    if byte in b'"\\':
        return b"\\" + bytes((byte,))
    return bytes((byte,)) if 0x20 <= byte < 0x7F else b"\\%03o" % byte
