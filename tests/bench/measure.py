"""Whole-process figures: both sides in turn, medians, and the ratio pair by pair."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.paths import ORCHESTRATE

TOOL = (sys.executable, ORCHESTRATE)


@dataclass(frozen=True)
class Run:
    """One finished process."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def run(argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> Run:
    """Run a command to its end, its output thrown away; it must succeed."""
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        os.chdir(cwd)
        os.execvpe(argv[0], list(argv), dict(env))
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(argv)} ended with {os.waitstatus_to_exitcode(status)}")
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale)


@contextmanager
def scratch() -> Iterator[tuple[str, dict[str, str]]]:
    """A temporary folder, and an environment with a HOME and a git of its own in it."""
    with tempfile.TemporaryDirectory(prefix="rorchestrator-bench-") as folder:
        home = os.path.join(folder, "home")
        os.mkdir(home)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Bench",
            "GIT_AUTHOR_EMAIL": "bench@localhost",
            "GIT_COMMITTER_NAME": "Bench",
            "GIT_COMMITTER_EMAIL": "bench@localhost",
            # As installed: compiled once, wherever the sources may not be written to.
            "PYTHONPYCACHEPREFIX": os.path.join(folder, "pycache"),
        }
        yield folder, env


def repository(folder: str, env: Mapping[str, str]) -> str:
    """A repository with one commit."""
    path = os.path.join(folder, "repository")
    run(["git", "init", "-q", "-b", "main", path], cwd=folder, env=env)
    run(["git", "commit", "-q", "--allow-empty", "-m", "start"], cwd=path, env=env)
    return path


@dataclass(frozen=True)
class Figure:
    """A measured figure beside its limit."""

    name: str
    value: float
    limit: float
    unit: str = ""
    low: float | None = None
    """The least and the greatest single figure, if it is the median of several."""
    high: float | None = None
    count: int = 1

    @property
    def is_kept(self) -> bool:
        """Whether it is within its limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        value, limit = f"{self.value:.2f}{self.unit}", f"limit {self.limit:g}{self.unit}"
        noise = "" if self.low is None else f", {self.low:.2f} to {self.high:.2f}"
        kept = "kept" if self.is_kept else "NOT KEPT"
        return f"{self.name}: {value}{noise} ({limit}) {kept}"


FIGURES: list[Figure] = []
"""What was measured so far in this process."""


def in_turn(
    ours: Callable[[], Run], theirs: Callable[[], Run], times: int
) -> tuple[list[Run], list[Run]]:
    """Each side once to warm up, then in turn."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(times)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def show(name: str, ours: Sequence[Run], theirs: Sequence[Run], limit: float) -> bool:
    """Print medians and the median ratio of the pairs; whether it keeps the limit."""
    walls = [
        f"{statistics.median(r.wall_seconds for r in s) * 1000:.1f} ms" for s in (ours, theirs)
    ]
    ratios = [a.wall_seconds / b.wall_seconds for a, b in zip(ours, theirs)]
    return median(f"{name}: {walls[0]} against {walls[1]}", ratios, limit)


def median(words: str, found: Sequence[float], limit: float, unit: str = "") -> bool:
    """Print the median of several figures, their noise and their limit; whether it is kept."""
    middle = statistics.median(found)
    return _told(Figure(words, middle, limit, unit, min(found), max(found), len(found)))


def verdict(words: str, figure: float, limit: float, unit: str = "") -> bool:
    """Print a figure beside its limit; whether it keeps it."""
    return _told(Figure(words, figure, limit, unit))


def _told(figure: Figure) -> bool:
    FIGURES.append(figure)
    print(figure, flush=True)
    return figure.is_kept
