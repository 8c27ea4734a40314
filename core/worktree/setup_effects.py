"""What a setup did to a worktree, so that a copy of some folders is known to be all of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from ..git import worktree_status
from ..git.door import Git
from ..model.frozen import dataclass
from .files import built_by_tools


@dataclass(frozen=True)
class Look:
    """A worktree at one moment."""

    ignored: frozenset[str]
    others: frozenset[str]
    """Files with changes, hidden ones as well, and empty folders."""
    sizes: tuple[tuple[str, int], ...]
    """Of tracked files: git calls a file unchanged if a filter makes the same of it, as that of
    Git LFS does of a pointer and of what it stands for."""

    def changed_since(self, before: Look) -> set[str]:
        """What is no longer as it was, and not ignored."""
        resized = {name for name, _ in set(self.sizes).symmetric_difference(before.sizes)}
        return set(self.others - before.others) | resized


async def look(git: Git, path: str, tracked: Iterable[str]) -> Look:
    """Look at a worktree, and at the sizes of ``tracked`` files and submodules."""
    status = await worktree_status.status_of(git, path, ignored=True)
    hidden = await worktree_status.hidden(git, path)
    folders = await worktree_status.empty_folders(git, path)
    empty = [folder for folder in folders if not built_by_tools(folder)]
    sizes = await git.spawner.in_thread(lambda: tuple((n, _size(path, n)) for n in tracked))
    others = frozenset((*status.uncommitted, *hidden, *empty))
    return Look(frozenset(status.ignored), others, sizes)


def _size(top: str, name: str) -> int:
    """The size of a file, and of a submodule whether it is filled; -1 of nothing."""
    path = os.path.join(top, name)
    try:
        info = os.lstat(path)
        return bool(os.listdir(path)) if stat.S_ISDIR(info.st_mode) else info.st_size
    except OSError:
        return -1
