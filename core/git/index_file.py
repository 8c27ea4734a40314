"""What the index of a worktree shows without git, and copies; format: gitformat-index(5)."""

from __future__ import annotations

import os

from ..journal import private_files
from ..model.frozen import dataclass
from .paths import first_line

ENTRY_BYTES = 62
"""Of an entry without its name, with ids of 20 bytes."""

MODE_AT, FLAGS_AT = 24, 60

SUBMODULE = 0o160000 >> 8 & 0xFF
"""The second byte of its mode."""

LONG_NAME = 0xFFF
"""The length in the flags of a name that is longer."""

SUM_BYTES = 20

MOST_BYTES = 512 * 1024
"""Some thousands of entries. git reads a larger index faster."""

MOST_SEARCHED_BYTES = 64 * 1024 * 1024
"""Some 600,000 entries."""

GITLINK = (0o160000).to_bytes(4, "big")
"""The mode of a submodule, in each version."""

PARTIAL = (b"link\0\0", b"sdir\0\0")
"""Begins of the extensions of an index that does not list each file: split, or sparse."""


def is_plain(path: str) -> bool:
    """Whether every entry of a worktree's index is a file or link, and none has a bit set.

    False says nothing: only version 2 with ids of 20 bytes is read, and nothing that git may add
    to it. Version 2 has no ``skip-worktree``. The checksum tells the length of the ids: an index
    with longer ones could be made to look plain.
    """
    try:
        return _is_plain(_content(path, MOST_BYTES))
    except (OSError, ValueError, IndexError):
        return False


def has_no_submodule(path: str) -> bool:
    """Whether no entry of a worktree's index is a submodule, however large. False says nothing."""
    try:
        index = _content(path, MOST_SEARCHED_BYTES)
    except OSError:
        return False
    is_whole = index[:4] == b"DIRC" and len(index) <= MOST_SEARCHED_BYTES
    return is_whole and not any(words in index for words in (GITLINK, *PARTIAL))


@dataclass(frozen=True)
class SavedIndex:
    """A copy of an index in our memory, which no command of the list can change."""

    content: bytes
    mtime_ns: int
    """git compares the content of files that are not older."""

    def put(self, path: str) -> None:
        """Write it to a path. Raises ``OSError``."""
        with open(path, "xb") as file:
            file.write(self.content)
        os.utime(path, ns=(self.mtime_ns, self.mtime_ns))


def saved(path: str) -> SavedIndex | None:
    """A copy of an index; ``None`` of one that is too large. Raises ``OSError``."""
    with open(path, "rb") as file:
        info = os.fstat(file.fileno())
        fits = info.st_size <= MOST_SEARCHED_BYTES
        return SavedIndex(file.read(), info.st_mtime_ns) if fits else None


def _content(path: str, most: int) -> bytes:
    gitfile = os.path.join(path, ".git")
    named = first_line(gitfile).partition(" ")[2] if os.path.isfile(gitfile) else ""
    admin = os.path.join(path, named) if named else gitfile
    index = private_files.only_regular(os.path.join(admin, "index"), os.O_RDONLY)
    try:
        # A buffer of the most bytes takes longer than the look itself.
        return os.read(index, min(os.fstat(index).st_size, most) + 1)
    finally:
        os.close(index)


def _is_plain(index: bytes) -> bool:
    if index[:8] != b"DIRC\0\0\0\2" or len(index) > MOST_BYTES:
        return False
    at = 12
    for _ in range(int.from_bytes(index[8:12], "big")):
        flags = index[at + FLAGS_AT]
        if flags & 0xC0 or index[at + MODE_AT + 2] == SUBMODULE:
            return False
        name = (flags & 0x0F) << 8 | index[at + FLAGS_AT + 1]
        if name == LONG_NAME:
            name = index.index(b"\0", at + ENTRY_BYTES) - at - ENTRY_BYTES
        at += (ENTRY_BYTES + name + 8) & ~7
    return _is_rest(index, at)


def _is_rest(index: bytes, at: int) -> bool:
    """Whether optional extensions follow, which change no entry, and the checksum."""
    while at < len(index) - SUM_BYTES:
        if not index[at : at + 1].isupper():
            return False  # such as a split index
        at += 8 + int.from_bytes(index[at + 4 : at + 8], "big")
    return at == len(index) - SUM_BYTES and _has_sum(index)


def _has_sum(index: bytes) -> bool:
    """Whether SHA-1 is the checksum, which ``index.skipHash`` leaves out."""
    import hashlib  # slow to import

    made = hashlib.sha1(index[:-SUM_BYTES], usedforsecurity=False)
    return made.digest() == index[-SUM_BYTES:]
