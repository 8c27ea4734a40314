"""What stands in a worktree that git would wait for, can't look into, or would replace."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable

from ..model.frozen import dataclass

READ_BY_GIT = frozenset({".gitignore", ".gitattributes"})
"""git opens these in each folder without a look at what they are: at a pipe it waits."""


@dataclass(frozen=True)
class UnreadableEntries:
    """Paths in a worktree; those of folders end with a slash."""

    pipes: tuple[str, ...] = ()
    """Pipes where git expects a file of its own: it would wait for a writer for ever."""
    unreadable: tuple[str, ...] = ()
    """Folders that can't be listed, whose files git leaves out with exit code 0."""


def scan(top: str, less: Collection[str] = ()) -> UnreadableEntries:
    """The obstacles below a folder; links, and folders called ``less``, are passed over."""
    pipes: list[str] = []
    unreadable: list[str] = []
    folders = [""]
    # Not os.walk: before Python 3.12 it calls itself for each level.
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(top, folder)) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in less:
                            folders.append(f"{folder}{entry.name}/")
                    elif entry.name in READ_BY_GIT and _is_pipe(entry):
                        pipes.append(folder + entry.name)
        except OSError:
            unreadable.append(folder)
    return UnreadableEntries(tuple(sorted(pipes)), tuple(sorted(unreadable)))


def undeletable(
    top: str,
    access: Callable[[str, int], bool] = os.access,
    owner: Callable[[str], int] | None = None,
) -> str:
    """A folder of somebody else's whose files we can't remove, as root's of a container."""
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
    """What stands where files would be ``added`` below a folder, and is none of the ``tracked``."""
    found: dict[str, None] = {}
    for name in added:
        parts = name.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        places = [*(p for p in above if not is_folder(top, p)), *files_below(top, name)]
        found.update(dict.fromkeys(p for p in places if p not in tracked and is_there(top, p)))
    return sorted(found)


def is_folder(top: str, name: str) -> bool:
    """Whether it is a folder, and no link to one."""
    path = os.path.join(top, name)
    return os.path.isdir(path) and not os.path.islink(path)


def is_there(top: str, name: str) -> bool:
    """Whether it is there by exactly that name, also where case makes no difference."""
    folder, base = os.path.split(os.path.join(top, name))
    try:
        return base in os.listdir(folder)
    except OSError:
        return False


def files_below(top: str, name: str) -> list[str]:
    """The files in a folder of that name, or the name itself."""
    if not is_folder(top, name):
        return [name]
    walked = os.walk(os.path.join(top, name))
    return [
        os.path.relpath(os.path.join(root, each), top)
        for root, folders, files in walked
        for each in (*files, *(f for f in folders if os.path.islink(os.path.join(root, f))))
    ]
