"""Runs a short command with ``posix_spawn`` and returns its output; finds programs on PATH.

``posix_spawn`` costs a third of ``subprocess.Popen``, whose import ``plan`` avoids. Output goes to
files, not to pipes: a grandchild with an open pipe would block the reader.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.translate import N_

TYPE_CHECKING = False  # the typing module's own costs 3 ms at each start
if TYPE_CHECKING:
    import signal as signal
    from contextlib import AbstractAsyncContextManager
    from typing import NoReturn, TypeVar

    T = TypeVar("T")
else:
    import _signal as signal  # with plain numbers: enums of all signals would cost 1 ms

FileAction = tuple[object, ...]
"""A file action of ``os.posix_spawn``."""

DEFAULT_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
)
"""Restored in every child: Python ignores SIGPIPE, a shell's ``&`` ignores SIGINT."""


END_SECONDS = 2.0
"""From SIGTERM to SIGKILL when an exception interrupts a command."""


@dataclass(frozen=True)
class Finished:
    """A finished command; ``code`` is negative after a signal."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, without trailing newlines."""
        return os.fsdecode(self.stdout).rstrip("\n")

    @property
    def complaint(self) -> str:
        """Standard error, else standard output, as text."""
        return (self.stderr.strip() or self.stdout.strip()).decode("utf-8", "replace")


class Spawner:
    """Runs one command at a time, blocking, without an event loop."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: bytes = b"",
        guarded: bool = False,
    ) -> Finished:
        """Run ``argv``. A ``guarded`` command may run code of the user's.

        Raises :class:`UserError` if the program is not found.
        """
        with Scratch(stdin) if stdin else _scratch_of(argv, env) as scratch:
            with _started(argv, env, scratch) as pid:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return scratch.finished(code)

    async def run_each(
        self, commands: Sequence[Sequence[str]], *, env: Mapping[str, str]
    ) -> list[Finished]:
        """Run commands that don't depend on each other, all at once.

        Raises :class:`UserError` if a program is not found.
        """
        with ExitStack() as stack:
            started = []
            for argv in commands:
                scratch = stack.enter_context(_scratch_of(argv, env))
                pid = stack.enter_context(_started(argv, env, scratch))
                started.append((pid, scratch))
            codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid, _ in started]
            return [scratch.finished(code) for code, (_, scratch) in zip(codes, started)]

    def run_limited(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        timeout_seconds: float,
        stdin: bytes = b"",
    ) -> Finished:
        """Run ``argv`` with a time limit; after it, kill it and return a negative code."""
        with Scratch(stdin) as scratch:
            deadline = time.monotonic() + timeout_seconds
            with _started(argv, env, scratch) as pid:
                ended, status = os.waitpid(pid, os.WNOHANG)
                while not ended and time.monotonic() < deadline:
                    time.sleep(0.005)
                    ended, status = os.waitpid(pid, os.WNOHANG)
                if not ended:
                    os.killpg(pid, signal.SIGKILL)
                    status = os.waitpid(pid, 0)[1]
            return scratch.finished(os.waitstatus_to_exitcode(status))

    def exclusive(self) -> AbstractAsyncContextManager[object]:
        """A lock for commands that must not run concurrently; without effect here."""
        return _Alone()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """The result of long work that starts no command."""
        return work()

    async def pause(self, seconds: float) -> None:
        """Wait before a retry."""
        time.sleep(seconds)


@contextmanager
def _started(argv: Sequence[str], env: Mapping[str, str], scratch: Scratch) -> Iterator[int]:
    """The pid of a command, which any exception ends, even right after its start."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULT_SIGNALS)
    try:
        pid = scratch.pid or spawn(argv, env, scratch.actions())
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
            finally:  # even if the user interrupts the wait
                os.killpg(pid, signal.SIGKILL)
        raise


def _end(pid: int) -> None:
    """SIGTERM to a process group, and wait for its leader; the caller kills the rest."""
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while not os.waitpid(pid, os.WNOHANG)[0] and time.monotonic() < deadline:
        time.sleep(0.005)


