"""Files that the checks left in a worktree: reports, caches, what no .gitignore names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress

Print = tuple[int, int, int]


class Leftovers:
    """Of one worktree. What somebody changed since is no leftover any more, but work."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._seen: dict[str, Print] = {}
        self._spared: dict[str, Print] = {}

    def note(self, files: Iterable[str]) -> None:
        """Remember files as a check left them just now; no repositories: those are folders."""
        for file in files:
            found = print_of(self.folder, file)
            if found is not None and self._spared.get(file) != found:
                self._seen[file] = found

    def spare(self, files: Iterable[str]) -> None:
        """Remember files that were left by checks of a run that was cut short, or put there since.

        Nobody knows which: they are not taken for work, and not taken away.
        """
        found = {file: print_of(self.folder, file) for file in files}
        self._spared.update((file, seen) for file, seen in found.items() if seen is not None)

    @property
    def files(self) -> list[str]:
        """Those that are still as a check left them."""
        return [file for file in {**self._spared, **self._seen} if self._is_as_it_was(file)]

    def _is_as_it_was(self, file: str) -> bool:
        found = print_of(self.folder, file)
        return found is not None and found in (self._spared.get(file), self._seen.get(file))

    def remove(self) -> None:
        """Take them away, with the folders that are empty then."""
        for file in set(self.files).intersection(self._seen):
            folder = os.path.dirname(file)
            with suppress(OSError):
                os.unlink(os.path.join(self.folder, file))
                while folder:
                    os.rmdir(os.path.join(self.folder, folder))
                    folder = os.path.dirname(folder)
        self._seen.clear()


def print_of(folder: str, file: str) -> Print | None:
    """What tells a file from a changed one; ``None`` where it is gone, or a link led away."""
    path = os.path.join(folder, file)
    parent = os.path.join(os.path.realpath(folder), os.path.dirname(file))
    if os.path.realpath(parent) != os.path.normpath(parent):
        return None
    try:
        info = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISDIR(info.st_mode):
        return None
    return info.st_mtime_ns, info.st_size, info.st_ino
