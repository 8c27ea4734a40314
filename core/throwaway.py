"""A temporary folder that goes with who made it; what a kill left, the next one takes away."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .errors import UserError
from .worktree import remove_tree

PREFIX = "rorchestrator-rehearsal-"


@contextmanager
def throwaway() -> Iterator[str]:
    """A folder below ``TMPDIR``; it is removed in the end, with all that is in it.

    While it is in use it is locked, and a lock can't outlive its process: so what is not locked
    was left by one that was killed, and is removed first. Raises :class:`UserError` where no
    folder can be made.
    """
    parent = os.path.realpath(tempfile.gettempdir())
    for left in find(parent):
        _remove_unused(left)
    try:
        path, lock = _make(parent)
    except OSError as error:
        raise UserError(
            f"no folder can be made in {parent}: {error.strerror}", hint="set TMPDIR to another one"
        ) from None
    try:
        yield path
    finally:
        remove_tree(path)
        os.close(lock)


def find(parent: str) -> list[str]:
    """The folders of this kind in ``parent`` that are ours, in use or not."""
    paths = (os.path.join(parent, name) for name in os.listdir(parent) if name.startswith(PREFIX))
    return sorted(path for path in paths if _is_ours(path))


def _is_ours(path: str) -> bool:
    with suppress(FileNotFoundError):
        info = os.lstat(path)
        return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid()
    return False


def _make(parent: str) -> tuple[str, int]:
    """A new folder and its lock."""
    while True:
        path = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
        with suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.isdir(path):
                return path, lock
            os.close(lock)  # Who looked for what is left was quicker than our lock.


def _remove_unused(path: str) -> None:
    with suppress(FileNotFoundError):
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(path)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
