"""Whether a folder that setup made means the same in another worktree."""

from __future__ import annotations

import os
import re
import stat

from ..model.errors import UserError
from ..model.translate import N_
from .copy_link import is_inside

TEXT_BYTES = 1024 * 1024
"""Larger files are not searched: scripts and settings are small."""

BINARY_BYTES = 8192
"""A file with a NUL in its beginning is no text."""

LEFT_BY_BUILDS = re.compile(
    r"/build/(?:(?:.*/)?(?:Makefile|config\.gypi|[^/]*\.(?:mk|d))|node_gyp_bins/[^/]*)\Z"
)
"""What node-gyp leaves of a build, with paths that nothing reads afterwards."""

BLOCK_BYTES = 4096

VIRTUAL = "pyvenv.cfg"
"""The file that makes a folder a virtual environment of Python."""


class NotStored(UserError):
    """Why a folder is not stored for other worktrees."""


def check_relocatable(worktree: str, name: str) -> int:
    """The bytes that a folder takes on a disk.

    Raises :class:`NotStored` if a copy in another worktree could be wrong: if a file contains the
    path of its worktree, if a link leads out of the worktree, or if a file can't be copied.
    """
    top = os.path.realpath(worktree)
    needles = {os.fsencode(top), os.fsencode(worktree)}
    size = 0
    todo = [name]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(os.path.join(worktree, folder)) as entries:
                for entry in entries:
                    below = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False) and entry.name != ".git":
                        todo.append(below)
                    else:
                        size += _check(entry, below, top, needles)
        except OSError as error:
            why = N_("{name} can't be read: {why}")
            raise NotStored(why.format(name=folder, why=error.strerror)) from None
    return size


def on_disk(size: int) -> int:
    """What a file of this size takes on most disks."""
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def _check(entry: os.DirEntry[str], name: str, top: str, needles: set[bytes]) -> int:
    """The bytes of an entry that is no folder."""
    info = entry.stat(follow_symlinks=False)
    if entry.name == ".git":
        raise NotStored(N_("{name} is a git repository").format(name=os.path.dirname(name)))
    if entry.name == VIRTUAL:
        raise NotStored(
            N_("{name} is a virtual environment, whose scripts contain absolute paths").format(
                name=os.path.dirname(name)
            )
        )
    if info.st_uid != os.geteuid():
        raise NotStored(N_("{name} belongs to another user").format(name=name))
    if stat.S_ISLNK(info.st_mode):
        if _leads_out(entry.path, top) and not LEFT_BY_BUILDS.search(f"/{name}"):
            raise NotStored(
                N_("{name} is a link to {target}, outside of the worktree").format(
                    name=name, target=os.readlink(entry.path)
                )
            )
    elif not stat.S_ISREG(info.st_mode):
        raise NotStored(N_("{name} is a pipe, a socket or a device").format(name=name))
    elif info.st_size <= TEXT_BYTES and not LEFT_BY_BUILDS.search(f"/{name}"):
        _check_text(entry.path, name, needles)
    return on_disk(info.st_size) if stat.S_ISREG(info.st_mode) else 0


def _leads_out(path: str, top: str) -> bool:
    words = os.readlink(path)
    if os.path.isabs(words):
        return True
    place = os.path.normpath(os.path.join(os.path.realpath(os.path.dirname(path)), words))
    inner = os.path.relpath(place, top).split(os.sep)
    return inner[0] in (os.pardir, ".git") or not is_inside(path, top)


def _check_text(path: str, name: str, needles: set[bytes]) -> None:
    with open(path, "rb", buffering=0) as file:
        content = file.read()
    if any(needle in content for needle in needles) and b"\0" not in content[:BINARY_BYTES]:
        raise NotStored(N_("{name} contains the path of its worktree").format(name=name))
