"""Check artifacts: reports and caches that checks leave in a worktree, ignored by git or not."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

FileStamp = tuple[int, int, int]

MOST_FILES = 2000
"""A folder with more files does not count as an artifact."""


class CheckArtifacts:
    """The check artifacts of one worktree. A file that changed since is work again."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._seen: dict[str, FileStamp] = {}
        self._spared: dict[str, FileStamp] = {}
        self.paths: set[str] = set()
        """Paths that appeared during checks; an ignored folder ends with a slash."""
        self._written: dict[str, FileStamp] = {}
        self._by: dict[str, set[str]] = {}

    def record(self, files: Iterable[str]) -> None:
        """Record files in the state that a check left; nested repositories are left out."""
        for file in files:
            found = stamp_of(self.folder, file)
            if found is not None and self._spared.get(file) != found:
                self._seen[file] = found

    def ignore(self, files: Iterable[str]) -> None:
        """Record files that may be from checks of an interrupted run or from the user.

        They do not count as work and are not removed.
        """
        found = {file: stamp_of(self.folder, file) for file in files}
        self._spared.update((file, seen) for file, seen in found.items() if seen is not None)

    @property
    def files(self) -> list[str]:
        """The files that are unchanged since a check left them."""
        return [file for file in {**self._spared, **self._seen} if self._is_as_it_was(file)]

    def _is_as_it_was(self, file: str) -> bool:
        found = stamp_of(self.folder, file)
        return found is not None and found in (self._spared.get(file), self._seen.get(file))

    def remove(self, files: Iterable[str]) -> None:
        """Remove those of ``files`` that a check left, and folders that become empty."""
        for file in set(self.files).intersection(self._seen, files):
            folder = os.path.dirname(file)
            with suppress(OSError):
                os.unlink(os.path.join(self.folder, file))
                del self._seen[file]
                while folder:
                    os.rmdir(os.path.join(self.folder, folder))
                    folder = os.path.dirname(folder)

    # -- which command wrote it -----------------------------------------------------------

    def written(self, command: str, paths: Iterable[str]) -> set[str]:
        """Record ``paths`` that appeared while a command ran; the files that it wrote in them."""
        self.paths.update(paths)
        now: dict[str, FileStamp] = {}
        for path in self.paths:
            now.update(contents(self.folder, path))
        wrote = {file for file, found in now.items() if self._written.get(file) != found}
        self._written = now
        self._by.setdefault(command, set()).update(wrote)
        return wrote

    def proved(self, known: Mapping[str, Collection[str]]) -> dict[str, str]:
        """The paths that only contain files proven to be written by commands, with a digest.

        ``known`` are files that each command also wrote in a checkout where no user works.
        """
        doubtful = {
            file for by, files in self._by.items() for file in files.difference(known.get(by, ()))
        }
        found = {path: contents(self.folder, path) for path in sorted(self.paths)}
        return {
            path: digest(files)
            for path, files in found.items()
            if files
            and doubtful.isdisjoint(files)
            and all(self._written.get(file) == seen for file, seen in files.items())
        }


def contents(folder: str, path: str) -> dict[str, FileStamp]:
    """The files of a path in ``folder``; empty if there are too many or some are unreadable."""
    files = [path]
    if path.endswith("/"):
        files = []
        for root, folders, names in os.walk(os.path.join(folder, path)):
            files += [os.path.relpath(os.path.join(root, name), folder) for name in names]
            links = [name for name in folders if os.path.islink(os.path.join(root, name))]
            files += [os.path.relpath(os.path.join(root, name), folder) for name in links]
            if len(files) > MOST_FILES:
                return {}
    found = {file: stamp_of(folder, file) for file in files}
    known = {file: seen for file, seen in found.items() if seen is not None}
    return known if len(known) == len(files) else {}


def digest(files: Mapping[str, FileStamp]) -> str:
    """A hash of file names and stamps."""
    import hashlib  # slow to import

    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:20]


def stamp_of(folder: str, file: str) -> FileStamp | None:
    """mtime, size and inode; ``None`` if the file is gone or behind a symbolic link."""
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
