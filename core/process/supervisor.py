"""Runs child processes in an event loop, and ends whole process trees: SIGINT, SIGTERM, SIGKILL.

Three nets, one below the other: the process group of each child; a mark in the environment of
everything that it starts; and a guard process that ends both if the orchestrator is killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field

from ..model.errors import UserError
from ..model.translate import N_
from . import guard, table
from .spawner import FileAction, Finished, Scratch, Spawner, end_started, find_program, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

MARK = "RORCHESTRATOR_MARK"
"""An environment variable of every process of a run."""

REGISTER = """cd -- "$0" || exit
trap "" PIPE
{ echo "+$$" >&3; } 2>/dev/null
trap - PIPE
exec "$@" 3>&-"""
"""The child registers with the guard before its exec; later would miss some.

Without the trap, SIGPIPE would end it if the guard is gone.
"""

Ladder = Sequence["tuple[signal.Signals, float]"]

PATIENT: Ladder = ((signal.SIGINT, 5.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
"""For a running Claude: on SIGINT, it ends its own tools and still reports its cost."""

BRISK: Ladder = ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0))
"""For a Claude that has printed its result."""

GIT: Ladder = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
"""For git: SIGTERM lets it remove its locks, SIGKILL does not."""

CANCEL_GRACE_SECONDS = 1.2
"""How long a short command may run after a cancellation; most finish in this time."""

CANCEL_POLL_SECONDS = 0.2

_cancelled: ContextVar[asyncio.Event | None] = ContextVar("cancelled", default=None)

AT_ONCE: Ladder = ((signal.SIGKILL, 5.0),)

SWEEP_GRACE_SECONDS = 1.0
"""From SIGTERM to SIGKILL for processes that left their group."""

DESCRIPTORS_WANTED = 4096

DESCRIPTORS_OF_OURS = 32
DESCRIPTORS_PER_SLOT = 6
"""Three for a command of the feature in a slot, three for the feature that prepares for it."""


class Killed(UserError):
    """A command was ended by a cancellation and has no result."""


def end_commands_on(cancelled: asyncio.Event) -> None:
    """End short commands of this task and its subtasks soon after ``cancelled`` is set."""
    _cancelled.set(cancelled)


@dataclass
class Child:
    """A started process that must be awaited."""

    pid: int
    mark: str
    folder: str
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None
    seen: dict[int, str] = field(default_factory=dict)
    """Descendants before the first signal: start time by pid."""
    is_short: bool = False
    """Whether :meth:`Supervisor.run` started it."""
    is_companion: bool = False
    """Whether it belongs to the whole run."""
    cancelled: asyncio.Event | None = None
    """Ends this short command once it is set."""
    cancelled_at: float | None = None
    """When that was noticed, in monotonic time."""
    ending: asyncio.Task[None] | None = None
    """Ends it, if it runs too long after that."""


class Supervisor(Spawner):
    """Children of one run. Use as ``async with Supervisor(run_id) as supervisor``.

    ``companions`` are processes that go on after it, although they carry its mark.
    """

    def __init__(self, run: str, companions: Collection[int] = ()) -> None:
        self.mark = f"{os.environ.get(MARK, '')}{run}/"
        """The prefix of :data:`MARK` in every process of this run."""
        self._companions = frozenset(companions)
        self._live: dict[int, Child] = {}
        self._commands = 0
        self._killed = False
        self._ends_commands = False
        self._pipe = -1
        self._guard: Child | None = None
        self._subreaper = False
        self._before: set[int] = set()
        self._since = ""
        """Start time of our first child. Older children belong to the program that exec'ed us."""

    async def __aenter__(self) -> Supervisor:
        end_started()  # They would be taken for orphans.
        self._lock = asyncio.Lock()  # Python 3.9 binds it to the current loop
        raise_descriptor_limit()
        self._subreaper = become_subreaper()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        self._start_guard()
        self._ending = asyncio.create_task(self._end_cancelled())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending.cancel()
        try:
            for child in list(self._live.values()):
                if child is not self._guard:
                    await self.end(child, AT_ONCE)
            await self._sweep(self._strays)
            self._notify_guard("q\n")
        finally:
            # After an interruption, the guard was not dismissed and ends the rest.
            await self._dismiss_guard()
            asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def _start_guard(self) -> None:
        reading, writing = os.pipe()
        # Above 3, which file actions use.
        self._pipe = fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(writing)
        nowhere = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        actions: list[FileAction] = [
            (os.POSIX_SPAWN_DUP2, reading, 0),
            *([(os.POSIX_SPAWN_DUP2, 2, guard.TERMINAL)] if os.isatty(2) else []),
            nowhere,
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = spawn(guard.command(f"{MARK}={self.mark}", os.getpid()), os.environ, actions)
        os.close(reading)
        self._since = table.started(pid)
        self._before = (table.children_of_self() or set()) - {pid}
        self._guard = self._adopt(pid, "", "/")

    def hold_terminal(self, before: Iterable[object], ours: Iterable[object], closing: str) -> None:
        """Let the guard restore the terminal at standard error if this process is killed.

        ``before`` and ``ours`` are settings from before the change and since then (termios),
        ``closing`` is written. Without ``closing``, the terminal is as it was.
        """
        import json

        wanted = {"before": guard.as_json(before), "ours": guard.as_json(ours), "closing": closing}
        self._notify_guard(f"T{json.dumps(wanted) if closing else ''}\n")

    async def _dismiss_guard(self) -> None:
        os.close(self._pipe)
        self._pipe = -1
        assert self._guard is not None
        await self._guard.ended.wait()

    def _notify_guard(self, line: str) -> None:
        if self._pipe < 0:
            return
        # If the guard is gone, the other nets still work.
        with suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())

    def _reap(self) -> None:
        for child in list(self._live.values()):
            try:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = child.pid, 0
            if pid:
                del self._live[pid]
                self._notify_guard(f"-{pid}\n")
                child.code = os.waitstatus_to_exitcode(status)
                child.ended.set()

    async def run_each(
        self, commands: Sequence[Sequence[str]], *, env: Mapping[str, str]
    ) -> list[Finished]:
        """Run commands one after the other; see :meth:`run`."""
        return [await self.run(argv, env=env) for argv in commands]

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: bytes = b"",
        guarded: bool = False,
    ) -> Finished:
        """Run ``argv``. If this task is cancelled, end the command first.

        Raises :class:`Killed` if :meth:`kill_all` or a cancellation ended it.
        """
        with Scratch(stdin) as scratch:
            actions: list[FileAction] = [*scratch.actions()]
            if guarded:
                self._commands += 1
                mark = f"{self.mark}#{self._commands};"
                found = [find_program(argv[0], env), *argv[1:]]
                child = self._spawn_guarded(found, env, actions, folder="/", mark=mark)
            else:
                child = self._adopt(spawn(argv, env, actions), "", "/")
                # It runs no code of the user's, or must finish a checkout.
                self._notify_guard(f"!{child.pid}\n")
            child.is_short, child.cancelled = True, _cancelled.get()
            try:
                await child.ended.wait()
                if child.ending is not None:
                    await child.ending
            except asyncio.CancelledError:
                await asyncio.shield(self.end(child, GIT))
                raise
            assert child.code is not None
            was_killed = self._killed and child.code < 0
            if was_killed or (child.ending is not None and child.code != 0):
                raise Killed(N_("{program} was cancelled").format(program=argv[0]))
            return scratch.finished(child.code)

    def end_commands(self) -> None:
        """End every short command soon, including future ones."""
        self._ends_commands = True

    async def _end_cancelled(self) -> None:
        """End cancelled short commands that do not finish in time."""
        while True:
            await asyncio.sleep(CANCEL_POLL_SECONDS)
            now = time.monotonic()
            for child in self._live.values():
                if child.is_short and (
                    self._ends_commands or (child.cancelled and child.cancelled.is_set())
                ):
                    child.cancelled_at = child.cancelled_at or now
                    if child.ending is None and now - child.cancelled_at >= CANCEL_GRACE_SECONDS:
                        child.ending = asyncio.create_task(self.end(child, GIT))

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: str,
        stdin: str,
        stdout: str,
        stderr: str,
        mark: str,
    ) -> Child:
        """Start ``argv`` in ``folder`` with three files as its streams, created with mode 0600.

        ``mark`` identifies this child's tree; :meth:`end` must follow. If the program does not
        exist, the child ends with 127, if it is not executable with 126, and explains on
        ``stderr``. Raises ``OSError`` if a file cannot be opened.
        """
        creating = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        wanted = ((stdin, os.O_RDONLY), (stdout, creating), (stderr, creating))
        with ExitStack() as stack:
            actions: list[FileAction] = []
            for target, (path, flags) in enumerate(wanted):
                # Opened here, because an error of the spawn would not name the file.
                descriptor = os.open(path, flags, 0o600)
                stack.callback(os.close, descriptor)
                actions.append((os.POSIX_SPAWN_DUP2, descriptor, target))
            return self._spawn_guarded(argv, env, actions, folder, f"{self.mark}{mark};")

    def start_companion(
        self, argv: Sequence[str], *, env: Mapping[str, str], stdin: int, output: int
    ) -> Child:
        """Start a program that belongs to the whole run; :meth:`end` must follow.

        Its input and output are open descriptors above 3.
        """
        streams = enumerate((stdin, output, output))
        actions = [(os.POSIX_SPAWN_DUP2, source, target) for target, source in streams]
        child = self._spawn_guarded(argv, env, actions, "/", f"{self.mark}companion;")
        child.is_companion = True
        return child

    def _spawn_guarded(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        actions: Iterable[FileAction],
        folder: str,
        mark: str,
    ) -> Child:
        with_pipe = [*actions, (os.POSIX_SPAWN_DUP2, self._pipe, 3)]
        wrapped = ["/bin/sh", "-c", REGISTER, folder, *argv]
        pid = spawn(wrapped, {**env, MARK: mark}, with_pipe)
        return self._adopt(pid, f"{MARK}={mark}", os.path.realpath(folder))

    def _adopt(self, pid: int, mark: str, folder: str) -> Child:
        child = self._live[pid] = Child(pid, mark, folder)
        return child

    async def wait(self, child: Child, timeout_seconds: float | None = None) -> bool:
        """Wait for ``child``; whether it ended in time."""
        try:
            await asyncio.wait_for(child.ended.wait(), timeout_seconds)
        except asyncio.TimeoutError:
            return False
        return True

    async def end(self, child: Child, ladder: Ladder = PATIENT) -> None:
        """End ``child`` signal by signal, then every process that it left behind."""
        if child.code is None:
            self._list_descendants(child)
        for number, seconds in ladder:
            if child.code is not None:
                break
            self._signal_group(child, number)
            await self.wait(child, seconds)
        await self._sweep(lambda: self._left_by(child))

    async def end_run(self, run: str) -> None:
        """End processes of an earlier run that was killed together with its guard."""
        # If that run started us, our own mark begins with its mark.
        mark = f"{MARK}={os.environ.get(MARK, '')}{run}/"
        await self._sweep(lambda: table.marked(table.snapshot(), mark))

    def kill_all(self) -> None:
        """SIGKILL to every process group at once.

        SIGTERM to git commands that run no code of the user's or change the user's checkout: they
        remove their locks and end quickly.
        """
        self._killed = True
        for child in self._live.values():
            if child is not self._guard:
                gently = child.is_short and not child.mark
                self._signal_group(child, signal.SIGTERM if gently else signal.SIGKILL)

    def _signal_group(self, child: Child, number: signal.Signals) -> None:
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            guard.send(child.pid, number)

    def _list_descendants(self, child: Child) -> None:
        for process in table.descendants(table.snapshot(), child.pid):
            child.seen[process.pid] = process.started

    def _left_by(self, child: Child) -> list[table.Process]:
        if not child.seen and self._nothing_strayed():
            return []
        processes = table.snapshot()
        carriers = {p.pid for p in table.marked(processes, child.mark)} if child.mark else set()
        roots = [
            process
            for process in processes.values()
            if process.pid not in self._live
            and process.pid not in self._companions
            and (
                process.pid in carriers
                or process.group == child.pid
                or child.seen.get(process.pid) == process.started
                or self._strayed_from(process, child)
            )
        ]
        found = {process.pid: process for process in roots}
        found.update((p.pid, p) for p in table.descendants(processes, *found))
        return self._running(found)

    def _running(self, found: Mapping[int, table.Process]) -> list[table.Process]:
        """The live processes among ``found``, without our awaited children."""
        return [p for p in found.values() if not p.zombie and p.pid not in self._live]

    def _nothing_strayed(self) -> bool:
        """Whether we started all of our children, so that there are no adopted orphans."""
        children = table.children_of_self() if self._subreaper else None
        return children is not None and children - self._before <= self._live.keys()

    def _strayed_from(self, process: table.Process, child: Child) -> bool:
        """Whether an adopted orphan without a mark belongs to ``child``.

        It does if it works in the child's folder, or if there is no other child.
        """
        if process.parent != os.getpid() or child.folder == "/" or self._is_older(process):
            return False
        live = self._live.values()
        ours = [c for c in live if c is not self._guard and not c.is_companion]
        others = [c for c in ours if c is not child]
        return not others or table.is_inside(table.working_folder(process.pid), [child.folder])

    def _is_older(self, process: table.Process) -> bool:
        return bool(self._since) and not table.is_later(process.started, self._since)

    def _strays(self) -> list[table.Process]:
        if self._nothing_strayed():
            return []
        processes = table.snapshot()
        found = {p.pid: p for p in table.marked(processes, f"{MARK}={self.mark}")}
        found.update(
            (p.pid, p) for p in table.descendants(processes, os.getpid(), since=self._since)
        )
        for pid in self._companions:
            for spared in (pid, *(p.pid for p in table.descendants(processes, pid))):
                found.pop(spared, None)
        return self._running(found)

    async def _sweep(self, remaining: Callable[[], list[table.Process]]) -> None:
        number = signal.SIGTERM
        waited = 0.0
        while True:
            left = remaining()
            self._reap_orphans()
            if not left or waited > 2 * SWEEP_GRACE_SECONDS + 3.0:
                return
            if waited == 0.0 or waited >= SWEEP_GRACE_SECONDS:
                for process in left:
                    guard.send(process.pid, number)
                number = signal.SIGKILL
            await asyncio.sleep(0.02)
            waited += 0.02

    def _reap_orphans(self) -> None:
        for pid in (table.children_of_self() or set()) - self._live.keys():
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def exclusive(self) -> AbstractAsyncContextManager[object]:
        """A lock against other coroutines."""
        return self._lock

    async def in_thread(self, work: Callable[[], T]) -> T:
        """The result of long work in a thread, while the loop handles signals."""
        return await asyncio.get_running_loop().run_in_executor(None, work)

    async def pause(self, seconds: float) -> None:
        """Sleep without blocking the loop."""
        await asyncio.sleep(seconds)


def become_subreaper() -> bool:
    """Adopt orphaned descendants (prctl(2), PR_SET_CHILD_SUBREAPER); Linux only."""
    if sys.platform != "linux":
        return False  # pragma: no cover (macOS)
    import ctypes

    PR_SET_CHILD_SUBREAPER = 36
    return int(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0


def check_descriptors(slots: int) -> None:
    """Raise :class:`UserError` if the slots could exceed the limit of open files."""
    limit = raise_descriptor_limit()
    needed = slots * DESCRIPTORS_PER_SLOT + DESCRIPTORS_OF_OURS
    if limit < needed:
        fewer = max(1, (limit - DESCRIPTORS_OF_OURS) // DESCRIPTORS_PER_SLOT)
        raise UserError(
            N_("{slots} slots may need {needed} open files, but the limit is {limit}").format(
                slots=slots, needed=needed, limit=limit
            ),
            hint=N_("ulimit -n {needed}, or: rorchestrator run --max-parallel {fewer}").format(
                needed=needed, fewer=fewer
            ),
        )


def raise_descriptor_limit() -> float:
    """Raise the soft limit of open files (256 on macOS); the resulting limit."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(DESCRIPTORS_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return float("inf") if soft == resource.RLIM_INFINITY else soft
