"""The command in a process that is a fork of the tests' own: it has imported everything already.

A start of Python with all imports costs more than most of what a test asks for. What a user's own
start brings with it is shown by the tests that start ``orchestrate.py``.
"""

from __future__ import annotations

import asyncio
import fcntl
import marshal
import mmap
import os
import posix
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn, TextIO

from core import cli
from core.process import scratch_folder
from tests.support import imported  # noqa: F401

WAIT_SECONDS = 0.005
SHARED_BYTES = 1 << 24
"""Room for what a fork has executed: some hundred kilobytes."""

READ_AT_THE_START = ("PYTHON", "LANG", "LC_", "TZ")
"""How the names of the variables begin that Python looks at when it starts."""


def may_fork(changed: Mapping[str, str]) -> bool:
    """Whether a fork does the same as a start would, with these variables."""
    return threading.active_count() == 1 and not any(
        name.startswith(READ_AT_THE_START) for name in changed
    )


class Forked:
    """As much of :class:`subprocess.Popen` as is asked of a command."""

    def __init__(
        self, argv: Sequence[str], cwd: str, env: Mapping[str, str], streams: Sequence[int]
    ) -> None:
        self.returncode: int | None = None
        """The exit code; negative where a signal ended it, ``None`` before."""
        sys.stdout.flush()
        sys.stderr.flush()
        self._measured = Measured()
        # A signal that came before it is the command would have it go on as these tests.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self.pid = os.fork()
        if not self.pid:
            _become(argv, cwd, env, streams, before, self._measured)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def poll(self) -> int | None:
        """The exit code, when it has ended."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
                self._measured.take_over()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit code; ``TimeoutExpired`` where it goes on for longer."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("rorchestrator", timeout)
            time.sleep(WAIT_SECONDS)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


_OF_THE_TESTS: list[object] = []
"""Keeps alive what a fork has from its parent."""


class Measured:
    """What a fork has executed, which the tests take over when it ends: so coverage counts it.

    Coverage's own way, a database for each process, costs more than a small command.
    """

    def __init__(self) -> None:
        coverage = sys.modules.get("coverage")
        measuring = coverage and coverage.Coverage.current()
        self._lines: dict[str, set[int]] = measuring._collector.data if measuring else {}
        """By path, what was executed; the tracer adds to these sets."""
        self._shared = mmap.mmap(-1, SHARED_BYTES) if measuring else None

    def start(self) -> None:
        """Forget, in the fork, what the tests have executed: the tracer begins with new sets.

        Theirs are kept, as to empty them would copy the memory that they are in.
        """
        _OF_THE_TESTS.append(self._lines.copy())
        self._lines.clear()

    def hand_over(self) -> None:
        """Leave, in the fork, what it has executed."""
        if self._shared:
            # As lists, and without references: a set is sorted first.
            content = marshal.dumps({path: [*lines] for path, lines in self._lines.items()}, 2)
            self._shared[8 : 8 + len(content)] = content
            self._shared[:8] = len(content).to_bytes(8, "big")

    def take_over(self) -> None:
        """Add, in the tests, what the fork has executed: nothing if it was killed."""
        if self._shared:
            size = int.from_bytes(self._shared[:8], "big")
            found = marshal.loads(self._shared[8 : 8 + size]) if size else {}
            for path, lines in found.items():
                self._lines.setdefault(path, set()).update(lines)
            self._shared.close()
            self._shared = None


def _become(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    streams: Sequence[int],
    mask: set[int],
    measured: Measured,
) -> NoReturn:
    """Be the command from here on; never comes back, not even by an interrupt at its end."""
    try:
        code = 70
        try:
            measured.start()
            _prepare(cwd, env, streams)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            sys.argv = ["rorchestrator", *argv]
            code = _exit_code_of_the_command()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            measured.hand_over()
            posix._exit(code)  # without coverage, which wraps that of ``os``
    finally:
        posix._exit(130)


def _prepare(cwd: str, env: Mapping[str, str], streams: Sequence[int]) -> None:
    """Have nothing of the tests left that a command would notice."""
    os.setsid()
    for target, source in enumerate([os.dup(stream) for stream in streams]):
        os.dup2(source, target)
    if os.isatty(0):
        take_terminal()
    os.closerange(3, 1024)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Those of the tests are not the command's to remove, nor to be finalised here.
    _OF_THE_TESTS.extend(scratch_folder._in_use.values())
    scratch_folder._in_use.clear()
    tempfile.tempdir = None  # it was asked for by the tests, in their own environment
    asyncio._set_running_loop(None)  # type: ignore[attr-defined]
    sys.stdin, sys.stdout, sys.stderr = _open(0, "r"), _open(1, "w"), _open(2, "w")


def take_terminal() -> None:
    """Make the terminal on standard input that of this session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _exit_code_of_the_command() -> int:
    try:
        cli.entry_point()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _open(number: int, mode: str) -> TextIO:
    """A stream as Python opens it at its start, under ``LANG=C.UTF-8``."""
    errors = "backslashreplace" if number == 2 else "surrogateescape"
    lines = 1 if os.isatty(number) else -1
    return open(number, mode, lines, encoding="utf-8", errors=errors, closefd=False)
