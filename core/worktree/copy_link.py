"""project.copy and project.link: globs, copies of .env files (reflink), symbolic links."""

from __future__ import annotations

import errno
import fnmatch
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..model.errors import UserError
from ..model.translate import N_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

FICLONE = 0x40049409
"""ioctl_ficlone(2): copy-on-write."""

CHUNK_BYTES = 1024 * 1024

FIX_PATTERNS = N_("correct project.copy and project.link")


def never_stopped() -> bool:
    """For a copy that cannot be stopped."""
    return False


def matching(
    top: str,
    patterns: Iterable[str],
    *,
    exclude: str = "",
    stopped: Callable[[], bool] = never_stopped,
) -> list[str]:
    """The paths below ``top`` that match, relative to it; ``**`` does not follow links.

    ``exclude`` is a folder to leave out, that of the worktrees. Raises :class:`UserError` for a
    pattern without matches, and for a path outside of ``top`` (through a symbolic link) or in
    ``.git``; ``OSError`` once ``stopped()``.
    """
    found: dict[str, None] = {}
    for pattern in patterns:
        paths = sorted(matches_of(top, pattern, exclude, stopped))
        paths = [path for path in paths if not (exclude and is_inside(path, exclude))]
        if not paths:
            raise UserError(
                N_("{pattern} matches nothing in {top}").format(pattern=pattern, top=top),
                hint=FIX_PATTERNS,
            )
        found.update((os.path.relpath(path, top), None) for path in paths)
    kept = [name for name in found if not _is_below(name, found)]
    for name in kept:
        _check_inside(top, name)
    return kept


def matches_of(
    top: str, pattern: str, exclude: str = "", stopped: Callable[[], bool] = never_stopped
) -> set[str]:
    """The matches of a pattern, by the rules of the ``glob`` module."""
    found = {top}
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    while parts:
        part, *parts = parts
        matches: Iterator[Iterable[str]]
        if part == "**":
            rest, parts = parts[:1], parts[1:]
            matches = (_anywhere(one, rest, exclude, stopped) for one in found)
        else:
            matches = (_below(one, part, stopped) for one in found)
        found = {path for paths in matches for path in paths}
    return found


def _below(folder: str, part: str, stopped: Callable[[], bool]) -> Iterable[str]:
    """The matches of one part of a pattern in a folder."""
    if part == "**":
        return _anywhere(folder, [], "", stopped)
    if not set(part).intersection("*?["):
        path = os.path.join(folder, part)
        return [path] if os.path.lexists(path) else []
    _check_stopped(stopped)
    names = fnmatch.filter(_names(folder), part)
    return [
        os.path.join(folder, name) for name in names if part[0] == "." or not name.startswith(".")
    ]


def _anywhere(
    top: str, rest: Sequence[str], exclude: str, stopped: Callable[[], bool]
) -> Iterator[str]:
    """The matches of ``**``: everything, or entries named ``rest`` without their contents.

    It does not follow links, which may form a cycle, and skips hidden folders.
    """
    folders = [top] if os.path.isdir(top) else []
    while folders:
        _check_stopped(stopped)
        folder = folders.pop()
        matches = set(_below(folder, rest[0], stopped) if rest else [folder])
        yield from matches
        for name in _names(folder):
            path = os.path.join(folder, name)
            if name.startswith(".") or path == exclude or path in matches:
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                folders.append(path)
            elif not rest:
                yield path


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []  # a file or an unreadable folder


def _check_stopped(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise InterruptedError("stopped")


def _check_inside(top: str, name: str) -> None:
    path = os.path.join(top, name)
    if os.path.realpath(path) == os.path.realpath(top) or not is_inside(path, top):
        raise UserError(
            N_("{name} is not inside {top}").format(name=name, top=top), hint=FIX_PATTERNS
        )
    if ".git" in name.lower().split(os.sep):
        raise UserError(N_("{name} belongs to git").format(name=name), hint=FIX_PATTERNS)


def is_inside(path: str, folder: str) -> bool:
    """Whether a path, with its links resolved, is a folder or below it."""
    real = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(path), real]) == real


def _is_below(name: str, others: Iterable[str]) -> bool:
    parent = os.path.dirname(name)
    return bool(parent) and (parent in others or _is_below(parent, others))


