"""The guard: kills all processes of a run after SIGKILL of the orchestrator.

Its standard input is a pipe from the orchestrator. Children write ``+PID`` before they exec; the
orchestrator writes ``!PID`` for a child that must finish by itself, and ``-PID`` after it reaped
one. ``T`` and JSON say how to restore the terminal, which is descriptor 4; ``T`` alone that nothing
is to be restored. Until the pipe closes, the guard lists the orchestrator's descendants several
times a second. Then it ends every registered group, everything with the run's mark, and the last
known descendants. Nothing else is ended: a process's working folder proves nothing.
"""

from __future__ import annotations

import os
import select
import signal
import time

from . import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

GRACE_SECONDS = 1.0
GIVE_UP_SECONDS = 5.0
EMPTY_SCANS = 3
"""Empty scans in a row before we are done: reading the process table is not atomic."""

SCAN_SECONDS = 0.25
"""Interval between two scans of the orchestrator's descendants."""

SCAN_SHARE = 40
"""The interval is at least this many times the duration of a scan."""

PAUSE_SECONDS = (0.02, 0.1)
"""Between two scans at the end: it doubles while something is left that was asked to end."""

EXEC_SECONDS = 0.3
"""Longer than any exec: a process that still shows no environment has an empty one."""

TERMINAL = 4
"""The descriptor of the terminal, if there is one."""

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(mark: str, orchestrator: int) -> None:
    """Watch the pipe on standard input until it closes, then end the rest of the run."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    watched = watch(0, Descendants(orchestrator))
    if not watched.finished:
        restore_terminal(TERMINAL, watched.terminal)
        end_all(watched, mark)


class Descendants:
    """The descendants of the orchestrator, which adopts their orphans while it lives."""

    def __init__(self, orchestrator: int) -> None:
        self._root = orchestrator
        self._root_started = table.started(orchestrator)
        self._since = table.started(os.getpid())

    def scan(self) -> dict[int, str]:
        """Start time by pid, without processes older than the guard."""
        if not self._since:
            return {}  # pragma: no cover (macOS)
        rows = table.snapshot()
        root = rows.get(self._root)
        if root is None or root.started != self._root_started:
            return {}  # It was killed, and its pid may be somebody else's now.
        found = table.descendants(rows, root.pid, since=self._since)
        return {p.pid: p.started for p in found if p.pid != os.getpid()}


class Watched:
    """Registered groups, known descendants, and whether the run finished."""

    def __init__(self) -> None:
        self.groups: set[int] = set()
        self.spared: set[int] = set()
        self.seen: dict[int, str] = {}
        self.finished = False
        self.terminal = b""
        """What restores the terminal, as JSON; empty if it is as it was."""

    def read(self, line: bytes) -> None:
        """Process one line from the pipe."""
        if line.startswith(b"+"):
            self.groups.add(int(line[1:]))
        elif line.startswith(b"-"):
            self.groups.discard(int(line[1:]))
            self.spared.discard(int(line[1:]))
        elif line.startswith(b"!"):
            self.spared.add(int(line[1:]))
        elif line.startswith(b"T"):
            self.terminal = line[1:]
        else:
            self.finished = True


def watch(pipe: int, family: Descendants) -> Watched:
    """Read registrations until end of file, and scan the descendants meanwhile.

    They are read several times a second, and at the end: to wake up for each of them would cost a
    run as much as its journal.
    """
    watched = Watched()
    os.set_blocking(pipe, False)
    closing = select.poll()
    closing.register(pipe, 0)  # The end is reported unasked.
    rest: bytes | None = b""
    due = time.monotonic() + SCAN_SECONDS
    while rest is not None:
        closing.poll(SCAN_SECONDS * 1000)
        rest = _read_lines(pipe, watched, rest)
        begun = time.monotonic()
        if rest is not None and begun >= due:
            watched.seen = family.scan() or watched.seen
            now = time.monotonic()
            due = now + max(SCAN_SECONDS, SCAN_SHARE * (now - begun))
    return watched


def _read_lines(pipe: int, watched: Watched, rest: bytes) -> bytes | None:
    """Read what is in the pipe; the beginning of its last line, ``None`` at the end of file.

    ``rest`` is the beginning that was read before.
    """
    try:
        while chunk := os.read(pipe, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                watched.read(line)
    except BlockingIOError:
        return rest
    return None


def restore_terminal(descriptor: int, how: bytes) -> None:
    """Restore a terminal that a killed orchestrator had changed.

    Its settings only if nobody has changed them since: by now, it may belong to a shell.
    """
    if not how:
        return
    import json
    import termios
    from contextlib import suppress

    with suppress(OSError, termios.error):
        wanted = json.loads(how)
        if as_json(termios.tcgetattr(descriptor)) == wanted["ours"]:
            termios.tcsetattr(descriptor, termios.TCSANOW, wanted["before"])
        if select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, wanted["closing"].encode("ascii"))


def as_json(settings: Iterable[object]) -> list[object]:
    """Settings of a terminal as JSON has them; ``termios.tcsetattr`` takes them, too."""
    return [
        [key[0] if isinstance(key, bytes) else key for key in part]
        if isinstance(part, list)
        else part
        for part in settings
    ]


def end_all(watched: Watched, mark: str) -> None:
    """SIGTERM to every remaining process of the run, then SIGKILL until none is left."""
    begun = time.monotonic()
    asked: set[int] = set()
    remains = Remains(watched, mark)
    quiet = 0
    shortest, longest = PAUSE_SECONDS
    pause = shortest
    while quiet < EMPTY_SCANS and time.monotonic() < begun + GIVE_UP_SECONDS:
        left = remains.scan()
        for process in left:
            if time.monotonic() > begun + GRACE_SECONDS:
                send(process.pid, signal.SIGKILL)
            elif process.pid not in asked:
                send(process.pid, signal.SIGTERM)
                asked.add(process.pid)
        quiet = 0 if left or remains.unknown else quiet + 1
        time.sleep(pause)
        pause = min(2 * pause, longest) if left else shortest


class Remains:
    """The remaining processes of the run, scan by scan."""

    def __init__(self, watched: Watched, mark: str) -> None:
        self.unknown: set[tuple[int, str]] = set()
        """Processes whose environment is not readable yet because they are in exec.

        For :data:`EXEC_SECONDS` at most: a stranger may have an empty environment.
        """
        self._changing: dict[tuple[int, str], float] = {}
        self._watched = watched
        self._mark = mark
        self._oldest = self._newest = ""
        """The range of start times of processes that may be ours."""
        self._empty_scans = 0

    def scan(self) -> list[table.Process]:
        """The remaining processes now."""
        processes = table.snapshot()
        self._oldest = processes[os.getpid()].started
        if self._empty_scans < EMPTY_SCANS:
            self._newest = table.newest_start(processes)
        of_our_time = [p for p in processes.values() if not p.zombie and self._may_be_ours(p)]
        self._find_changing(of_our_time)
        ours = {p.pid for p in table.marked(processes, self._mark)}
        ours |= {p.pid for p in processes.values() if p.group in self._watched.groups}
        seen = self._watched.seen
        ours |= {p.pid for p in processes.values() if seen.get(p.pid) == p.started}
        ours |= {p.pid for p in table.descendants(processes, *ours)}
        spared = self._watched.spared
        ours -= {*spared, *(p.pid for p in table.descendants(processes, *spared))}
        left = [p for p in processes.values() if p.pid in ours and not p.zombie]
        # Their orphans may be recognisable only as their descendants.
        seen.update((p.pid, p.started) for p in left)
        self._empty_scans = 0 if left else self._empty_scans + 1
        return left

    def _may_be_ours(self, process: table.Process) -> bool:
        return (
            process.pid != os.getpid()
            and table.is_later(process.started, self._oldest)
            and table.is_later(self._newest, process.started)
        )

    def _find_changing(self, of_our_time: Iterable[table.Process]) -> None:
        now = time.monotonic()
        changing = [(p.pid, p.started) for p in of_our_time if table.is_changing(p.pid)]
        self._changing = {key: self._changing.get(key, now) for key in changing}
        known_by = {key: first + EXEC_SECONDS for key, first in self._changing.items()}
        self.unknown = {key for key, moment in known_by.items() if now < moment}


def send(pid: int, number: signal.Signals) -> None:
    """Signal one process, which may be gone or no longer ours."""
    from contextlib import suppress  # a good part of a guard's start, and seldom needed

    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def command(mark: str, orchestrator: int) -> list[str]:
    """The command line that starts a guard with this interpreter; ``mark`` is ``NAME=value``."""
    from .own_program import own_program  # of the run, not of the guard

    return own_program(__name__, mark, orchestrator)
