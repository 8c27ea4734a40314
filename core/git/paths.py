"""Path helpers: below a folder, behind a symbolic link, first line of a file."""

from __future__ import annotations

import os


def is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def is_there(folder: str, name: str) -> bool:
    return os.path.lexists(os.path.join(folder, name))


def first_line(path: str) -> str:
    """The first line of a small file; empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().rstrip("\n")
    except OSError:
        return ""


def is_plain(path: str, name: str) -> bool:
    """Whether it is a folder, but not a repository."""
    from . import unreadable_entries

    return unreadable_entries.is_folder(path, name) and not os.path.lexists(
        os.path.join(path, name, ".git")
    )


def is_beyond_link(path: str, file: str) -> bool:
    folder = os.path.dirname(file)
    return bool(folder) and os.path.realpath(os.path.join(path, folder)) != os.path.join(
        os.path.realpath(path), folder
    )


def is_in(path: str, folder: str) -> bool:
    """Whether an absolute path is ``folder`` or below it."""
    return os.path.commonpath([path, folder]) == folder
