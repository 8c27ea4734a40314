"""New files of a repository: shown first, then written; nothing that exists is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from io import FileIO

from ..git.paths import is_in
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.translate import N_

GITIGNORE = ".gitignore"


@dataclass(frozen=True)
class NewFile:
    """A file to write, or lines to append to one."""

    path: str
    """Relative to the root of the repository."""
    text: str
    about: str = ""
    """What it is, where its text is too long to show."""
    appends: bool = False
    """Whether ``text`` goes to the end of a file that exists."""


@dataclass(frozen=True)
class Left:
    """A file that stays as it is."""

    path: str
    is_plain: bool = True
    """Whether it is a file as git reads it, and not a link."""


def planned(root: str, files: Sequence[NewFile]) -> tuple[tuple[NewFile, ...], tuple[Left, ...]]:
    """The files to write, and those that exist already."""
    there = [file for file in files if os.path.lexists(os.path.join(root, file.path))]
    new = tuple(file for file in files if file not in there)
    return new, tuple(Left(file.path) for file in there)


def gitignore(root: str, lines: Sequence[str]) -> NewFile | Left | None:
    """The lines that ``.gitignore`` lacks; ``None`` if there are none."""
    path = os.path.join(root, GITIGNORE)
    if not os.path.lexists(path):
        return NewFile(GITIGNORE, "".join(f"{line}\n" for line in lines)) if lines else None
    if os.path.islink(path) or not os.path.isfile(path):
        return Left(GITIGNORE, is_plain=False)
    try:
        with open(path, "rb") as file:
            old = file.read()
    except OSError as error:
        raise UserError(
            N_("{path} can't be read: {strerror}").format(path=path, strerror=error.strerror)
        ) from None
    known = {line.strip() for line in old.decode("utf-8", "replace").splitlines()}
    lacking = [line for line in lines if line not in known]
    if not lacking:
        return None
    end = "\r\n" if b"\r\n" in old else "\n"
    first = end if old and not old.endswith(b"\n") else ""
    return NewFile(GITIGNORE, first + "".join(f"{line}{end}" for line in lacking), appends=True)


def check_folders(root: str, files: Sequence[NewFile]) -> None:
    """Raise :class:`UserError` if a file cannot be written, before any is."""
    real = os.path.realpath(root)
    for file in files:
        folder = os.path.dirname(os.path.join(real, file.path))
        check_inside(folder, root)
        check_writable(
            folder,
            N_("change its permissions, or name another folder: rorchestrator init --dir DIR"),
        )


def check_inside(path: str, root: str) -> None:
    """Raise :class:`UserError` if a path leads out of a folder, by ``..`` or through a link."""
    if not is_in(os.path.realpath(path), os.path.realpath(root)):
        raise UserError(
            N_("{path} leads out of {root}").format(path=path, root=root),
            hint=N_("remove the link, or name a path inside"),
        )


def check_writable(folder: str, hint: str) -> None:
    """Raise :class:`UserError` if a folder, or the one where it would be made, is not writable."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise UserError(
            N_("{folder} is not a folder").format(folder=folder), hint=N_("rename that file")
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(N_("{folder} is not writable").format(folder=folder), hint=hint)


def write(root: str, files: Sequence[NewFile]) -> Iterator[str]:
    """Write the files, and yield the path of each one written.

    Raises :class:`UserError` if one cannot be written, or has appeared since it was planned.
    """
    for file in files:
        path = os.path.join(root, file.path)
        if file.appends:
            _append(path, file.text)
        else:
            create(path, file.text, hint=N_("look at it, then run this again"))
        yield file.path


def create(path: str, text: str, *, hint: str) -> None:
    """Write a new file and its folder.

    Raises :class:`UserError` if it cannot be written, with the ``hint`` if it exists already.
    """
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "xb", buffering=0) as stream:
            _write_whole(stream, text, undo=lambda: os.unlink(path))
    except FileExistsError as error:
        if error.filename != path:
            raise UserError(
                N_("{folder} is not a folder").format(folder=folder), hint=N_("rename that file")
            ) from None
        raise UserError(N_("{path} exists already").format(path=path), hint=hint) from None
    except OSError as error:
        raise _unwritable(path, error) from None


def _append(path: str, text: str) -> None:
    try:
        with open(path, "ab", buffering=0) as stream:
            size = stream.seek(0, os.SEEK_END)
            _write_whole(stream, text, undo=lambda: stream.truncate(size))
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str, error: OSError) -> UserError:
    return UserError(
        N_("{path} can't be written: {strerror}").format(path=path, strerror=error.strerror)
    )


def _write_whole(stream: FileIO, text: str, *, undo: Callable[[], object]) -> None:
    """Write a text, or nothing of it: a part of it would count as the file of a user."""
    content = text.encode("utf-8", "surrogateescape")
    written = 0
    try:
        while written < len(content):
            written += stream.write(content[written:])
        os.fsync(stream.fileno())
    except BaseException:
        undo()
        raise
