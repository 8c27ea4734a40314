"""Ignored files of the main checkout that a worktree needs: copied, or linked."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress

from .errors import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

FICLONE = 0x40049409
"""ioctl_ficlone(2): the copy shares its blocks with the original until one is written to."""

CHUNK_BYTES = 1024 * 1024

MEND = "mend project.copy and project.link"


def matching(top: str, patterns: Iterable[str], *, less: str = "") -> list[str]:
    """The paths below ``top`` that match, relative to it; ``**`` goes through folders.

    ``less`` is a folder whose files don't count: there are the worktrees. Raises
    :class:`UserError` for a pattern that matches nothing, and for a path that leads out of
    ``top`` through a symbolic link, or into git's own folder.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        paths = sorted(_paths(top, pattern, less))
        paths = [path for path in paths if not (less and _is_inside(path, less))]
        if not paths:
            raise UserError(f"{pattern} matches nothing in {top}", hint=MEND)
        found.update((os.path.relpath(path, top), None) for path in paths)
    for name in found:
        _check_inside(top, name)
    return [name for name in found if not _is_below(name, found)]


def _paths(top: str, pattern: str, less: str) -> Iterable[str]:
    """The paths that match. What ``**`` leads to is not looked into: it is taken as a whole."""
    head, stars, rest = pattern.partition("**/")
    if not (stars and rest) or "**" in rest or not (head == "" or head.endswith("/")):
        return glob.glob(os.path.join(glob.escape(top), pattern), recursive=True)
    found: dict[str, None] = {}
    pending = glob.glob(os.path.join(glob.escape(top), head)) if head else [top]
    while pending:
        folder = pending.pop()
        found.update(dict.fromkeys(glob.glob(os.path.join(glob.escape(folder), rest))))
        with suppress(OSError), os.scandir(folder) as entries:
            pending += [e.path for e in entries if _may_hold(e) and e.path not in found]
        pending = [path for path in pending if path != less]
    return found


def _may_hold(entry: os.DirEntry[str]) -> bool:
    """Whether ``**`` leads through a folder: not through links, which may lead in a circle."""
    return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")


def _check_inside(top: str, name: str) -> None:
    path = os.path.join(top, name)
    if os.path.realpath(path) == os.path.realpath(top) or not _is_inside(path, top):
        raise UserError(f"{name} is not inside {top}", hint=MEND)
    if ".git" in name.lower().split(os.sep):
        raise UserError(f"{name} belongs to git itself", hint=MEND)


def _is_inside(path: str, folder: str) -> bool:
    real = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(path), real]) == real


def _is_below(name: str, others: Iterable[str]) -> bool:
    parent = os.path.dirname(name)
    return bool(parent) and (parent in others or _is_below(parent, others))


def copy(top: str, name: str, worktree: str, stopped: Callable[[], bool], *, apart: str) -> None:
    """Copy a file or a folder to where nothing is. Raises ``OSError``, also once ``stopped()``.

    It comes whole from ``apart``, a folder on the same file system that is made for it: what fails,
    or is killed, leaves its part there, for the caller to remove. What is neither a file nor a
    folder nor a link, as a socket, is left out.
    """
    source, target = os.path.join(top, name), _place(worktree, name)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.mkdir(apart, 0o700)
    whole = os.path.join(apart, os.path.basename(name))
    _copy_all(source, whole, stopped)
    mode = stat.S_IMODE(os.lstat(whole).st_mode)
    if os.path.isdir(whole):
        os.chmod(whole, mode | stat.S_IRWXU)  # else it could not be moved to another folder
        os.rename(whole, target)
        os.chmod(target, mode)
    else:
        os.rename(whole, target)
    os.rmdir(apart)


def _copy_all(source: str, target: str, stopped: Callable[[], bool]) -> None:
    def clone_one(one: str, other: str) -> None:
        if stopped():
            raise InterruptedError("stopped")
        clone(one, other, stopped)

    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True, ignore=_special, copy_function=clone_one)
    else:
        clone_one(source, target)


def _special(folder: str, names: list[str]) -> set[str]:
    """The sockets, pipes and devices of a folder: to open one may take for ever."""
    kinds = {name: os.lstat(os.path.join(folder, name)).st_mode for name in names}
    plain = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    return {name for name, mode in kinds.items() if not any(is_kind(mode) for is_kind in plain)}


def link(top: str, name: str, worktree: str) -> None:
    """Make a symbolic link to a file or a folder, where nothing is. Raises ``OSError``."""
    os.symlink(os.path.join(os.path.realpath(top), name), _place(worktree, name))


def _place(worktree: str, name: str) -> str:
    """Where a file goes; its folder is made, and must not lead out of the worktree."""
    target = os.path.join(worktree, name)
    folder = os.path.dirname(target)
    if not _is_inside(folder, worktree):
        raise OSError(f"{name} would be written outside of {worktree}")
    os.makedirs(folder, exist_ok=True)
    return target


def clone(source: str, target: str, stopped: Callable[[], bool] = lambda: False) -> None:
    """Copy one file with its mode and times, at no cost where the file system can.

    Where that fails, or once ``stopped()``, there is no part of a copy, and an ``OSError``.
    """
    import fcntl

    if not os.path.isfile(source):
        raise OSError(f"{source} is no file")
    with open(source, "rb") as reading, open(target, "xb", opener=_for_us_alone) as writing:
        try:
            fcntl.ioctl(writing.fileno(), FICLONE, reading.fileno())
        except OSError:
            _copy(reading, writing, stopped)
    shutil.copystat(source, target)


def _copy(reading: BinaryIO, writing: BinaryIO, stopped: Callable[[], bool]) -> None:
    try:
        while chunk := reading.read(CHUNK_BYTES):
            if stopped():
                raise InterruptedError("stopped")
            writing.write(chunk)
    except OSError:
        os.unlink(writing.name)
        raise


def _for_us_alone(path: str, flags: int) -> int:
    # Until it has the mode of its source, which may be a secret.
    return os.open(path, flags, 0o600)
