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
from typing import BinaryIO

from tests.support.paths import ORCHESTRATE

TOOL = (sys.executable, ORCHESTRATE)

ERROR_BYTES = 2000
"""How much of its standard error a failed command is quoted with."""


@dataclass(frozen=True)
class Run:
    """One finished process."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def run(argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> Run:
    """Run a command to its end, its output thrown away; it must succeed.

    Raises :class:`SystemExit` with the end of its standard error if it fails.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream, target in enumerate((nowhere, nowhere, errors.fileno())):
                os.dup2(target, stream)
            os.chdir(cwd)
            os.execvpe(argv[0], list(argv), dict(env))
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - started
        if status:
            code = os.waitstatus_to_exitcode(status)
            raise SystemExit(f"{' '.join(argv)} ended with {code}: {_end_of(errors)}")
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale)


def _end_of(file: BinaryIO) -> str:
    """The last bytes of a file."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - ERROR_BYTES))
    return file.read().decode(errors="replace").strip()


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
    """A measured figure beside its limit. ``name`` stays the same from run to run."""

    name: str
    value: float
    limit: float
    unit: str = ""
    low: float | None = None
    """The least and the greatest single figure, if it is the median of several."""
    high: float | None = None
    count: int = 1
    detail: str = ""
    """What the ratio was made of, such as two times."""
    steady: float | None = None
    """The ratio of the least CPU times, which other processes disturb least."""

    @property
    def is_kept(self) -> bool:
        """Whether it is within its limit."""
        return self.value <= self.limit

    @property
    def guarded(self) -> float:
        """What is compared with the reference of the short form."""
        return self.value if self.steady is None else self.steady

    @property
    def noise(self) -> str:
        """From the least to the greatest single figure, and how many there were."""
        if self.low is None or self.high is None:
            return ""
        return f"{digits(self.low)}–{digits(self.high)} ({self.count})"

    def __str__(self) -> str:
        parts = [f"{self.name}: {digits(self.value)}{self.unit}", self.noise, self.detail]
        kept = "kept" if self.is_kept else "NOT KEPT"
        return f"{', '.join(filter(None, parts))} (limit {self.limit:g}{self.unit}) {kept}"


def digits(value: float) -> str:
    """A number with three digits, and at least two of them behind the point of a ratio."""
    return f"{value:.3f}" if value < 2 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


FIGURES: list[Figure] = []
"""What was measured so far in this process."""

IS_SHORT = False
"""Whether the short form runs: fewer and smaller measurements."""


def in_turn(
    ours: Callable[[], Run], theirs: Callable[[], Run], times: int
) -> tuple[list[Run], list[Run]]:
    """Each side once to warm up, then in turn."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(times)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def show(
    name: str, ours: Sequence[Run], theirs: Sequence[Run], limit: float, *, cpu: bool = False
) -> bool:
    """Print medians and the median ratio of the pairs; whether it keeps the limit.

    The ratio is that of the wall times, or of the ``cpu`` times.
    """
    taken = [
        [run.cpu_seconds if cpu else run.wall_seconds for run in side] for side in (ours, theirs)
    ]
    times = [f"{statistics.median(side) * 1000:.1f} ms" for side in taken]
    least = [min(run.cpu_seconds for run in side) for side in (ours, theirs)]
    return median(
        f"{name}: {times[0]} against {times[1]}{' of CPU' if cpu else ''}",
        [a / b for a, b in zip(*taken)],
        limit,
        steady=least[0] / max(least[1], 1e-4),
    )


def median(
    words: str, found: Sequence[float], limit: float, unit: str = "", steady: float | None = None
) -> bool:
    """Print the median of several figures, their noise and their limit; whether it is kept.

    What follows a colon in ``words`` is a detail that differs from run to run.
    """
    middle, (name, detail) = statistics.median(found), _split(words)
    noise = (min(found), max(found), len(found))
    return _told(Figure(name, middle, limit, unit, *noise, detail=detail, steady=steady))


def verdict(
    words: str, figure: float, limit: float, unit: str = "", steady: float | None = None
) -> bool:
    """Print a figure beside its limit; whether it keeps it."""
    name, detail = _split(words)
    return _told(Figure(name, figure, limit, unit, detail=detail, steady=steady))


def _split(words: str) -> tuple[str, str]:
    name, _, detail = words.partition(":")
    return name, detail.strip()


def _told(figure: Figure) -> bool:
    FIGURES.append(figure)
    print(figure, flush=True)
    return figure.is_kept
