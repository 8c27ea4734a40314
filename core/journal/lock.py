"""The lock that a run holds on a repository, and who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress

from ..model.errors import UserError, unwritable
from ..model.frozen import dataclass
from . import private_files

INTRODUCTION_TRIES = 100
"""How often, 10 ms apart, a holder is asked who it is."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock."""

    pid: int
    started_at: str
    command: str


class RunLock:
    """``flock`` on a file that is never removed: it can't go stale, and one process wins."""

    def __init__(self, folder: str, *, introduction_tries: int = INTRODUCTION_TRIES) -> None:
        self.path = os.path.join(folder, "lock")
        self.introduction_tries = introduction_tries
        self._file = -1

    def acquire(self, holder: Holder) -> None:
        """Take the lock. Raises :class:`UserError` naming who holds it."""
        try:
            private_files.make_folder(os.path.dirname(self.path))
            file = private_files.open_file(self.path, os.O_RDWR)
            try:
                _lock_or_refuse(file, self.introduction_tries)
                os.ftruncate(file, 0)
                os.pwrite(file, json.dumps(vars(holder)).encode(), 0)
            except BaseException:
                os.close(file)
                raise
        except OSError as error:
            raise unwritable(self.path, error) from None
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)  # Else the next holder would go by our name at first.
        os.close(self._file)
        self._file = -1

    def holder(self) -> Holder | None:
        """Who holds the lock now; ``None`` where nobody does."""
        try:
            file = private_files.only_regular(self.path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return None if _locked(file, fcntl.LOCK_SH) else _read_holder(file)
        finally:
            os.close(file)


def _lock_or_refuse(file: int, tries: int) -> None:
    while not _locked(file, fcntl.LOCK_EX):
        # Somebody who only looks, as holder() does, is in the way for a moment: that is no run.
        if not _locked(file, fcntl.LOCK_SH):
            raise _held_by(_introduced(file, tries))


def _introduced(file: int, tries: int) -> Holder:
    """Who holds the lock: one that has just taken it needs a moment to say so."""
    for _ in range(tries):
        holder = _read_holder(file)
        if holder.pid:
            break
        time.sleep(0.01)
    return holder


def _locked(file: int, kind: int) -> bool:
    """Whether the lock could be had at once."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held_by(other: Holder) -> UserError:
    who = f"pid {other.pid}, since {other.started_at}" if other.pid else "it has just started"
    stops = other.pid and other.command in ("run", "merge")
    end = ", or: rorchestrator stop" if stops else ""
    return UserError(
        f"rorchestrator {other.command} is running in this repository ({who})",
        hint=f"wait for it{end}",
    )


def _read_holder(file: int) -> Holder:
    try:
        value = json.loads(os.pread(file, 4096, 0))
        return Holder(int(value["pid"]), str(value["started_at"]), str(value["command"]))
    except (ValueError, KeyError, TypeError):
        return Holder(0, "just now", "run")
