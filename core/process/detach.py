"""Lets this process go on in the background, in a session of its own without a terminal."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from ..model.frozen import dataclass
from .spawner import DEFAULT_SIGNALS

STARTED = b"+"


@dataclass(frozen=True)
class Background:
    """The process in the background, as the process that it came from sees it."""

    pid: int
    code: int | None
    """Its exit code if it ended before it had started its work; ``None`` otherwise."""


class Foreground:
    """The process that waits, as the one in the background sees it."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def started(self) -> None:
        """Let the other process end: the work has begun. Nothing happens the second time."""
        if self._pipe >= 0:
            # Nobody may be left to read it.
            with suppress(BrokenPipeError):
                os.write(self._pipe, STARTED)
            os.close(self._pipe)
            self._pipe = -1


def detach(output: int) -> Background | Foreground:
    """Fork. The child goes on in the background; the parent waits until it has started.

    The child has a session of its own, no terminal, and ignores SIGHUP; it reads nothing and prints
    into the file ``output``. It gets a :class:`Foreground`, the parent a :class:`Background`. If
    the parent is interrupted while it waits, it ends the child. Both have the open files and locks.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    # A signal right after the fork must find the child that it is to end.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULT_SIGNALS)
    try:
        pid = os.fork()
        if not pid:
            os.close(reading)
            _leave_terminal(output)
            return Foreground(writing)
        try:
            os.close(writing)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            code = None if os.read(reading, 1) == STARTED else _exit_code(pid)
        except BaseException:
            _end(pid)
            raise
        finally:
            os.close(reading)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Background(pid, code)


def _leave_terminal(output: int) -> None:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((nothing, output, output)):
        os.dup2(source, target)
    os.close(nothing)


def _exit_code(pid: int) -> int:
    """The exit code, as a shell has it: 128 and its number after a signal."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


def _end(pid: int) -> None:
    """End the child by SIGTERM; a second interruption kills it."""
    with suppress(ProcessLookupError, ChildProcessError):
        try:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        except (KeyboardInterrupt, SystemExit):
            os.kill(pid, signal.SIGKILL)
            raise
