"""Backup of a checkout's files while git updates them, restored if the update fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress

from ..journal.private_files import make_folder
from ..model.errors import unwritable

Fingerprint = tuple[int, int, int]


class CheckoutBackup:
    """Backs up files of the checkout ``top`` in the folder ``store``, as hard links if possible.

    A context manager: the store is removed at its end.
    """

    def __init__(self, top: str, store: str, files: Iterable[str]) -> None:
        self.top = top
        self.store = store
        self.files = sorted(files)
        self._fingerprints: dict[str, Fingerprint | None] = {}

    def __enter__(self) -> CheckoutBackup:
        shutil.rmtree(self.store, ignore_errors=True)  # from a killed merge
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
            found = self._fingerprints[name] = _fingerprint(path)
            if found is not None:
                _keep(path, os.path.join(self.store, str(number)))

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.store, ignore_errors=True)

    @property
    def changed(self) -> list[str]:
        """The files that changed since the backup."""
        return [
            name
            for name in self.files
            if _fingerprint(os.path.join(self.top, name)) != self._fingerprints[name]
        ]

    def restore(self, known: Collection[str]) -> list[str]:
        """Restore deleted files and those that git wrote; return the others, left as they are.

        ``known`` are the files with the content that git was to write.
        """
        left = []
        for name in self.changed:
            path = os.path.join(self.top, name)
            if name not in known and _fingerprint(path) is not None:
                left.append(name)  # changed by the user
            elif self._fingerprints[name] is None:
                _remove(self.top, name)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.replace(os.path.join(self.store, str(self.files.index(name))), path)
        return left


def _fingerprint(path: str) -> Fingerprint | None:
    """A fingerprint that changes whenever the file does; ``None`` if there is no file."""
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
    except OSError:  # another file system, or one without hard links
        shutil.copy2(path, kept, follow_symlinks=False)


def _remove(top: str, name: str) -> None:
    """Remove a file and the folders that this leaves empty."""
    os.unlink(os.path.join(top, name))
    folder = os.path.dirname(name)
    with suppress(OSError):
        while folder:
            os.rmdir(os.path.join(top, folder))
            folder = os.path.dirname(folder)
