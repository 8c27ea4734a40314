"""Starts a short command, waits for it, and hands over what it printed.

``posix_spawn`` starts the children: on every Python from 3.9 it costs a third of a
``subprocess.Popen``, and ``plan`` does without importing that. Output goes to files, never
to pipes: a grandchild that keeps a pipe open would block the reader for as long as it lives.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ..model.errors import UserError
from ..model.frozen import dataclass

TYPE_CHECKING = False  # the typing module's own costs 3 ms at each start
if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from typing import NoReturn, TypeVar

    T = TypeVar("T")

FileAction = tuple[object, ...]
"""One of the file actions of ``os.posix_spawn``."""

DEFAULT_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
)
"""Restored in every child: Python ignores SIGPIPE, a shell's ``&`` ignores SIGINT."""


END_SECONDS = 2.0
"""From SIGTERM to SIGKILL, where an exception ends the wait for a command."""


@dataclass(frozen=True)
class Finished:
    """A command that ended; ``code`` is negative where a signal ended it."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """What it printed on standard output, without the last line end."""
        return os.fsdecode(self.stdout).rstrip("\n")

    @property
    def complaint(self) -> str:
        """What it printed on standard error, else on standard output, as text."""
        return (self.stderr.strip() or self.stdout.strip()).decode("utf-8", "replace")


class Spawner:
    """Runs commands one at a time, blocking: for everything that needs no event loop."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: bytes = b"",
        guarded: bool = False,
    ) -> Finished:
        """Run ``argv`` to its end. ``guarded`` commands may run code of the user's.

        Raises :class:`UserError` where the program is not to be found.
        """
        with Scratch(stdin) as scratch:
            with _started(argv, env, scratch.actions()) as pid:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return scratch.finished(code)

    def run_limited(
        self, argv: Sequence[str], *, env: Mapping[str, str], timeout_seconds: float
    ) -> Finished:
        """Run ``argv``, but kill it when it takes too long; its code is negative then."""
        with Scratch(b"") as scratch:
            deadline = time.monotonic() + timeout_seconds
            with _started(argv, env, scratch.actions()) as pid:
                ended, status = os.waitpid(pid, os.WNOHANG)
                while not ended and time.monotonic() < deadline:
                    time.sleep(0.005)
                    ended, status = os.waitpid(pid, os.WNOHANG)
                if not ended:
                    os.killpg(pid, signal.SIGKILL)
                    status = os.waitpid(pid, 0)[1]
            return scratch.finished(os.waitstatus_to_exitcode(status))

    def exclusive(self) -> AbstractAsyncContextManager[object]:
        """Holds off everything else that must not run side by side; here there is nothing."""
        return _Alone()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """The result of something that takes long and starts no command."""
        return work()

    async def pause(self, seconds: float) -> None:
        """Wait a moment before another try."""
        time.sleep(seconds)


@contextmanager
def _started(
    argv: Sequence[str], env: Mapping[str, str], file_actions: Sequence[FileAction]
) -> Iterator[int]:
    """The pid of a command that any exception ends, also one of a signal in its first moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULT_SIGNALS)
    try:
        pid = spawn(argv, env, file_actions)
        with _ended_by_exceptions(pid):
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _ended_by_exceptions(pid: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError, PermissionError, ChildProcessError):
            try:
                _end(pid)
            finally:  # also where the user does not want to wait for that
                os.killpg(pid, signal.SIGKILL)
        raise


def _end(pid: int) -> None:
    """Ask a group to end, and wait for its leader; what is left is for the caller to kill."""
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while not os.waitpid(pid, os.WNOHANG)[0] and time.monotonic() < deadline:
        time.sleep(0.005)


class _Alone:
    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


class Scratch:
    """The three standard streams of a short command, as nameless files."""

    def __init__(self, stdin: bytes) -> None:
        self.input = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) if not stdin else _nameless()
        self.output = _nameless()
        self.errors = _nameless()
        if stdin:
            os.write(self.input, stdin)
            os.lseek(self.input, 0, os.SEEK_SET)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self.input, self.output, self.errors):
            os.close(descriptor)

    def actions(self) -> list[tuple[int, int, int]]:
        """The file actions for ``posix_spawn``."""
        streams = enumerate((self.input, self.output, self.errors))
        return [(os.POSIX_SPAWN_DUP2, source, target) for target, source in streams]

    def finished(self, code: int) -> Finished:
        """The outcome, with all that was printed."""
        return Finished(code, _contents(self.output), _contents(self.errors))


def _nameless() -> int:
    if sys.platform == "linux":
        return os.memfd_create("output")
    import tempfile  # pragma: no cover (macOS)

    with tempfile.TemporaryFile() as file:  # pragma: no cover (macOS)
        return os.dup(file.fileno())


def _contents(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0) if size else b""


def spawn(argv: Sequence[str], env: Mapping[str, str], file_actions: Sequence[FileAction]) -> int:
    """Start ``argv`` in a session of its own; its pid.

    Raises :class:`UserError` where the program is not to be found, or does not start.
    """
    program = find_program(argv[0], env)
    try:
        return os.posix_spawn(
            program,
            list(argv),
            dict(env),
            file_actions=list(file_actions),
            setsid=True,
            setsigmask=[],
            setsigdef=DEFAULT_SIGNALS,
        )
    except OSError as error:
        raise UserError(f"{program} could not be started: {error.strerror}") from None


def exec_program(argv: Sequence[str], env: Mapping[str, str], folder: str) -> NoReturn:
    """Be ``argv`` from now on, in ``folder`` and on the same terminal.

    Raises :class:`UserError` where the program is not to be found, or does not start.
    """
    program = os.path.abspath(find_program(argv[0], env))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Python ignores it, and what is ignored is ignored after an exec as well.
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.chdir(folder)
        os.execve(program, list(argv), dict(env))
    except OSError as error:
        signal.signal(signal.SIGPIPE, before)
        raise UserError(f"{program} could not be started: {error.strerror}") from None


def find_program(program: str, env: Mapping[str, str]) -> str:
    """The file that ``program`` names, by ``PATH``. Raises :class:`UserError` for none."""
    # Not posix_spawnp: it looks for the program by our PATH, not by the child's.
    path = which(program, env)
    if not path:
        raise UserError(
            f"{program} was not found, or is no program", hint="install it, or correct PATH"
        )
    return path


def which(program: str, env: Mapping[str, str]) -> str:
    """The file that ``program`` names, by ``PATH``; empty where there is none."""
    if os.sep in program:
        return program if _executable(program) else ""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or os.curdir, program)
        if _executable(path):
            return path
    return ""


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def run_sync(coroutine: Coroutine[None, None, T]) -> T:
    """The result of a coroutine that never waits for an event loop, as with a Spawner."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("this coroutine waits for an event loop")
