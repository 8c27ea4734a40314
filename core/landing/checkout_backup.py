"""Files of a checkout as they were before git changed them, to be put back where that fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress

from ..journal.private_files import make_folder
from ..model.errors import unwritable

Print = tuple[int, int, int]


class Before:
    """Keeps files of the checkout ``top`` in the folder ``store``, as hard links where it can.

    Use as ``with Before(...) as before``: the store is there as long as that takes.
    """

    def __init__(self, top: str, store: str, files: Iterable[str]) -> None:
        self.top = top
        self.store = store
        self.files = sorted(files)
        self._prints: dict[str, Print | None] = {}

    def __enter__(self) -> Before:
        shutil.rmtree(self.store, ignore_errors=True)  # of a landing that was killed
        try:
            make_folder(self.store)
            self._fill()
        except OSError as error:
            shutil.rmtree(self.store, ignore_errors=True)
            raise unwritable(self.store, error) from None
        return self

    def _fill(self) -> None:
        for number, name in enumerate(self.files):
            path = os.path.join(self.top, name)
            found = self._prints[name] = _print(path)
            if found is not None:
                _keep(path, os.path.join(self.store, str(number)))

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.store, ignore_errors=True)

    @property
    def changed(self) -> list[str]:
        """The files that are not what they were."""
        return [
            name
            for name in self.files
            if _print(os.path.join(self.top, name)) != self._prints[name]
        ]

    def restore(self, known: Collection[str]) -> list[str]:
        """Put back what is gone, and what git wrote; what else changed, and so stays.

        ``known`` are the files that hold what git was to write.
        """
        left = []
        for name in self.changed:
            path = os.path.join(self.top, name)
            if name not in known and _print(path) is not None:
                left.append(name)  # somebody else's change
            elif self._prints[name] is None:
                _remove(self.top, name)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.replace(os.path.join(self.store, str(self.files.index(name))), path)
        return left


def _print(path: str) -> Print | None:
    """What tells a file from another one of its name; ``None`` where there is none."""
    if os.path.isdir(path) and not os.path.islink(path):
        return None
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns, info.st_size


def _keep(path: str, kept: str) -> None:
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:  # on another file system, or on one without hard links
        shutil.copy2(path, kept, follow_symlinks=False)


def _remove(top: str, name: str) -> None:
    """Remove a file, and the folders that are empty then."""
    os.unlink(os.path.join(top, name))
    folder = os.path.dirname(name)
    with suppress(OSError):
        while folder:
            os.rmdir(os.path.join(top, folder))
            folder = os.path.dirname(folder)
