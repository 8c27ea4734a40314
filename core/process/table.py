"""The process table from /proc or `ps`: parents, groups, start times, environment marks."""

from __future__ import annotations

import os

from ..model.frozen import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HAS_PROC = os.path.exists("/proc/self/stat")


@dataclass(frozen=True)
class Process:
    """One process. ``started`` distinguishes it from a later one with the same pid."""

    pid: int
    parent: int
    group: int
    started: str
    zombie: bool = False


def snapshot() -> dict[int, Process]:
    """All processes, by pid."""
    if HAS_PROC:
        return {p.pid: p for p in map(_read_stat, _proc_pids()) if p is not None}
    return parse_ps(_ps("pid=,ppid=,pgid=,stat=,lstart="))  # pragma: no cover (macOS)


def _proc_pids() -> Iterable[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def started(pid: int) -> str:
    """The start time of a process; empty without /proc."""
    row = _read_stat(pid)
    return row.started if row is not None else ""


def _read_stat(pid: int) -> Process | None:
    try:
        return parse_stat(_read(f"/proc/{pid}/stat"))
    except OSError:
        return None


def _read(path: str) -> bytes:
    """A file of a page at most. ``open`` takes twice as long, and a scan reads hundreds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def parse_stat(line: bytes) -> Process:
    """A row of ``/proc/PID/stat``, see proc(5); its name may contain spaces and brackets."""
    head, _, tail = line.rpartition(b")")
    fields = tail.split(None, 20)
    return Process(
        pid=int(head.split(b" ", 1)[0]),
        parent=int(fields[1]),
        group=int(fields[2]),
        started=fields[19].decode(),
        zombie=fields[0] in (b"Z", b"X"),
    )


def parse_ps(text: str) -> dict[int, Process]:
    """Rows of ``ps -o pid=,ppid=,pgid=,stat=,lstart=`` (POSIX ps plus lstart)."""
    rows: dict[int, Process] = {}
    for line in text.splitlines():
        fields = line.split(None, 4)
        if len(fields) == 5:
            pid, parent, group = map(int, fields[:3])
            rows[pid] = Process(pid, parent, group, fields[4], fields[3].startswith("Z"))
    return rows


def _ps(columns: str) -> str:  # pragma: no cover (macOS)
    import subprocess

    done = subprocess.run(
        ["ps", "-A", "-E", "-ww", "-o", columns], stdout=subprocess.PIPE, check=False
    )
    return done.stdout.decode("utf-8", "replace")


def descendants(table: Mapping[int, Process], *roots: int, since: str = "") -> list[Process]:
    """Every process below ``roots``, parents first; a root only if it is below another one.

    Processes that started before ``since`` are left out, with their descendants.
    """
    children: dict[int, list[Process]] = {}
    for process in table.values():
        if not since or is_later(process.started, since):
            children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    queue = [*roots]
    while queue:
        below = children.pop(queue.pop(), [])
        found.extend(below)
        queue.extend(process.pid for process in below)
    return found


def marked(table: Mapping[int, Process], mark: str) -> list[Process]:
    """The processes whose initial environment has a variable with the prefix ``mark``."""
    if HAS_PROC:
        return [p for p in table.values() if not p.zombie and carries(p.pid, mark)]
    rows = _ps("pid=,command=").splitlines()  # pragma: no cover (macOS)
    pids = {int(row.split(None, 1)[0]) for row in rows if mark in row}  # pragma: no cover (macOS)
    return [p for p in table.values() if p.pid in pids]  # pragma: no cover (macOS)


def carries(pid: int, mark: str) -> bool:
    """Whether a process's initial environment has such a variable; False without /proc."""
    return b"\0" + mark.encode() in _environment(pid)


def _environment(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:
            return b"\0" + file.read()
    except OSError:
        return b""


def is_changing(pid: int) -> bool:
    """Whether a process is in exec and shows no environment."""
    try:
        return _environment(pid) == b"\0" and bool(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return False


def working_folder(pid: int) -> str:
    """The process's current folder, even a deleted one; empty without /proc."""
    try:
        return os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)")
    except OSError:
        return ""


def is_in_use(folder: str) -> bool:
    """Whether a process works below a folder, or has a file there open, as far as we may see.

    True without /proc, where nobody knows.
    """
    folder = os.path.realpath(folder)
    return not HAS_PROC or any(is_inside(each, [folder]) for each in _used_paths())


def _used_paths() -> Iterable[str]:
    """The current folders and the open files of all processes of ours."""
    from contextlib import suppress  # a third of a guard's start, which asks for none of this

    for pid in _proc_pids():
        yield working_folder(pid)
        with suppress(OSError):  # another user's
            for number in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):  # closed meanwhile
                    yield os.readlink(f"/proc/{pid}/fd/{number}")


def is_later(started: str, than: str) -> bool:
    """Whether a start time is not before another; False without /proc."""
    return started.isdigit() and int(started) >= int(than)


def newest_start(table: Mapping[int, Process]) -> str:
    """The latest start time; empty without /proc."""
    return max((p.started for p in table.values() if p.started.isdigit()), key=int, default="")


def is_inside(folder: str, folders: Iterable[str]) -> bool:
    """Whether a folder is one of ``folders`` or below one."""
    return any(folder == each or folder.startswith(each + os.sep) for each in folders)


def children_of_self() -> set[int] | None:
    """The pids of our direct children; ``None`` without /proc."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return set(map(int, file.read().split()))
    except OSError:
        return None
