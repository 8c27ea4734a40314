"""Copied folders with absolute paths into the main checkout, such as a virtual environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice

MOST_FILES = 3_000
"""Read in one folder, the nearest ones first."""

MOST_BYTES = 64 * 1024
"""Larger files are no scripts and no settings."""


def holder_of_path(folder: str, top: str) -> str:
    """A file or a link in ``folder`` with an absolute path into ``top``; empty if none is found.

    Scripts and settings of a virtual environment have the path of that environment, so a copy
    of it runs the original. Raises ``OSError`` for a file that cannot be read, nor copied.
    """
    wanted = os.path.join(os.path.realpath(top), "")
    found = islice(_entries(folder), MOST_FILES)
    return next((path for path in found if wanted in _words(path)), "")


def _entries(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in sorted((*names, *links)):
            yield os.path.join(place, name)


def _words(path: str) -> str:
    """The text of a small file, or the target of a link; empty for anything else."""
    if os.path.islink(path):
        return os.readlink(path)
    if not os.path.isfile(path) or os.path.getsize(path) > MOST_BYTES:
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(MOST_BYTES)
