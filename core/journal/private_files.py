"""Creates and opens private files and folders: for this user only, never through a link.

An unpacked archive of a repository can contain links in its ``.git``, also in our folder there.
"""

from __future__ import annotations

import errno
import os
import stat

from ..model.translate import N_

A_LINK = N_("it is a symbolic link, and nothing is written through one")
NO_FILE = N_("it is not a regular file")


def make_folder(path: str, depth: int = 1, *, mode: int = 0o700) -> None:
    """Create a folder and its missing parents; the last ``depth`` of them are ours.

    Raises ``OSError`` if one of ours is a link.
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
    """Open a file, and create it if it is missing. Raises ``OSError`` for a link."""
    # O_NONBLOCK: opening a pipe that nobody reads would block for ever.
    always = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags | always, mode)
    except OSError as error:
        if os.path.islink(path):
            raise OSError(errno.ELOOP, A_LINK, path) from None
        raise error


def only_regular(path: str, flags: int) -> int:
    """An opener for :func:`open`: never blocks. Raises ``OSError`` unless it is a regular file."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, NO_FILE, path)
    return descriptor
