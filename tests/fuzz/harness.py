"""Runs a property for a while, measures its cases, and keeps the input that broke it."""

from __future__ import annotations

import ast
import atexit
import os
import shutil
import signal
import tempfile
import time
import traceback
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

Case = Any
"""What a strategy makes: built of bytes, text, numbers and tuples, so that its repr is whole."""

ROUND = 250
"""Cases between two looks at the clock."""

SHRINK_SECONDS = 20
"""How long, beyond its time, a target may look for a smaller input that fails as well."""

HANG_SECONDS = 60
"""After so long a case is given up: it hangs."""


@dataclass(frozen=True)
class Target:
    """A property: ``check`` raises where a case breaks it, or takes too much processor time."""

    name: str
    cases: SearchStrategy[Case]
    check: Callable[[Case], None]
    limit_seconds: float = 2.0


@dataclass
class Score:
    """What came of a target."""

    name: str
    cases: int = 0
    seen: set[int] = field(default_factory=set)
    failures: int = 0
    longest_ms: float = 0.0
    kept: str = ""

    def __str__(self) -> str:
        row = f"{self.name:<14}{self.cases:>9}{len(self.seen):>10}{self.failures:>9}"
        return f"{row}{self.longest_ms:>13.1f}{self.kept}"


def heading() -> str:
    """Above the scores; the longest case is in processor time, which other work does not blur."""
    return f"{'target':<14}{'cases':>9}{'distinct':>10}{'failures':>9}{'longest, ms':>13}"


class Hang(AssertionError):
    """A case that does not end."""


class Slow(AssertionError):
    """A case that takes longer than its target allows."""


class _Attempts:
    """Tries cases until the time is over, and remembers the last one that failed."""

    def __init__(self, target: Target, seconds: float) -> None:
        self.target = target
        self.deadline = time.monotonic() + seconds
        self.score = Score(target.name)
        self.failed: tuple[Case, str] | None = None

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.deadline

    def __call__(self, case: Case) -> None:
        if self.over and (self.failed is None or time.monotonic() > self.deadline + SHRINK_SECONDS):
            return
        self.score.cases += 1
        self.score.seen.add(hash(case))
        began = time.process_time()
        try:
            check(self.target, case)
        except Exception:
            self.failed = case, traceback.format_exc()
            raise
        finally:
            took = 1000 * (time.process_time() - began)
            self.score.longest_ms = max(self.score.longest_ms, took)


def run(target: Target, seconds: float, number: int) -> Score:
    """Try a target for so long; the seed ``number`` gives the same cases again."""
    attempts = _Attempts(target, seconds)
    round_ = 0
    while not attempts.over and attempts.failed is None:
        rounds = settings(
            max_examples=ROUND,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        test = seed(number * 1_000_003 + round_)(rounds(given(target.cases)(attempts.__call__)))
        round_ += 1
        try:
            test()
        except Exception:
            if attempts.failed is None:
                raise
            attempts.score.failures += 1
            attempts.score.kept = f"  {_keep(target, attempts)}"
    return attempts.score


def check(target: Target, case: Case) -> None:
    """Try one case, which must neither hang nor take too long."""
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(HANG_SECONDS)
    began = time.process_time()
    try:
        target.check(case)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    took = time.process_time() - began
    if took > target.limit_seconds:
        raise Slow(f"took {took:.1f} s")


def _give_up(number: int, frame: FrameType | None) -> None:
    raise Hang(f"no end after {HANG_SECONDS} s")


def _keep(target: Target, attempts: _Attempts) -> str:
    """Save the input that failed last, which is the smallest; the file's path."""
    assert attempts.failed is not None
    case, trace = attempts.failed
    print(trace[-3000:])
    descriptor, path = tempfile.mkstemp(
        prefix=f"fuzz-{target.name.replace(' ', '-')}-", suffix=".txt"
    )
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{target.name}\n{case!a}\n")
    return path


def repeat(path: str, targets: Mapping[str, Target]) -> None:
    """Try the input in a file again."""
    with open(path, encoding="utf-8") as file:
        name, text = file.read().split("\n", 1)
    check(targets[name], ast.literal_eval(text))


# -- what the properties share ------------------------------------------------------------------


def scratch() -> str:
    """A folder in memory where there is one: most cases write a file. It goes at the end."""
    memory = "/dev/shm"
    folder = tempfile.mkdtemp(prefix="ror-fuzz-", dir=memory if os.path.isdir(memory) else None)
    atexit.register(shutil.rmtree, folder)
    return folder


def write(path: str, content: bytes) -> None:
    """Write a file."""
    with open(path, "wb") as file:
        file.write(content)


def assert_shown_clean(text: str, *, lines: bool = False) -> None:
    """No control, format or private direction mark, and no half of a pair, as it is printed."""
    for character in text:
        kind = unicodedata.category(character)
        if kind in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != "\u200d":
            assert lines and character == "\n", f"{character!r} in {text[:200]!r}"
