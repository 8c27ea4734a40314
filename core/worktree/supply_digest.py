"""The digest of what `copy` brought into a worktree: a check that passed without it has to repeat.

It is kept in git's folder of the worktree: removed with it, and available after a kill.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from ..journal import private_files
from . import baseline

FILE = "rorchestrator-supplies"

BY_CONTENT_BYTES = 16 * 1024 * 1024
"""A larger file, and every file in a copied folder, counts by size and time."""


def digest_of(top: str, names: Iterable[str]) -> str:
    """A hash of files and folders below ``top``; empty without any. Raises ``OSError``."""
    import hashlib  # slow to import

    digest = hashlib.sha256()
    parts = [part for name in sorted(names) for part in _parts(top, name)]
    digest.update(repr(parts).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:20] if parts else ""


def _parts(top: str, name: str) -> Iterator[tuple[object, ...]]:
    path = os.path.join(top, name)
    info = os.lstat(path)
    if stat.S_ISDIR(info.st_mode):
        yield from _entries(path, name)
    elif info.st_size <= BY_CONTENT_BYTES:
        yield name, baseline.content_of(top, name)
    else:
        yield _stamp(name, info)


def _entries(path: str, name: str) -> Iterator[tuple[object, ...]]:
    """The files in a folder. A copy keeps their times, links keep their targets."""
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            below = f"{name}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path, below)
            elif entry.is_symlink():
                yield below, os.readlink(entry.path)
            else:
                yield _stamp(below, entry.stat(follow_symlinks=False))


def _stamp(name: str, info: os.stat_result) -> tuple[object, ...]:
    return name, info.st_mode, info.st_size, info.st_mtime_ns


def save(folder: str, digest: str) -> None:
    """Write a digest into the git folder of its worktree. Raises ``OSError``."""
    path = os.path.join(folder, FILE)
    descriptor = private_files.open_file(f"{path}.new", os.O_WRONLY | os.O_TRUNC)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(digest)
    os.replace(f"{path}.new", path)


def load(folder: str) -> str:
    """The digest for a worktree; empty if nothing was copied, or by an older version."""
    try:
        with open(os.path.join(folder, FILE), "rb", opener=private_files.only_regular) as file:
            return file.read(100).decode("ascii", "replace")
    except OSError:
        return ""
