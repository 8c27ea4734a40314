"""Copies folders file by file, copy-on-write where the file system can, and fingerprints them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable

from .copy_link import CHUNK_BYTES, FICLONE, never_stopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Stamp = tuple[Union[str, int], ...]
    CloneAt = Callable[[int, int, bytes, int], int]

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

HERE = -2
"""``AT_FDCWD`` of macOS."""


class FileCopier:
    """Copies regular files with modes and times. It remembers whether files can be cloned."""

    def __init__(self, clone_at: CloneAt | None = None) -> None:
        self._clone_at = clone_at or _system_clone()
        self.clones = True
        """Whether the file system clones, as far as is known."""

    def copy(self, source: str, target: str) -> os.stat_result:
        """Copy a file to a new path; the status of the source, read after its content.

        Raises ``OSError``, also if it is no regular file.
        """
        reading = os.open(source, READ)
        try:
            info = os.fstat(reading)
            if not stat.S_ISREG(info.st_mode):
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), source)
            if self._cloned_whole(reading, target):
                return os.fstat(reading)
            writing = os.open(target, WRITE, 0o600)
            try:
                self._fill(reading, writing)
                info = os.fstat(reading)
                os.fchmod(writing, info.st_mode & 0o777)
                os.utime(writing, ns=(info.st_atime_ns, info.st_mtime_ns))
            finally:
                os.close(writing)
            return info
        finally:
            os.close(reading)

    def _cloned_whole(self, reading: int, target: str) -> bool:
        """Clone with mode and times, as only macOS does."""
        if self._clone_at is None:
            return False
        if self._clone_at(reading, HERE, os.fsencode(target), 0):
            self._clone_at = None  # Another file system.
            return False
        return True

    def _fill(self, reading: int, writing: int) -> None:
        import fcntl

        if self.clones:
            try:
                fcntl.ioctl(writing, FICLONE, reading)
                return
            except OSError:
                self.clones = False
        while chunk := os.read(reading, CHUNK_BYTES):
            while chunk:
                chunk = chunk[os.write(writing, chunk) :]


def _system_clone() -> CloneAt | None:
    """The call of macOS that clones an open file; ``None`` elsewhere."""
    import ctypes

    call: CloneAt | None = getattr(ctypes.CDLL(None), "fclonefileat", None)
    return call


def copy_folder(
    source: str,
    target: str,
    name: str,
    copier: FileCopier,
    stopped: Callable[[], bool] = never_stopped,
) -> list[Stamp]:
    """Copy a folder to a new path; the stamps of the source, whose paths begin with ``name``.

    Links stay links. Raises ``OSError``, also once ``stopped()``, and for special files.
    """
    return _walk(source, target, name, copier, stopped)


def stamps_of(folder: str, name: str) -> list[Stamp]:
    """The stamps of a folder, as a copy of it would return them. Raises ``OSError``."""
    return _walk(folder, "", name, None, never_stopped)


def _walk(
    source: str, target: str, name: str, copier: FileCopier | None, stopped: Callable[[], bool]
) -> list[Stamp]:
    stamps: list[Stamp] = []
    made: list[tuple[str, os.stat_result]] = []
    todo = [(source, target, name)]
    while todo:
        one, other, name = todo.pop()
        if stopped():
            raise InterruptedError("stopped")
        info = os.lstat(one)
        stamps.append((f"{name}/", stat.S_IMODE(info.st_mode)))
        if copier is not None:
            os.mkdir(other, 0o700)
            made.append((other, info))
        with os.scandir(one) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            below, into = f"{name}/{entry.name}", f"{other}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                todo.append((entry.path, into, below))
            elif entry.is_symlink():
                words = os.readlink(entry.path)
                stamps.append((below, words))
                if copier is not None:
                    _link(words, into, entry.stat(follow_symlinks=False))
            elif copier is not None:
                stamps.append(_stamp(below, copier.copy(entry.path, into)))
            else:
                stamps.append(_stamp(below, os.lstat(entry.path)))
    for other, info in reversed(made):
        os.chmod(other, stat.S_IMODE(info.st_mode))
        os.utime(other, ns=(info.st_atime_ns, info.st_mtime_ns))
    return stamps


def _link(words: str, path: str, info: os.stat_result) -> None:
    os.symlink(words, path)
    if os.utime in os.supports_follow_symlinks:
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns), follow_symlinks=False)


def _stamp(name: str, info: os.stat_result) -> Stamp:
    # Nobody can set the time of change back: whoever writes into a file leaves a trace.
    return (name, info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def digest_of(names: Iterable[str], stamps: Iterable[Stamp]) -> str:
    """The digest of folders by their names and stamps."""
    import hashlib  # slow to import

    told = repr((list(names), list(stamps))).encode("utf-8", "surrogateescape")
    return hashlib.sha256(told).hexdigest()
