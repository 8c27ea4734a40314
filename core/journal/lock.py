"""`RunLock`: one run or merge at a time in a repository, and which process holds the lock."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..model.errors import UserError, unwritable
from ..model.frozen import dataclass
from ..model.translate import N_
from . import private_files

INTRODUCTION_TRIES = 100
"""How often the holder's name is read, 10 ms apart."""


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock."""

    pid: int
    started_at: str
    command: str
    """The name of the sub-command."""

    @property
    def is_run(self) -> bool:
        """Whether it is a run; with ``--merge`` it may be landing its features."""
        return self.command == "run"

    @property
    def takes_requests(self) -> bool:
        """Whether it answers control requests."""
        return self.command in ("run", "merge")


class RunLock:
    """``flock`` on a file that is never removed, so it can't be stale, and one process wins."""

    def __init__(self, folder: str, *, introduction_tries: int = INTRODUCTION_TRIES) -> None:
        self.path = os.path.join(folder, "lock")
        self.introduction_tries = introduction_tries
        self._file = -1

    def acquire(self, holder: Holder) -> None:
        """Take the lock. Raises :class:`UserError` with the holder."""
        try:
            private_files.make_folder(os.path.dirname(self.path))
            file = private_files.open_file(self.path, os.O_RDWR)
            try:
                _lock_or_refuse(file, self.introduction_tries)
                _introduce(file, holder)
            except BaseException:
                os.close(file)
                raise
        except OSError as error:
            raise unwritable(self.path, error) from None
        self._file = file

    def hand_over(self, holder: Holder) -> None:
        """Name another holder: a fork of the process that took the lock holds it as well."""
        _introduce(self._file, holder)

    def release(self) -> None:
        """Release the lock."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)  # Else the next holder is first reported under our name.
        os.close(self._file)
        self._file = -1

    @contextmanager
    def kept_free(self) -> Iterator[bool]:
        """Whether the lock is free. If so, nobody can take it within the block: keep that short."""
        try:
            file = private_files.only_regular(self.path, os.O_RDONLY)
        except OSError:
            yield False
            return
        try:
            yield _locked(file, shared=True)
        finally:
            os.close(file)

    def holder(self) -> Holder | None:
        """The current holder; ``None`` if the lock is free."""
        try:
            file = private_files.only_regular(self.path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return None if _locked(file, shared=True) else _read_holder(file)
        finally:
            os.close(file)


def _introduce(file: int, holder: Holder) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(vars(holder)).encode(), 0)


def _lock_or_refuse(file: int, tries: int) -> None:
    while not _locked(file):
        # holder() of another process also takes the lock for a moment, but that is not a run.
        if not _locked(file, shared=True):
            raise _held_by(_introduced(file, tries))


def _introduced(file: int, tries: int) -> Holder:
    """The holder; one that has just taken the lock needs a moment to write its name."""
    for _ in range(tries):
        holder = _read_holder(file)
        if holder.pid:
            break
        time.sleep(0.01)
    return holder


def _locked(file: int, *, shared: bool = False) -> bool:
    """Try to take the lock without waiting; whether that succeeded."""
    import fcntl  # not for a lock that nobody ever took

    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held_by(other: Holder) -> UserError:
    who = (
        N_("pid {pid}, since {started_at}").format(pid=other.pid, started_at=other.started_at)
        if other.pid
        else N_("it has just started")
    )
    stops = other.pid and other.takes_requests
    return UserError(
        N_("rorchestrator {command} is running in this repository ({who})").format(
            command=other.command, who=who
        ),
        hint=N_("wait for it, or: rorchestrator stop") if stops else N_("wait for it"),
    )


def _read_holder(file: int) -> Holder:
    try:
        value = json.loads(os.pread(file, 4096, 0))
        return Holder(int(value["pid"]), str(value["started_at"]), str(value["command"]))
    except (ValueError, KeyError, TypeError):
        return Holder(0, N_("just now"), "run")
