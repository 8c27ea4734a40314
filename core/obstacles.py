"""What stands in a worktree that git would wait for, or can't look into."""

from __future__ import annotations

import os
import stat

from .frozen import dataclass

READ_BY_GIT = frozenset({".gitignore", ".gitattributes"})
"""git opens these in each folder without a look at what they are: at a pipe it waits."""


@dataclass(frozen=True)
class Obstacles:
    """Paths in a worktree; those of folders end with a slash."""

    pipes: tuple[str, ...] = ()
    """Pipes where git expects a file of its own: it would wait for a writer for ever."""
    closed: tuple[str, ...] = ()
    """Folders that can't be listed, whose files git leaves out with exit code 0."""


def find(top: str) -> Obstacles:
    """The obstacles below a folder; symbolic links are not followed."""
    pipes: list[str] = []
    closed: list[str] = []
    folders = [""]
    # Not os.walk: before Python 3.12 it calls itself for each level.
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(top, folder)) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{folder}{entry.name}/")
                    elif entry.name in READ_BY_GIT and _is_pipe(entry):
                        pipes.append(folder + entry.name)
        except OSError:
            closed.append(folder)
    return Obstacles(tuple(sorted(pipes)), tuple(sorted(closed)))


def _is_pipe(entry: os.DirEntry[str]) -> bool:
    return stat.S_ISFIFO(entry.stat(follow_symlinks=False).st_mode)
