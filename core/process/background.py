"""Starts a process that is nobody's child, so that the end of a run does not end it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from .spawner import spawn

START = '"$@" 0<&3 3<&- &'
"""The shell ends at once, and init adopts the process. Its input would be /dev/null otherwise."""


def start_in_background(
    argv: Sequence[str], env: Mapping[str, str], *, stdin: int, stdout: int
) -> int:
    """Start ``argv`` with two descriptors as its streams; the number of its process group.

    It prints no errors. Raises :class:`UserError` if ``/bin/sh`` does not start.
    """
    actions = [
        (os.POSIX_SPAWN_DUP2, stdin, 3),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    ]
    shell = spawn(["/bin/sh", "-c", START, "sh", *argv], env, actions)
    os.waitpid(shell, 0)
    return shell
