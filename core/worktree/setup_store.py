"""`SetupStore`: folders that setups made, by the key of what made them, for later worktrees.

An entry is written under a temporary name, synced and renamed, and so is each copy of it: a kill
leaves nothing that looks whole and is not. A locked folder is in use, and a lock ends with its
process.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count

from ..journal import private_files
from ..model.cached_setup import CachedSetup
from ..model.frozen import dataclass
from ..model.translate import N_
from ..process.temporary_folder import remove_tree
from .copy_link import never_stopped, place
from .relocatable import NotStored, check_relocatable, on_disk
from .setup_entries import ABOUT, entries_in, entry_in, store_folder
from .tree_copy import FileCopier, copy_folder, digest_of, stamps_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tree_copy import Stamp

NEW, OLD = ".new-", ".old-"
"""How the names of folders begin that are being written or removed."""

MIB = 1024**2
GIB = 1024**3

_numbers = count(1)


@dataclass(frozen=True)
class Stored:
    """A new entry and the digest that proves it."""

    entry: CachedSetup
    digest: str


class Changed(Exception):
    """Somebody wrote into an entry."""


class SetupStore:
    """The entries of one repository, in the state folder."""

    def __init__(self, common_dir: str) -> None:
        self.folder = store_folder(common_dir)

    def entries(self) -> list[CachedSetup]:
        """All entries, the one used last first."""
        return entries_in(self.folder)

    def entry(self, key: str) -> CachedSetup | None:
        """One entry; ``None`` if there is none, or it can't be read."""
        return entry_in(self.folder, key)

    # -- storing ----------------------------------------------------------------------------

    def put(
        self,
        key: str,
        worktree: str,
        folders: Sequence[str],
        *,
        limit_bytes: float,
        stopped: Callable[[], bool] = never_stopped,
    ) -> Stored | None:
        """Store folders of a worktree; ``None`` if another process was faster.

        Raises :class:`NotStored` or ``OSError``.
        """
        sizes = (check_relocatable(worktree, name) for name in folders)
        size = sum(sizes)
        private_files.make_folder(self.folder, 2)
        self._check_room(size, limit_bytes)
        with self._temporary(key) as path:
            copier = FileCopier()
            for number, name in enumerate(folders):
                copy_folder(os.path.join(worktree, name), f"{path}/{number}", name, copier, stopped)
            stored = _described(key, path, folders)
            _sync(path)
            try:
                os.rename(path, os.path.join(self.folder, key))
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                return None
            _sync(self.folder)
        return stored

    def _check_room(self, size: int, limit_bytes: float) -> None:
        """Raise :class:`NotStored` if the folders are too large for the store or the disk."""
        import shutil  # slow to import

        free = shutil.disk_usage(self.folder).free
        if size > limit_bytes:
            raise NotStored(
                N_("{size:.0f} MiB are more than project.setup_cache_max_gib").format(
                    size=size / MIB
                )
            )
        if free < 2 * size:
            raise NotStored(
                N_("only {free:.0f} MiB are free on the disk of the repository").format(
                    free=free / MIB
                )
            )

    @contextmanager
    def _temporary(self, key: str) -> Iterator[str]:
        """A new folder that no other process takes for a leftover; removed unless renamed."""
        path = self._name(NEW, key)
        os.mkdir(path, 0o700)
        with _locked(path, fcntl.LOCK_EX):
            try:
                yield path
            finally:
                remove_tree(path)

    def _name(self, prefix: str, key: str) -> str:
        return os.path.join(self.folder, f"{prefix}{key}-{os.getpid()}-{next(_numbers)}")

    # -- using ------------------------------------------------------------------------------

    def take(
        self,
        key: str,
        digest: str,
        worktree: str,
        staging: str,
        stopped: Callable[[], bool] = never_stopped,
    ) -> tuple[str, ...]:
        """Put copies of an entry's folders into a worktree; their names.

        They are made in ``staging``, on the file system of the worktree, and renamed once all are
        whole. Raises :class:`Changed` if the entry does not have this digest, and ``OSError``.
        """
        path = os.path.join(self.folder, key)
        # Whoever holds a lock for long must not hold up the run.
        with _locked(path, fcntl.LOCK_SH | fcntl.LOCK_NB):
            known = self.entry(key)
            folders = known.folders if known is not None else ()
            remove_tree(staging)
            try:
                os.mkdir(staging, 0o700)
                copier = FileCopier()
                stamps: list[Stamp] = []
                for number, name in enumerate(folders):
                    copied = f"{staging}/{number}"
                    stamps += copy_folder(f"{path}/{number}", copied, name, copier, stopped)
                if digest_of(folders, stamps) != digest:
                    raise Changed
                for number, name in enumerate(folders):
                    _rename(f"{staging}/{number}", place(worktree, name))
            finally:
                remove_tree(staging)
            os.utime(path)
        return folders

    # -- removing ---------------------------------------------------------------------------

    def remove(self, key: str) -> bool:
        """Remove an entry; false if it is in use."""
        path = os.path.join(self.folder, key)
        try:
            with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                old = self._name(OLD, key)
                os.rename(path, old)
                remove_tree(old)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True

    def trim(self, limit_bytes: float, keep: Collection[str] = ()) -> None:
        """Remove the entries that were not used for the longest time, until the rest fits."""
        size = 0
        for entry in self.entries():
            size += entry.bytes
            if size > limit_bytes and entry.key not in keep and self.remove(entry.key):
                size -= entry.bytes

    def clear(self) -> None:
        """Remove what killed processes left half written or half removed."""
        with suppress(OSError):
            for name in os.listdir(self.folder):
                if name.startswith((NEW, OLD)):
                    path = os.path.join(self.folder, name)
                    with suppress(OSError), _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                        remove_tree(path)


def ignores_itself(folder: str) -> bool:
    """Whether git ignores a folder because of a file in it, as `.husky/_`."""
    try:
        path = os.path.join(folder, ".gitignore")
        with open(path, "rb", opener=private_files.only_regular) as file:
            return b"*" in file.read(1024).split()
    except OSError:
        return False


def _described(key: str, path: str, folders: Sequence[str]) -> Stored:
    """Write the description of a new entry; the entry with its digest."""
    stamps: list[Stamp] = []
    for number, name in enumerate(folders):
        stamps += stamps_of(f"{path}/{number}", name)
    files = sum(len(stamp) > 2 for stamp in stamps)
    entry = CachedSetup(key, tuple(folders), _bytes(stamps), files, time.time())
    told = {"folders": list(folders), "bytes": entry.bytes, "files": files}
    descriptor = private_files.open_file(os.path.join(path, ABOUT), os.O_WRONLY)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file)
    return Stored(entry, digest_of(folders, stamps))


def _bytes(stamps: Sequence[Stamp]) -> int:
    """The approximate size of files on a disk."""
    return sum(on_disk(int(stamp[2])) for stamp in stamps if len(stamp) > 2)


def _rename(copy: str, target: str) -> None:
    """Rename a folder to a free path, even one without write permission."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    info = os.lstat(copy)
    os.chmod(copy, stat.S_IRWXU)
    os.rename(copy, target)
    os.chmod(target, stat.S_IMODE(info.st_mode))
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))


@contextmanager
def _locked(path: str, how: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: str) -> None:
    """Write a folder to disk: one call for the whole file system, not one a file."""
    import ctypes

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        getattr(ctypes.CDLL(None), "syncfs", lambda _: os.sync())(descriptor)
    finally:
        os.close(descriptor)
