"""Entries that block git: FIFOs it would read, folders it cannot list, files in its way."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable

from ..model.frozen import dataclass

READ_BY_GIT = frozenset({".gitignore", ".gitattributes"})
"""git opens these in every folder, and blocks if one is a FIFO."""


@dataclass(frozen=True)
class UnreadableEntries:
    """Paths in a worktree; folders end with a slash."""

    pipes: tuple[str, ...] = ()
    """FIFOs in place of git's own files: git would block forever."""
    unreadable: tuple[str, ...] = ()
    """Folders that cannot be listed; git silently skips their files."""


def scan(top: str, exclude: Collection[str] = ()) -> UnreadableEntries:
    """The unreadable entries below a folder, except below links and folders named ``exclude``."""
    pipes: list[str] = []
    unreadable: list[str] = []
    folders = [""]
    # Not os.walk, which is recursive before Python 3.12.
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(top, folder)) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in exclude:
                            folders.append(f"{folder}{entry.name}/")
                    elif entry.name in READ_BY_GIT and _is_pipe(entry):
                        pipes.append(folder + entry.name)
        except OSError:
            unreadable.append(folder)
    return UnreadableEntries(tuple(sorted(pipes)), tuple(sorted(unreadable)))


def all_known_to_git(top: str) -> bool:
    """Whether there are only files, links and folders that can be listed.

    git does not see others, such as FIFOs and sockets, and removes none of them.
    """
    folders = [top]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif not (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
                        return False
        except OSError:
            return False
    return True


def undeletable(
    top: str,
    access: Callable[[str, int], bool] = os.access,
    owner: Callable[[str], int] | None = None,
) -> str:
    """A folder of another user (root in a container) whose files we cannot remove; else empty."""
    owner = owner or _owner
    for folder, _, _ in os.walk(top):
        if not access(folder, os.W_OK | os.X_OK) and owner(folder) != os.geteuid():
            return folder
    return ""


def _owner(path: str) -> int:
    return os.lstat(path).st_uid


def _is_pipe(entry: os.DirEntry[str]) -> bool:
    return stat.S_ISFIFO(entry.stat(follow_symlinks=False).st_mode)


def colliding(top: str, added: Iterable[str], tracked: Collection[str]) -> list[str]:
    """Untracked files that would be overwritten if ``added`` files were created below ``top``."""
    found: dict[str, None] = {}
    for name in added:
        parts = name.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        places = [*(p for p in above if not is_folder(top, p)), *files_below(top, name)]
        found.update(dict.fromkeys(p for p in places if p not in tracked and is_there(top, p)))
    return sorted(found)


def is_folder(top: str, name: str) -> bool:
    """Whether it is a folder, not a link to one."""
    path = os.path.join(top, name)
    return os.path.isdir(path) and not os.path.islink(path)


def is_there(top: str, name: str) -> bool:
    """Whether exactly this name exists, also on a case-insensitive file system."""
    folder, base = os.path.split(os.path.join(top, name))
    try:
        return base in os.listdir(folder)
    except OSError:
        return False


def files_below(top: str, name: str) -> list[str]:
    """The files below a folder of this name; else the name itself."""
    if not is_folder(top, name):
        return [name]
    walked = os.walk(os.path.join(top, name))
    return [
        os.path.relpath(os.path.join(root, each), top)
        for root, folders, files in walked
        for each in (*files, *(f for f in folders if os.path.islink(os.path.join(root, f))))
    ]
