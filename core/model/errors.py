"""What can go wrong in a way the user can mend, and the exit codes."""

from __future__ import annotations

import errno
from enum import IntEnum

READER_GONE = (errno.EPIPE, errno.EIO)
"""A pipe or a terminal that was closed: there is nobody to tell anything."""


class ExitCode(IntEnum):
    """What the command's exit status means; signals add 128 to their number."""

    UP_TO_DATE = 0
    INCOMPLETE = 1
    CANNOT_START = 2
    INTERNAL = 3
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class UserError(Exception):
    """A fault that the user can mend: what happened, and the next step to take.

    ``details`` are further lines, one fault each. The command ends with ``exit_code``.
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
    """What happened can't be recorded: nothing further may be started."""


def unwritable(path: str, error: OSError) -> StateError:
    """That a file of ours can't be written, and what to do about it."""
    what = "free some space, or correct the permissions"
    if error.errno == errno.ELOOP:
        what = f"remove the link {error.filename or path}"
    return StateError(
        f"{path} can't be written: {error.strerror}",
        hint=f"{what}, then run again: completed features stay completed",
    )
