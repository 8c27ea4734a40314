"""Running the command from a test: in this process, in a fork of it, or as a new process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from core import cli
from tests.support.forked import Forked, take_terminal
from tests.support.paths import ORCHESTRATE
from tests.support.signals import as_at_a_terminal

LIMIT_SECONDS = 60
"""A command of a test that takes longer hangs."""

CONDITION_SECONDS = 30.0
"""How long :func:`wait_until` waits."""

MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
"""The variables with which a Python that is started measures itself; a start then costs twice.

They are for the few starts that execute what no test does in its own process or in a fork of it.
"""

HAS_PROC = os.path.isdir("/proc/self")
"""Whether processes can be found by their environment."""


@dataclass(frozen=True)
class CommandResult:
    """Exit code and output of a command; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output, read as a JSON document per line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Running:
    """A command that was started and may still run."""

    def __init__(
        self,
        process: Forked | subprocess.Popen[bytes],
        out: IO[bytes],
        err: IO[bytes],
        encoding: str,
    ) -> None:
        self.process = process
        self.pid = process.pid
        self._out, self._err, self._encoding = out, err, encoding

    def close(self) -> None:
        """Kill it if it still runs; its output is gone."""
        if self.process.poll() is None:
            self.kill()
        self._out.close()
        self._err.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command itself."""
        os.kill(self.pid, number)

    def wait_for_its_question(self) -> None:
        """Return once it waits for an answer: a signal just before is heard only after one."""
        if HAS_PROC:
            wait_until(self._sleeps, "it waits for an answer")

    def _sleeps(self) -> bool:
        with open(f"/proc/{self.pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2].startswith(b"S")

    def end(self) -> CommandResult:
        """Wait for its end."""
        code = self.process.wait(LIMIT_SECONDS)
        return CommandResult(code, self.out, self.err)

    def kill(self) -> CommandResult:
        """Kill it, as a crash of the machine would."""
        self.process.kill()
        return self.end()

    @property
    def out(self) -> str:
        """Standard output so far; nothing of what went to a terminal."""
        return self._text(self._out)

    @property
    def err(self) -> str:
        """Standard error so far."""
        return self._text(self._err)

    def _text(self, file: IO[bytes]) -> str:
        number = file.fileno()
        return os.pread(number, os.fstat(number).st_size, 0).decode(self._encoding, "replace")


def start_command(
    words: Sequence[str],
    folder: str,
    environ: Mapping[str, str],
    *,
    under: Sequence[str] = (),
    terminal: int = -1,
    may_be_forked: bool = True,
) -> Running:
    """Start the command; its output goes to files without a name.

    ``under`` are words before it, such as ``nohup``. ``terminal`` is the descriptor of a terminal
    for all three streams. Without words it is a fork of this process, unless that is forbidden.
    """
    out, err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 – closed with it
    process: Forked | subprocess.Popen[bytes]
    with open(os.devnull, "rb") as nothing, as_at_a_terminal():
        files = (nothing, out, err)
        given = [file.fileno() if terminal < 0 else terminal for file in files]
        if under or not may_be_forked:
            process = subprocess.Popen(
                [*under, sys.executable, ORCHESTRATE, *words],
                cwd=folder,
                env=dict(environ),
                stdin=given[0],
                stdout=given[1],
                stderr=given[2],
                start_new_session=True,
                preexec_fn=take_terminal if terminal >= 0 else None,
            )
        else:
            process = Forked(words, folder, environ, given)
    return Running(process, out, err, environ.get("PYTHONIOENCODING", "utf-8"))


def run_in_process(
    words: Sequence[str],
    folder: str,
    environ: Mapping[str, str],
    *,
    terminal: bool = False,
    encoding: str = "utf-8",
    stdin: bytes | None = None,
) -> CommandResult:
    """Run the command in this process, with streams, folder and environment of its own."""
    kind = Terminal if terminal else io.TextIOWrapper
    with standing_in(folder, environ):
        out, err = (
            kind(io.BytesIO(), encoding=encoding, errors="backslashreplace") for _ in range(2)
        )
        given = None if stdin is None else kind(io.BytesIO(stdin), encoding=encoding)
        with streams(out, err, given):
            code = cli.main(words)
    return CommandResult(code, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode(stream.encoding)


class Terminal(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Whether it is one."""
        return True


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal: ours, and that of the command."""
    ours, theirs = os.openpty()
    try:
        yield ours, theirs
    finally:
        for descriptor in (ours, theirs):
            with contextlib.suppress(OSError):
                os.close(descriptor)


@contextmanager
def standing_in(folder: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Change to another folder and another environment."""
    here, before = os.getcwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None  # else it is that of the environment before
    try:
        yield
    finally:
        tempfile.tempdir = None
        os.environ.clear()
        os.environ.update(before)
        os.chdir(here)


@contextmanager
def streams(
    out: io.TextIOBase | None, err: io.TextIOBase | None, given: io.TextIOBase | None = None
) -> Iterator[None]:
    """Print to ``out`` and ``err``, and read from ``given``."""
    before = sys.stdin, sys.stdout, sys.stderr
    nothing = io.StringIO()
    sys.stdin, sys.stdout, sys.stderr = given or nothing, out, err
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Return when ``holds()``; an assertion error if that takes too long."""
    deadline = time.monotonic() + CONDITION_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


def read_text(path: str) -> str:
    """A file that a command wrote."""
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        return file.read()
