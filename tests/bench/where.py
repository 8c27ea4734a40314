"""Where the time of a run goes: a run that writes down what it did, and the table of it.

The program calls the command in its own process, with a few functions of the system counted.
"""

from __future__ import annotations

import json
import os
import resource
import runpy
import selectors
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from core.journal.journal import Journal
from core.model.events import Event
from tests.support.paths import ORCHESTRATE

from .recorded_git import Command

T = TypeVar("T")

ROOT = os.path.dirname(ORCHESTRATE)
WORDS = f"import sys; sys.path.insert(0, {ROOT!r}); from tests.bench.where import main; main()"
PROGRAM = (sys.executable, "-c", WORDS)

NAME = "where.json"


class Clock:
    """Adds up the calls of functions and the seconds that they take."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., T]) -> Callable[..., T]:
        """The function, counted under a name."""

        def counted(*words: Any, **options: Any) -> T:
            begun = time.perf_counter()
            try:
                return function(*words, **options)
            finally:
                self.calls[name] += 1
                self.seconds[name] += time.perf_counter() - begun

        return counted


def cpu_seconds() -> float:
    """CPU time of this process and of its children that ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def read(env: Mapping[str, str]) -> dict[str, Any]:
    """What the last run wrote down."""
    with open(os.path.join(env["HOME"], NAME)) as file:
        found: dict[str, Any] = json.load(file)
    return found


def table(found: Mapping[str, Any], commands: Sequence[Command], features: int) -> Iterator[str]:
    """Lines of a Markdown table: what a feature takes, in milliseconds."""
    yield "| part | a feature | ms |"
    yield "|---|---|---|"
    by_name: dict[str, list[Command]] = defaultdict(list)
    for one in commands:
        by_name[f"git {one.name}"].append(one)
    for name, each in sorted(by_name.items(), key=lambda pair: -sum(c.seconds for c in pair[1])):
        if len(each) > features / 20:
            took = sum(one.seconds for one in each) / features * 1000
            yield f"| `{name}` itself | {len(each) / features:.2f} | {took:.1f} |"
    for name in found["calls"]:
        count, took = found["calls"][name] / features, found["seconds"][name] / features * 1000
        yield f"| {name} | {count:.1f} | {took:.1f} |"
    for name, took in found["cpu"].items():
        yield f"| {name} | | {took / features * 1000:.1f} |"
    yield f"| context switches, voluntary and not | {found['switches'] / features:.0f} | |"
    yield f"| the whole run | | {found['wall'] / features * 1000:.1f} |"


def main() -> None:
    """Run the command, count, and write it down."""
    clock, begun = Clock(), time.perf_counter()
    os.posix_spawn = clock.timed("starting a process (`posix_spawn`)", os.posix_spawn)
    os.fsync = clock.timed("`fsync`", os.fsync)
    selector = selectors.DefaultSelector
    waiting = clock.timed("waiting for children and timers", selector.select)
    selector.select = waiting  # type: ignore[method-assign]
    ends: list[float] = []
    append = Journal.append

    def noted(journal: Journal, event: Event) -> Event:
        if event.kind == "ended":
            ends.append(cpu_seconds())
        return append(journal, event)

    Journal.append = noted  # type: ignore[method-assign]
    sys.argv = [ORCHESTRATE, *sys.argv[1:]]
    try:
        runpy.run_path(ORCHESTRATE, run_name="__main__")
    finally:
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = {
            "calls": clock.calls,
            "seconds": clock.seconds,
            "cpu": {
                "CPU of `run` itself, user": own.ru_utime,
                "CPU of `run` itself, system": own.ru_stime,
                "CPU of its children, user": children.ru_utime,
                "CPU of its children, system": children.ru_stime,
            },
            "ends": ends,
            "switches": own.ru_nvcsw + own.ru_nivcsw,
            "wall": time.perf_counter() - begun,
        }
        with open(os.path.join(os.environ["HOME"], NAME), "w") as file:
            json.dump(found, file)


if __name__ == "__main__":
    main()
