"""Errors that the user can fix, and the exit codes."""

from __future__ import annotations

import errno
from enum import IntEnum

from .translate import N_

READER_GONE = (errno.EPIPE, errno.EIO)
"""A pipe or terminal that was closed: nobody reads any more."""

OF_THE_SYSTEM = (
    N_("Directory not empty"),
    N_("File exists"),
    N_("Input/output error"),
    N_("Is a directory"),
    N_("No space left on device"),
    N_("No such file or directory"),
    N_("Not a directory"),
    N_("Operation not permitted"),
    N_("Permission denied"),
    N_("Read-only file system"),
    N_("Too many open files"),
)
"""What the system says most often of a file: English, because Python asks it for no language."""


class ExitCode(IntEnum):
    """The exit codes of commands. A signal exits with 128 plus its number."""

    UP_TO_DATE = 0
    INCOMPLETE = 1
    CANNOT_START = 2
    INTERNAL = 3
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class UserError(Exception):
    """An error that the user can fix: what happened, and the next step.

    ``details`` are further lines, one for each fault. The command exits with ``exit_code``.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        details: tuple[str, ...] = (),
        exit_code: ExitCode = ExitCode.CANNOT_START,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        self.exit_code = exit_code


class StateError(UserError):
    """The state can't be written: nothing further may be started."""


def unwritable(path: str, error: OSError) -> StateError:
    """The error for a file of ours that can't be written, with the next step."""
    what = N_("free some space, or correct the permissions")
    if error.errno == errno.ELOOP:
        what = N_("remove the link {filename}").format(filename=error.filename or path)
    return StateError(
        N_("{path} can't be written: {strerror}").format(path=path, strerror=error.strerror),
        hint=N_("{what}, then run again: completed features stay completed").format(what=what),
    )
