"""The guard: a small process that ends what a killed orchestrator left behind.

Its standard input is a pipe whose other end the orchestrator holds. Children write ``+PID``
into it before they exec; the orchestrator writes ``-PID`` once it has reaped one, and
``=FOLDER`` for each folder that a child works in. When the pipe closes, every group still
registered is ended, and so is whatever carries the run's mark, or works in such a folder
without a terminal and was started after us.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from . import table

GRACE_SECONDS = 1.0
GIVE_UP_SECONDS = 5.0
QUIET_LOOKS = 3
"""So often in a row nothing is seen before all is gone: a table is not read in one moment."""

CHANGE_SECONDS = 0.3
"""No program takes as long to begin: what still shows no environment was given an empty one."""

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(mark: str) -> None:
    """Watch the pipe on standard input until it closes, then end what is left of the run."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    watched = watch(0)
    if not watched.finished:
        end_all(watched, mark)


class Watched:
    """What was registered, and whether we were dismissed."""

    def __init__(self) -> None:
        self.groups: set[int] = set()
        self.folders: set[str] = set()
        self.finished = False

    def note(self, line: bytes) -> None:
        """Take one line of the pipe."""
        if line.startswith(b"+"):
            self.groups.add(int(line[1:]))
        elif line.startswith(b"-"):
            self.groups.discard(int(line[1:]))
        elif line.startswith(b"="):
            self.folders.add(os.fsdecode(line[1:]))
        else:
            self.finished = True


def watch(pipe: int) -> Watched:
    """Read registrations until end of file."""
    watched = Watched()
    held = b""
    while True:
        chunk = os.read(pipe, 65536)
        if not chunk:
            return watched
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            watched.note(line)


def end_all(watched: Watched, mark: str) -> None:
    """TERM to all that is left of the run, a grace, then KILL until none is left."""
    begun = time.monotonic()
    asked: set[int] = set()
    remains = Remains(watched, mark)
    quiet = 0
    while quiet < QUIET_LOOKS and time.monotonic() < begun + GIVE_UP_SECONDS:
        left = remains.look()
        for process in left:
            if time.monotonic() > begun + GRACE_SECONDS:
                send(process.pid, signal.SIGKILL)
            elif process.pid not in asked:
                send(process.pid, signal.SIGTERM)
                asked.add(process.pid)
        quiet = 0 if left or remains.unknown else quiet + 1
        time.sleep(0.02)


class Remains:
    """What is left of the run, look by look."""

    def __init__(self, watched: Watched, mark: str) -> None:
        self.unknown: set[tuple[int, str]] = set()
        """Those of which it can't be told yet whose they are: they are in their exec.

        None is unknown for long: a stranger may have been given no environment at all.
        """
        self._changing: dict[tuple[int, str], float] = {}
        self._watched = watched
        self._mark = mark
        self._any_run = mark.partition("=")[0] + "="
        self._oldest = self._newest = ""
        """When the first and the last could begin that may be ours."""
        self._without = 0

    def look(self) -> list[table.Process]:
        """The processes that are left now."""
        processes = table.snapshot()
        self._oldest = processes[os.getpid()].started
        if self._without < QUIET_LOOKS:
            self._newest = table.newest_start(processes)
        of_our_time = [p for p in processes.values() if not p.zombie and self._may_be_ours(p)]
        self._look_at_changes(of_our_time)
        ours = {p.pid for p in table.marked(processes, self._mark)}
        ours |= {p.pid for p in processes.values() if p.group in self._watched.groups}
        ours |= {p.pid for p in of_our_time if self._works_there(p)}
        left = [p for p in processes.values() if p.pid in ours and not p.zombie]
        self._without = 0 if left else self._without + 1
        return left

    def _may_be_ours(self, process: table.Process) -> bool:
        return (
            process.pid != os.getpid()
            and table.is_later(process.started, self._oldest)
            and table.is_later(self._newest, process.started)
        )

    def _look_at_changes(self, of_our_time: Iterable[table.Process]) -> None:
        now = time.monotonic()
        changing = [(p.pid, p.started) for p in of_our_time if table.is_changing(p.pid)]
        self._changing = {key: self._changing.get(key, now) for key in changing}
        known_by = {key: first + CHANGE_SECONDS for key, first in self._changing.items()}
        self.unknown = {key for key, moment in known_by.items() if now < moment}

    def _works_there(self, process: table.Process) -> bool:
        """Whether it cleared its environment and left its group, but not the folder.

        Not a shell or an editor that the user opened there: that one has a terminal, or is older.
        Nor what a next run began in the meantime: that one carries another mark, or is younger.
        """
        return (
            not process.terminal
            and (process.pid, process.started) not in self.unknown
            and not table.carries(process.pid, self._any_run)
            and table.is_inside(table.working_folder(process.pid), self._watched.folders)
        )


def send(pid: int, number: signal.Signals) -> None:
    """Signal one process; it may be gone, or no longer ours, and that is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def command(mark: str) -> list[str]:
    """The command line that starts a guard with this interpreter; ``mark`` is ``NAME=value``."""
    package = __name__.rpartition(".process.")[0]
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    program = (
        f"import sys; sys.path.insert(0, {root!r}); "
        f"from {package}.process.guard import main; main({mark!r})"
    )
    return [sys.executable, "-I", "-S", "-c", program]
