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
from collections.abc import Mapping
from contextlib import suppress

from . import table

GRACE_SECONDS = 1.0
GIVE_UP_SECONDS = 5.0
QUIET_LOOKS = 3
"""So often in a row nothing is seen before all is gone: a table is not read in one moment."""

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
    quiet = 0
    while quiet < QUIET_LOOKS and time.monotonic() < begun + GIVE_UP_SECONDS:
        processes = table.snapshot()
        left = _living(processes, watched, mark)
        for process in left:
            if time.monotonic() > begun + GRACE_SECONDS:
                send(process.pid, signal.SIGKILL)
            elif process.pid not in asked:
                send(process.pid, signal.SIGTERM)
                asked.add(process.pid)
        quiet = 0 if left or _somebody_changes(processes) else quiet + 1
        time.sleep(0.02)


def _living(
    processes: Mapping[int, table.Process], watched: Watched, mark: str
) -> list[table.Process]:
    carriers = {process.pid for process in table.marked(processes, mark)}
    begun = processes[os.getpid()].started
    return [
        process
        for process in processes.values()
        if not process.zombie
        and process.pid != os.getpid()
        and (
            process.group in watched.groups
            or process.pid in carriers
            or _works_there(process, watched.folders, begun)
        )
    ]


def _somebody_changes(processes: Mapping[int, table.Process]) -> bool:
    """Whether it can't be told yet whose a process is that was started after us."""
    begun = processes[os.getpid()].started
    return any(
        not p.zombie and table.is_later(p.started, begun) and table.is_changing(p.pid)
        for p in processes.values()
    )


def _works_there(process: table.Process, folders: set[str], begun: str) -> bool:
    """Whether it cleared its environment and left its group, but not the folder.

    Not a shell or an editor that the user opened there: that one has a terminal, or is older.
    """
    if process.terminal or not table.is_later(process.started, begun):
        return False
    return table.is_inside(table.working_folder(process.pid), folders)


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