_early: list[tuple[Sequence[str], Mapping[str, str], Scratch]] = []
"""Commands that run before they are asked for."""


def start_early(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Start a command that :class:`Spawner` will probably be asked to run.

    The same words with the same environment take it over. :func:`end_started` ends the others.
    """
    scratch = Scratch(b"")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULT_SIGNALS)
    try:
        scratch.pid = spawn(argv, env, scratch.actions())
        _early.append((list(argv), env, scratch))
    except UserError:  # It is told when the command is asked for.
        scratch.close()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _scratch_of(argv: Sequence[str], env: Mapping[str, str]) -> Scratch:
    """The streams of a command without input, which may have been started early."""
    for number, (words, variables, scratch) in enumerate(_early):
        if words == list(argv) and variables == env:
            del _early[number]
            return scratch
    return Scratch(b"")


def early_answer(argv: Sequence[str], env: Mapping[str, str]) -> bytes:
    """What a command printed that was started early, and can still be asked for.

    Empty if it failed, or where a process cannot be waited for and stay, as on macOS.
    """
    for words, variables, scratch in _early:
        if words == list(argv) and variables == env and hasattr(os, "waitid"):
            ended = os.waitid(os.P_PID, scratch.pid, os.WEXITED | os.WNOWAIT)
            return b"" if ended is None or ended.si_status else scratch.finished(0).stdout
    return b""


def end_started() -> None:
    """End the commands that were started early, and that nobody asked for."""
    while _early:
        scratch = _early.pop()[2]
        with scratch:
            with suppress(ProcessLookupError, PermissionError):  # it has ended
                os.killpg(scratch.pid, signal.SIGKILL)
            os.waitpid(scratch.pid, 0)


class _Alone:
    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


class Scratch:
    """The three standard streams of a short command as anonymous files."""

    pid = 0
    """The command, if it runs already."""

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
        self.close()

    def close(self) -> None:
        """Close the files."""
        for descriptor in (self.input, self.output, self.errors):
            os.close(descriptor)

    def actions(self) -> list[tuple[int, int, int]]:
        """The file actions for ``posix_spawn``."""
        streams = enumerate((self.input, self.output, self.errors))
        return [(os.POSIX_SPAWN_DUP2, source, target) for target, source in streams]

    def finished(self, code: int) -> Finished:
        """The finished command with its whole output."""
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
    """Start ``argv`` in its own session; its pid.

    Raises :class:`UserError` if the program is not found or does not start.
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
        raise UserError(
            N_("{program} could not be started: {strerror}").format(
                program=program, strerror=error.strerror
            )
        ) from None


def exec_program(argv: Sequence[str], env: Mapping[str, str], folder: str) -> NoReturn:
    """Replace this process with ``argv`` (exec) in ``folder``.

    Raises :class:`UserError` if the program is not found or does not start.
    """
    program = os.path.abspath(find_program(argv[0], env))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Python ignores SIGPIPE, and exec would keep that.
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.chdir(folder)
        os.execve(program, list(argv), dict(env))
    except OSError as error:
        signal.signal(signal.SIGPIPE, before)
        raise UserError(
            N_("{program} could not be started: {strerror}").format(
                program=program, strerror=error.strerror
            )
        ) from None


_found: dict[tuple[str, str], str] = {}
"""Programs that were started, by name and ``PATH``."""


def find_program(program: str, env: Mapping[str, str]) -> str:
    """The path of ``program`` on ``PATH``. Raises :class:`UserError` if it is not found."""
    # Not posix_spawnp, which uses our PATH instead of the child's.
    asked = (program, env.get("PATH", os.defpath))
    path = _found.get(asked, "")
    if not (path and _executable(path)):
        path = _found[asked] = which(program, env)
    if not path:
        raise UserError(
            N_("{program} was not found or is not executable").format(program=program),
            hint=N_("install it, or correct PATH"),
        )
    return path


def which(program: str, env: Mapping[str, str]) -> str:
    """The path of ``program`` on ``PATH``; else empty."""
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
    """Run a coroutine that never waits for an event loop (with a :class:`Spawner`)."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError(N_("this coroutine needs an event loop"))
