"""Ignored files of the main checkout that a worktree needs: copied, or linked."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable, Iterable

from .errors import UserError

FICLONE = 0x40049409
"""ioctl_ficlone(2): the copy shares its blocks with the original until one is written to."""


def matching(top: str, patterns: Iterable[str]) -> list[str]:
    """The paths below ``top`` that match, relative to it; ``**`` goes through folders.

    Raises :class:`UserError` for a pattern that matches nothing, and for a path that leads out
    of ``top`` through a symbolic link.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        names = glob.glob(os.path.join(glob.escape(top), pattern), recursive=True)
        if not names:
            raise UserError(
                f"{pattern} matches nothing in {top}", hint="mend project.copy and project.link"
            )
        found.update((os.path.relpath(name, top), None) for name in sorted(names))
    for name in found:
        _check_inside(top, name)
    return [name for name in found if not _is_below(name, found)]


def _check_inside(top: str, name: str) -> None:
    real, folder = os.path.realpath(os.path.join(top, name)), os.path.realpath(top)
    if real == folder or os.path.commonpath([real, folder]) != folder:
        raise UserError(f"{name} is not inside {top}", hint="mend project.copy and project.link")


def _is_below(name: str, others: Iterable[str]) -> bool:
    parent = os.path.dirname(name)
    return bool(parent) and (parent in others or _is_below(parent, others))


def copy(top: str, name: str, worktree: str) -> None:
    """Copy a file or a folder; what is there already is left as it is. Raises ``OSError``."""
    source, target = os.path.join(top, name), _place(worktree, name)
    if os.path.isdir(source):
        _unless_there(target, lambda: shutil.copytree(source, target, True, None, clone))
    else:
        _unless_there(target, lambda: clone(source, target))


def link(top: str, name: str, worktree: str) -> None:
    """Make a symbolic link to a file or a folder; what is there already is left as it is."""
    target = _place(worktree, name)
    _unless_there(target, lambda: os.symlink(os.path.join(os.path.realpath(top), name), target))


def _place(worktree: str, name: str) -> str:
    """Where a file goes; its folder is made, and must not lead out of the worktree."""
    target = os.path.join(worktree, name)
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    real = os.path.realpath(worktree)
    if os.path.commonpath([os.path.realpath(folder), real]) != real:
        raise OSError(f"{name} would be written outside of {worktree}")
    return target


def _unless_there(target: str, make: Callable[[], object]) -> None:
    if not os.path.lexists(target):
        make()


def clone(source: str, target: str) -> str:
    """Copy one file with its mode and times, at no cost where the file system can."""
    import fcntl

    with open(source, "rb") as reading, open(target, "xb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), FICLONE, reading.fileno())
        except OSError:
            shutil.copyfileobj(reading, writing, 1024 * 1024)
    shutil.copystat(source, target)
    return target
