"""Locked temporary folders below TMPDIR, removed at exit; leftovers of killed processes too."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from ..model.errors import UserError
from ..model.translate import N_

PREFIX = "rorchestrator-throwaway-"

_in_use: dict[str, ExitStack] = {}
"""By path, what removes each folder in use."""


class ScratchFolder:
    """A temporary folder, created on first use.

    It is removed with this object, or by :func:`remove_scratch_folders`.
    """

    def __init__(self) -> None:
        self._path = ""

    def folder(self, name: str) -> str:
        """A subfolder with this name."""
        path = os.path.join(self._path or self._make(), name)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name: str, content: bytes) -> str:
        """Write a file in it; its path. Raises :class:`UserError` if that fails."""
        try:
            path = os.path.join(self.folder(os.path.dirname(name)), os.path.basename(name))
            with open(path, "wb") as file:
                file.write(content)
        except OSError as error:
            raise UserError(
                N_("{name} could not be written in {path}: {strerror}").format(
                    name=name, path=self._path, strerror=error.strerror
                ),
                hint=N_("set TMPDIR to another folder"),
            ) from None
        return path

    def existing(self, name: str) -> str:
        """The subfolder with this name; empty if it was not created yet."""
        path = os.path.join(self._path, name)
        return path if self._path and os.path.isdir(path) else ""

    def _make(self) -> str:
        import weakref

        stack = ExitStack()
        self._path = stack.enter_context(temporary_folder())
        _in_use[self._path] = stack
        weakref.finalize(self, _remove_scratch_folder, self._path)
        return self._path


def _remove_scratch_folder(path: str) -> None:
    stack = _in_use.pop(path, None)
    if stack is not None:
        stack.close()


def remove_scratch_folders() -> None:
    """Remove all scratch folders at the end of a command."""
    for path in list(_in_use):
        _remove_scratch_folder(path)


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