def copy(
    top: str,
    name: str,
    worktree: str,
    stopped: Callable[[], bool],
    *,
    staging: str,
    contained: bool = False,
) -> None:
    """Copy a file or a folder to a new path. Raises ``OSError``, also once ``stopped()``.

    The copy is made in ``staging``, a new folder on the same file system, and then renamed. After
    a failure or a kill, the caller removes ``staging``. Sockets and other special files are left
    out.

    Links stay links. If ``contained``, a link that leads out of the copy is replaced, so that
    writing through it cannot change the original.
    """
    source, target = os.path.join(top, name), place(worktree, name)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.mkdir(staging, 0o700)
    whole = os.path.join(staging, os.path.basename(name))
    inside = Inside(top, worktree) if contained else None
    _copy_all(source, whole, stopped, inside)
    mode = stat.S_IMODE(os.lstat(whole).st_mode)
    if os.path.isdir(whole):
        os.chmod(whole, mode | stat.S_IRWXU)  # required for the rename
        os.rename(whole, target)
        os.chmod(target, mode)
    else:
        os.rename(whole, target)
    os.rmdir(staging)


class Inside:
    """Rewrites the links of a copy, so that they stay in the copy or in its worktree."""

    def __init__(self, top: str, worktree: str) -> None:
        self.top = os.path.realpath(top)
        self.worktree = worktree

    def link(self, path: str, roots: tuple[str, ...]) -> str | None:
        """The target of a link in the copy; empty to copy its content, ``None`` to leave it out.

        ``roots`` are the folders being copied, the innermost last.
        """
        real, folder = os.path.realpath(path), os.path.realpath(os.path.dirname(path))
        name = os.path.relpath(real, self.top)
        is_in_copy = is_inside(real, roots[-1])
        is_in_worktree = (
            is_inside(real, self.top)
            and is_inside(folder, self.top)
            and os.path.lexists(os.path.join(self.worktree, name))
        )
        if is_in_copy or is_in_worktree:
            return os.path.relpath(real, folder)
        if not os.path.exists(real) or real in roots:
            return None
        return "" if os.access(real, os.W_OK) else real


def _copy_all(source: str, target: str, stopped: Callable[[], bool], inside: Inside | None) -> None:
    todo: list[tuple[str, str, tuple[str, ...]]] = [(source, target, (os.path.realpath(source),))]
    folders: list[tuple[str, str]] = []
    while todo:
        one, other, roots = todo.pop()
        _check_stopped(stopped)
        mode = os.lstat(one).st_mode
        if stat.S_ISLNK(mode) and one != source:
            words = os.readlink(one) if inside is None else inside.link(one, roots)
            if words:
                os.symlink(words, other)
            if words != "":
                continue
            roots = (*roots, os.path.realpath(one))
        if os.path.isdir(one):
            os.mkdir(other, 0o700)
            folders.append((one, other))
            below = sorted(os.listdir(one), reverse=True)
            todo += [(os.path.join(one, n), os.path.join(other, n), roots) for n in below]
        elif os.path.isfile(one) or one == source:
            clone(one, other, stopped)
    for one, other in reversed(folders):
        shutil.copystat(one, other)


def link(top: str, name: str, worktree: str) -> None:
    """Create a symbolic link to a file or a folder. Raises ``OSError``."""
    os.symlink(os.path.join(os.path.realpath(top), name), place(worktree, name))


def place(worktree: str, name: str) -> str:
    """The path of a file in the worktree; creates its folder, which must be inside."""
    target = os.path.join(worktree, name)
    folder = os.path.dirname(target)
    if not is_inside(folder, worktree):
        raise OSError(
            N_("{name} would be written outside of {worktree}").format(name=name, worktree=worktree)
        )
    os.makedirs(folder, exist_ok=True)
    return target


def clone(source: str, target: str, stopped: Callable[[], bool] = never_stopped) -> None:
    """Copy one file with mode and times, copy-on-write if the file system supports it.

    On failure, or once ``stopped()``, raises ``OSError`` and leaves no partial copy.
    """
    import fcntl

    if not os.path.isfile(source):
        raise OSError(N_("{source} is not a file").format(source=source))
    with open(source, "rb") as reading, open(target, "xb", opener=_for_us_alone) as writing:
        try:
            fcntl.ioctl(writing.fileno(), FICLONE, reading.fileno())
        except OSError:
            _copy(reading, writing, stopped)
    shutil.copystat(source, target)


def _copy(reading: BinaryIO, writing: BinaryIO, stopped: Callable[[], bool]) -> None:
    try:
        while chunk := reading.read(CHUNK_BYTES):
            if stopped():
                raise InterruptedError("stopped")
            writing.write(chunk)
    except OSError:
        os.unlink(writing.name)
        raise


def _for_us_alone(path: str, flags: int) -> int:
    # Private until it gets the mode of its source, which may be a secret.
    return os.open(path, flags, 0o600)
