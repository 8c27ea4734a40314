"""A released worktree, whose files become those of the next worktree as if freshly checked out.

Only scratch worktrees are released, in which checks ran and no agent worked. Only their files are
taken over. The next worktree gets a git folder of its own, so no setting, log, lock, hook,
half-done merge or submodule of the old one survives; and an index that was saved before the first
command of the list ran there. A file whose stat differs from that index is written again. All other
files are removed. In case of doubt, the worktree is created from nothing.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping

from ..git import commits, configuration, index_file, submodules, unreadable_entries
from ..git.door import Git, global_attributes
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..process import table
from .admin_files import admin_of, gitfile_or_nothing

SPARSE = (os.path.join("info", "sparse-checkout"), "config.worktree")
"""The files of a worktree's git folder that decide which files are checked out."""

HARMLESS = ("core.hookspath", "branch.", "remote.", "user.", "husky.", "alias.", "gc.", "advice.")
"""Settings that change no file of a checkout. Setups write some of them."""

LARGE_BYTES = 2 * 1024 * 1024
"""Of the index of some 20,000 files: below, to read them again costs less than the wait."""

TICK_SECONDS = 0.02
"""More than the unit of a file system's clock."""

SPLIT = "core.splitindex"
"""The setting with which an index is more than one file."""

DECIDING = frozenset((".gitattributes", ".gitmodules"))
"""Files that decide what a checkout makes of other files."""

Folder = tuple[int, int, int, int, int]
"""Device, inode, mode, user and group of a folder."""


@dataclass(frozen=True)
class Fresh:
    """A worktree right after its checkout, before any command of the list ran in it."""

    path: str
    admin: str
    gitfile: bytes
    commit: str
    folder: Folder
    index: index_file.SavedIndex
    context: Mapping[str, str]
    """Settings and attributes that also decide what a checkout writes."""
    names: tuple[bytes, ...]
    """The contents of :data:`SPARSE`."""
    folders: tuple[str, ...]
    """All folders of the commit."""


async def look(git: Git, path: str, commit: str, *, is_checked_out: bool) -> Fresh | None:
    """What to keep of a worktree that was just made; ``None`` if it can't be reused later.

    ``is_checked_out``: git has just written all of its files.
    """
    try:
        if await _has_submodules(git, commit, path):
            return None  # git clean removes nothing in their folders.
        context = await _context(git)
        if SPLIT in context:
            return None
        folders = tuple(await commits.folders(git, commit))
        admin = admin_of(path)
        if is_checked_out:
            await git.spawner.in_thread(lambda: _age(os.path.join(admin, "index")))
        index = index_file.saved(os.path.join(admin, "index"))
        gitfile, folder = gitfile_or_nothing(path), _folder(path)
        if index is None:
            return None
        names = _sparse(admin)
        return Fresh(path, admin, gitfile, commit, folder, index, context, names, folders)
    except (OSError, UserError):
        return None


async def _has_submodules(git: Git, commit: str, path: str) -> bool:
    """Whether a commit, which is checked out at ``path``, has submodules."""
    return not index_file.has_no_submodule(path) and bool(await submodules.known_paths(git, commit))


def _age(index: str) -> None:
    """Make a large index younger than the files that were checked out in the same second.

    git reads the content of each file that is not older than the index, to the second, at each
    look. Their stat is enough, if nothing writes them before that second is over.
    """
    made = os.stat(index)
    if made.st_size >= LARGE_BYTES:
        time.sleep(1 - time.time() % 1 + TICK_SECONDS)
        os.utime(index)


async def _context(git: Git) -> dict[str, str]:
    """Settings and attributes outside of the commit that decide what a checkout writes."""
    listed = await configuration.effective_settings(git)
    found: dict[str, str] = {}
    for key, value in listed:
        if not key.startswith(HARMLESS):
            found[key] = f"{found.get(key, '')}{value}\0"
    words = os.fsencode("\0".join(f"{key}\n{value}" for key, value in listed))
    common = os.path.join(git.repository.common_dir, "info", "attributes")
    for file in (common, global_attributes(words, git.environ)):
        found[file] = str(_stamp(file))
    return found


def _stamp(path: str) -> tuple[int, ...]:
    try:
        info = os.stat(path)
    except OSError:
        return ()
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _folder(path: str) -> Folder:
    """Raises ``OSError`` if there is no folder."""
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode):
        raise NotADirectoryError(path)
    return info.st_dev, info.st_ino, info.st_mode, info.st_uid, info.st_gid


def _sparse(admin: str) -> tuple[bytes, ...]:
    return tuple(_content(os.path.join(admin, name)) for name in SPARSE)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def set_aside(fresh: Fresh, place: str) -> bool:
    """Move a released worktree to ``place``, without its ``.git`` file; whether that worked.

    The caller removes its git folder.
    """
    try:
        if _folder(fresh.path) != fresh.folder or gitfile_or_nothing(fresh.path) != fresh.gitfile:
            return False
        os.rename(fresh.path, place)
        os.unlink(os.path.join(place, ".git"))
    except OSError:
        return False
    return True


async def fits(git: Git, fresh: Fresh, place: str, commit: str) -> bool:
    """Whether the files in ``place`` can become those of a worktree at ``commit``."""
    try:
        if await git.spawner.in_thread(lambda: table.is_in_use(place)):
            return False
        if await _context(git) != fresh.context or _folder(place) != fresh.folder:
            return False
        if commit != fresh.commit:
            # Other attributes may mean other content of files that are the same in both commits.
            (changed,) = await commits.changed_files(git, [(fresh.commit, commit)])
            if any(os.path.basename(file).strip('"') in DECIDING for file in changed):
                return False
            if await submodules.known_paths(git, commit):
                return False
        return await git.spawner.in_thread(
            lambda: _are_untouched(place, fresh.folders, fresh.folder)
        )
    except (OSError, UserError):
        return False


def _are_untouched(place: str, folders: Iterable[str], top: Folder) -> bool:
    """Whether git can clean all, and its folders are as it made them, or missing.

    Raises ``OSError``.
    """
    if not unreadable_entries.all_known_to_git(place):
        return False
    attributes = _attributes(place)
    for name in folders:
        path = os.path.join(place, name)
        try:
            device, _, *rest = _folder(path)
        except FileNotFoundError:
            continue
        if (device, *rest) != (top[0], *top[2:]) or _attributes(path) != attributes:
            return False
    return True


def _attributes(path: str) -> list[str]:
    """The names of extended attributes: an access list is one."""
    listed = getattr(os, "listxattr", None)
    try:
        return sorted(listed(path, follow_symlinks=False)) if listed is not None else []
    except OSError:  # The file system has none.
        return []


def put(fresh: Fresh, place: str, path: str) -> bool:
    """Make the files in ``place`` those of the empty worktree at ``path``, with the saved index.

    False if the new worktree is sparse in another way.
    """
    admin = admin_of(path)
    if _sparse(admin) != fresh.names:
        return False
    fresh.index.put(os.path.join(admin, "index"))
    # At each moment, one of both folders leads to the git folder; see `admin_files`.
    os.rename(os.path.join(path, ".git"), os.path.join(place, ".git"))
    os.rename(place, path)
    return True
