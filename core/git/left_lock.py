"""The lock on a ref of ours that a killed git left: every later git is refused because of it."""

from __future__ import annotations

import os
from contextlib import suppress

from ..model.patterns import pattern
from .file_stamps import Stamp, stamp_of
from .refs import OWN

REFUSAL = pattern(rb"Unable to create '([^\n]+\.lock)': File exists")
"""What git says of a lock that exists."""


class LeftLock:
    """The lock that the first try of a git command was refused for, if it is on a ref of ours.

    git holds such a lock for milliseconds. If the last try meets the very same file, the git that
    made it is dead. Other locks may be those of the user's git, which may run a hook meanwhile.
    """

    def __init__(self, common_dir: str, complaint: bytes) -> None:
        self._below = os.path.join(common_dir, OWN)
        self._first = self._named_in(complaint)

    def is_removed(self, complaint: bytes) -> bool:
        """Remove the lock if the last try was refused for it as well; whether to try again."""
        path, stamp = self._first
        if not stamp or self._named_in(complaint) != self._first:
            return False
        with suppress(FileNotFoundError):
            os.unlink(path)
        return True

    def _named_in(self, complaint: bytes) -> tuple[str, Stamp]:
        found = REFUSAL.search(complaint)
        path = os.path.normpath(os.fsdecode(found[1])) if found else ""
        return path, stamp_of(path) if path.startswith(self._below) else ()
