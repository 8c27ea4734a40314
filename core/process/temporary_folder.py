"""Locked temporary folders below TMPDIR, removed at exit; leftovers of killed processes too."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..model.errors import UserError
from ..model.translate import N_

PREFIX = "rorchestrator-throwaway-"


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A new folder below ``TMPDIR``, removed at the end.

    It is locked while in use. A lock ends with its process, so unlocked folders are leftovers of
    killed processes and are removed first. Raises :class:`UserError` if no folder can be created.
    """
    clear()
    parent = _parent()
    try:
        path, lock = _make(parent)
    except OSError as error:
        raise UserError(
            N_("no folder can be created in {parent}: {strerror}").format(
                parent=parent, strerror=error.strerror
            ),
            hint=N_("set TMPDIR to another one"),
        ) from None
    try:
        yield path
    finally:
        remove_tree(path)
        os.close(lock)


def clear() -> None:
    """Remove leftovers of killed processes."""
    for left in find(_parent()):
        _remove_unused(left)


def _parent() -> str:
    import tempfile  # few commands need it

    return os.path.realpath(tempfile.gettempdir())


def find(parent: str) -> list[str]:
    """Our temporary folders in ``parent``, in use or not."""
    paths = (os.path.join(parent, name) for name in os.listdir(parent) if name.startswith(PREFIX))
    return sorted(path for path in paths if _is_ours(path))


def _is_ours(path: str) -> bool:
    with suppress(FileNotFoundError):
        info = os.lstat(path)
        return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid()
    return False


def _make(parent: str) -> tuple[str, int]:
    """A new folder and its lock."""
    import tempfile

    while True:
        path = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
        with suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.isdir(path):
                return path, lock
            os.close(lock)  # Another process removed it before we had the lock.


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


def remove_tree(path: str) -> None:
    """Remove a folder with everything in it, as far as possible."""
    import shutil  # few commands need it

    with suppress(RecursionError):  # a thousand nested folders, before Python 3.13
        shutil.rmtree(path, ignore_errors=True)
        if os.path.isdir(path) and not os.path.islink(path):
            # Some package caches have read-only folders.
            for folder, _, _ in os.walk(path):
                with suppress(OSError):  # another user's
                    os.chmod(folder, 0o700)
            shutil.rmtree(path, ignore_errors=True)
