"""Runs a program of the user's with our streams and terminal: a pager, an editor."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from .spawner import DEFAULT_SIGNALS, find_program

FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)
"""Signals of the terminal's keys: they are meant for the program."""


def run_in_terminal(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run ``argv`` in our process group and wait for it; negative after a signal.

    Meanwhile, Ctrl-C is for the program; Ctrl-Z stops both. If an exception ends the wait, the
    program gets a SIGTERM. Raises :class:`UserError` if the program is not found.
    """
    program = find_program(argv[0], env)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in FROM_KEYS}
    # A signal right after the start must find the program that it is to end.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULT_SIGNALS)
    try:
        pid = os.posix_spawn(
            program, list(argv), dict(env), setsigmask=[], setsigdef=DEFAULT_SIGNALS
        )
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except BaseException:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
            raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
