"""Folders and files of ours: for the user alone, and never written through a link.

What comes with an archive of a repository, its ``.git`` and our own folder in there, may hold links
that lead anywhere.
"""

from __future__ import annotations

import errno
import os
import stat

A_LINK = "it is a symbolic link, and nothing is written through one"
NO_FILE = "it is no regular file"


def make_folder(path: str, depth: int = 1, *, mode: int = 0o700) -> None:
    """Make a folder, and of those above it what is missing; the last ``depth`` are ours.

    Raises ``OSError`` where one of these is a link.
    """
    if depth:
        make_folder(os.path.dirname(path), depth - 1, mode=mode)
    else:
        os.makedirs(path, exist_ok=True)
        return
    try:
        os.mkdir(path, mode)
    except FileExistsError as error:
        if os.path.islink(path):
            raise OSError(errno.ELOOP, A_LINK, path) from None
        if not os.path.isdir(path):
            raise error


def open_file(path: str, flags: int, mode: int = 0o600) -> int:
    """A descriptor of a file, which is made where it is missing. Raises ``OSError`` at a link."""
    # At a pipe that nobody reads, opening it for writing would wait for ever.
    always = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags | always, mode)
    except OSError as error:
        if os.path.islink(path):
            raise OSError(errno.ELOOP, A_LINK, path) from None
        raise error


def only_regular(path: str, flags: int) -> int:
    """An opener for :func:`open` that waits at no pipe. Raises ``OSError`` at what is no file."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NO_FILE, path)
    return descriptor
