"""A journal of 100,000 lines opened: from the checkpoint of its fold, and without one.

Beside it, a program that parses each of the lines with ``json``.
Run: python3 -m tests.bench.journal_scale
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Iterator, Mapping
from unittest import mock

from core.journal.journal import Journal
from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Usage, Work
from tests.support.paths import ROOT

from . import measure
from .measure import Run, median, run, scratch

LINES = 100_000
WITH_SECONDS, WITHOUT_SECONDS = 0.3, 3.0
"""Both stand in the goal, so they are absolute; what CI compares are ratios."""

FEATURES = (100, 1_000)
"""In the list: each is run again and again until the journal is full."""

OPEN = """\
import sys
sys.path.insert(0, sys.argv[1])
from core.journal.history import folded
import os
assert folded(sys.argv[2], os.environ).features
"""

PARSE = """\
import json, sys
with open(sys.argv[1], "rb") as file:
    for line in file:
        json.loads(line)
"""


def story(number: int, ids: list[str]) -> Iterator[Event]:
    """The events of a run in which every feature starts over and is completed."""
    run, at = f"20260101T{number:06}-abcdef", 1e9 + number * 1e4
    begin = {"pid": 1, "base_branch": "main", "base_commit": "b" * 40, "max_parallel": 4}
    yield events.run_started(at, run, features=ids, owner="feature_list.json", **begin)
    for id in ids:
        inputs = {"form": "2", "prompt": "p" * 64, "options": "o" * 64}
        decision = Decision(id, Action.START, "new", "k" * 64, inputs)
        outcome = AttemptOutcome(
            Status.COMPLETED,
            cost_usd=0.5,
            usage=Usage(1_000, 200, 3, 4),
            duration_ms=9_000,
            num_turns=7,
            session_id="s" * 36,
            result="It is done, and it works. " * 20,
        )
        begun = {"attempt": 1, "session_id": "s" * 36, "resumed": False, "log": "l" * 60}
        work = Work("d" * 40, 1, 2, 3)
        yield events.preparing(
            at, run, decision, branch=f"feature/{id}", worktree=f"/w/{id}", name=id
        )
        yield events.based(at, run, decision, start_commit="c" * 40, base_commit="c" * 40)
        yield events.setting_up(at, run, id)
        yield events.ready(at, run, id, made=["node_modules"])
        yield events.attempt_started(at, run, id, **begun)
        yield events.attempt_ended(at + 9, run, id, outcome)
        yield events.verifying(at + 9, run, id)
        yield events.committing(at + 9, run, id)
        yield events.checking(at + 9, run, id)
        yield events.ended(at + 10, run, id, FeatureOutcome(Status.COMPLETED, work=work))
    yield events.run_ended(at + 10, run, exit_code=0)


def write(folder: str, features: int) -> str:
    """A journal of so many lines in a state folder; its path."""
    journal, ids, left, number = Journal(folder), [f"f{n}" for n in range(features)], LINES, 0
    with mock.patch("os.fsync"):
        journal.open()
        while left:
            for event in story(number, ids):
                if left:
                    journal.append(event)
                    left -= 1
            number += 1
        journal.close()
    return journal.path


def main() -> int:
    """Measure each journal."""
    kept = [of(features) for features in (FEATURES[-1:] if measure.IS_SHORT else FEATURES)]
    return 0 if all(kept) else 1


def of(features: int) -> bool:
    """Measure one journal: without a checkpoint, then with the one that this made."""
    times = 3 if measure.IS_SHORT else 5
    with scratch() as (folder, env):
        path = write(os.path.join(folder, "state"), features)
        rounds = [_round(folder, path, env) for _ in range(times + 1)][1:]
    without, again, parsed, bare = zip(*rounds)
    name = f"{LINES} lines of {features} features"
    return all(
        (
            _show(f"{name}, without a checkpoint", without, parsed, WITHOUT_SECONDS),
            _show(f"{name}, from the checkpoint", again, bare, WITH_SECONDS),
        )
    )


def _show(name: str, ours: tuple[Run, ...], theirs: tuple[Run, ...], limit: float) -> bool:
    least = [min(run.cpu_seconds for run in side) for side in (ours, theirs)]
    beside = statistics.median(run.wall_seconds for run in theirs)
    return median(
        f"{name}: beside it {beside:.3f} s",
        [run.wall_seconds for run in ours],
        limit,
        " s",
        steady=least[0] / least[1],
    )


def _round(folder: str, path: str, env: Mapping[str, str]) -> tuple[Run, Run, Run, Run]:
    shutil.rmtree(os.path.join(env["HOME"], ".cache"), ignore_errors=True)
    opened = [sys.executable, "-c", OPEN, ROOT, os.path.dirname(path)]
    without, again = (run(opened, cwd=folder, env=env) for _ in range(2))
    parsed = run([sys.executable, "-c", PARSE, path], cwd=folder, env=env)
    bare = run([sys.executable, "-c", "import argparse, json"], cwd=folder, env=env)
    return without, again, parsed, bare


if __name__ == "__main__":
    sys.exit(main())
