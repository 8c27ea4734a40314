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

    def note(self, files: Iterable[str]) -> None:
        """Remember files as a check left them just now; no repositories: those are folders."""
        for file in files:
            found = self._print(file)
            if found is not None:
                self._seen[file] = found

    @property
    def files(self) -> list[str]:
        """Those that are still as a check left them."""
        return [file for file, found in self._seen.items() if self._print(file) == found]

    def remove(self) -> None:
        """Take them away, with the folders that are empty then."""
        for file in self.files:
            folder = os.path.dirname(file)
            with suppress(OSError):
                os.unlink(os.path.join(self.folder, file))
                while folder:
                    os.rmdir(os.path.join(self.folder, folder))
                    folder = os.path.dirname(folder)
        self._seen.clear()

    def _print(self, file: str) -> Print | None:
        """What tells a file from a changed one; ``None`` where it is gone, or a link led away."""
        path = os.path.join(self.folder, file)
        parent = os.path.join(os.path.realpath(self.folder), os.path.dirname(file))
        if os.path.realpath(parent) != os.path.normpath(parent):
            return None
        try:
            info = os.lstat(path)
        except OSError:
            return None
        if stat.S_ISDIR(info.st_mode):
            return None
        return info.st_mtime_ns, info.st_size, info.st_ino
