"""The guard: a small process that ends what a killed orchestrator left behind.

Its standard input is a pipe whose other end the orchestrator holds. Children write ``+PID``
into it before they exec; the orchestrator writes ``-PID`` once it has reaped one. When the
pipe closes, every group still registered is ended, and whatever carries the run's mark too.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

from . import table

GRACE_SECONDS = 1.0
GIVE_UP_SECONDS = 5.0
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(mark: str) -> None:
    """Watch the pipe on standard input until it closes, then end what is left of the run."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    groups, finished = watch(0)
    if not finished:
        end_all(groups, mark)


def watch(pipe: int) -> tuple[set[int], bool]:
    """Read registrations until end of file: the groups left, and whether we were dismissed."""
    groups: set[int] = set()
    held = b""
    finished = False
    while True:
        chunk = os.read(pipe, 65536)
        if not chunk:
            return groups, finished
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"+"):
                groups.add(int(line[1:]))
            elif line.startswith(b"-"):
                groups.discard(int(line[1:]))
            else:
                finished = True


def end_all(groups: set[int], mark: str) -> None:
    """TERM to every group and every marked process, a grace, then KILL until none is left."""
    for process in _living(groups, mark):
        send(process.pid, signal.SIGTERM)
    begun = time.monotonic()
    while (left := _living(groups, mark)) and time.monotonic() < begun + GIVE_UP_SECONDS:
        if time.monotonic() > begun + GRACE_SECONDS:
            for process in left:
                send(process.pid, signal.SIGKILL)
        time.sleep(0.02)


def _living(groups: set[int], mark: str) -> list[table.Process]:
    processes = table.snapshot()
    carriers = {process.pid for process in table.marked(processes, mark)}
    return [
        process
        for process in processes.values()
        if not process.zombie
        and process.pid != os.getpid()
        and (process.group in groups or process.pid in carriers)
    ]


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
