"""Stamps of files: what changes whenever a file is written or replaced."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SETTLED_NS = 50_000_000
COARSE_NS = 3_000_000_000
"""A file that changed more recently may change again and keep its stamp: file systems count in
ticks of some milliseconds, or in seconds."""

Stamp = tuple[int, ...]


def stamps_of(files: Iterable[str]) -> dict[str, Stamp]:
    """The stamp of each file that exists."""
    return {file: stamp for file in files if (stamp := stamp_of(file))}


def stamp_of(path: str) -> Stamp:
    """Changes whenever a file or the target of a link is written or replaced; else empty."""
    own = looked_at(os.lstat, path)
    return (*own, *looked_at(os.stat, path)) if own and stat.S_ISLNK(own[1]) else own


def looked_at(look: Callable[[str], os.stat_result], path: str) -> Stamp:
    """The stamp of what ``look`` finds; empty if that is nothing."""
    try:
        info = look(path)
    except OSError:
        return ()
    return info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def is_settled(stamp: Stamp, now: int) -> bool:
    """Whether every later change gets another stamp."""
    return bool(stamp) and now - stamp[-1] > (SETTLED_NS if stamp[-1] % 10**9 else COARSE_NS)
