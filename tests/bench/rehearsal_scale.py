"""``plan`` and the checks of a rehearsal at 2,000 and 4,000 features: does the time only double?

Each feature needs up to three earlier ones and has a setup and a check of its own. In one list, all
branches are taken; in the other one, all features were completed before and are to run again.

Run: python3 -m tests.bench.rehearsal_scale
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from core.journal.journal import Journal
from core.model import events
from core.model.decision import Action, Decision
from core.model.mask import Mask
from core.model.outcome import FeatureOutcome, Status, Work
from core.orchestrator.run_options import RunOptions
from core.process.signals import Signals
from core.project.decisions import decide, make_plan
from core.project.open import OpenProject, open_project
from core.project.selection import ALL, Selection
from core.rehearsal.findings import Finding, FindingKind
from core.rehearsal.rehearsal import Rehearsal, RehearsalOptions
from core.reporter.plan_text import plan_lines
from core.reporter.style import Style
from tests.support.paths import SIMULATED

from .measure import median, repository, run, scratch

FEATURES = 2_000
TIMES = 5
LIMIT = 2.5
"""2 is linear, 4 is quadratic."""
RUN = "20260101T000000-abcdef"


@contextmanager
def project_of(count: int, *, completed: bool) -> Iterator[str]:
    """The path of a list with so many features."""
    with scratch() as (folder, env), mock.patch.dict(os.environ, env, clear=True):
        path = repository(folder, env)
        ids = [f"f{number}" for number in range(count)]
        with open(os.path.join(path, "feature_list.json"), "w") as file:
            json.dump(_document(ids), file)
        run(["git", "add", "."], cwd=path, env=env)
        run(["git", "commit", "-q", "-m", "the list"], cwd=path, env=env)
        with open(os.path.join(path, ".git", "refs", "heads", "main")) as file:
            commit = file.read().strip()
        refs = [f"refs/heads/feature/{id}" for id in ids]
        if completed:
            refs += [f"refs/rorchestrator/results/{id}/{RUN}" for id in ids]
            _write_journal(path, ids, commit)
        with open(os.path.join(path, ".git", "packed-refs"), "w") as file:
            file.write("# pack-refs with: peeled fully-peeled sorted \n")
            file.writelines(f"{commit} {ref}\n" for ref in sorted(refs))
        yield os.path.join(path, "feature_list.json")


def _document(ids: list[str]) -> dict[str, object]:
    chance = random.Random(7)
    return {
        "project": {"name": "bench", "verify": ["true"]},
        "claude": {"command": [sys.executable, SIMULATED]},
        "features": [
            {
                "id": id,
                "depends_on": [ids[d] for d in sorted(chance.sample(range(i), min(i, i % 4)))],
                "prompt": f"Do number {i}.",
                "setup": ["true"],
                "verify": [f"test {i} -ge 0"],
            }
            for i, id in enumerate(ids)
        ],
    }


def _write_journal(path: str, ids: list[str], commit: str) -> None:
    journal = Journal(os.path.join(path, ".git", "rorchestrator"), Mask({}))
    with mock.patch("os.fsync"):
        journal.open()
        begin = {"pid": 1, "base_branch": "main", "base_commit": commit, "max_parallel": 3}
        journal.append(
            events.run_started(1.0, RUN, features=ids, owner="feature_list.json", **begin)
        )
        for id in ids:
            decision = Decision(id, Action.START, "new", "key", {"form": "2", "prompt": "old"})
            branch = f"feature/{id}"
            journal.append(
                events.preparing(1.0, RUN, decision, branch=branch, worktree=f"/w/{id}", name=id)
            )
            journal.append(
                events.based(1.0, RUN, decision, start_commit=commit, base_commit=commit)
            )
            ended = FeatureOutcome(Status.COMPLETED, work=Work(commit, 1, 1, 0))
            journal.append(events.ended(2.0, RUN, id, ended))
        journal.append(events.run_ended(3.0, RUN, exit_code=0))
        journal.close()


def decided(project: OpenProject) -> None:
    """Decide what to do with each feature."""
    decide(project, project.state(), Selection())


def planned(project: OpenProject) -> None:
    """Make and render the plan."""
    decisions = decide(project, project.state(), Selection(fresh=ALL))
    plan = make_plan(project, decisions, 3, list(decisions))
    list(plan_lines(plan, Style(), verbose=True))


def rehearsed(project: OpenProject) -> None:
    """Check the project as a rehearsal does, with a finding of each feature, and show them all."""
    with Signals() as handlers:
        options = RehearsalOptions(RunOptions(Selection(fresh=ALL)), merge=True)
        rehearsal = Rehearsal(project, options, handlers, print, (), _nothing)
        rehearsal.check_project()
    notes = rehearsal.notes
    for id in project.dag.features:
        notes.met(Finding(FindingKind.SETUP, "setup: `true` failed", "fix it", (id,)))
        notes.met(Finding(FindingKind.SETUP, f"setup: `test {id}` failed", "fix it", (id,)))
        with notes.timed(id, "setup"):
            notes.explains(f"check: `test {id}` ended with exit 1")
    json.dumps(notes.document(project.dag))
    list(notes.lines(project.dag, Style()))


async def _nothing() -> None:
    """Nothing is redrawn."""


PARTS: dict[str, Callable[[OpenProject], None]] = {
    "decide": decided,
    "plan": planned,
    "the rehearsal's checks": rehearsed,
}


def seconds_of(part: Callable[[OpenProject], None], project: OpenProject) -> float:
    """The CPU time of one part in this process, which other processes disturb least."""
    gc.collect()
    begun = time.process_time()
    part(project)
    return time.process_time() - begun


def main() -> int:
    """Print the seconds of each part, and their ratio beside its limit."""
    kept = []
    for completed, name in ((False, "branches taken"), (True, "completed before")):
        with ExitStack() as stack:
            paths = [
                stack.enter_context(project_of(count, completed=completed))
                for count in (FEATURES, 2 * FEATURES)
            ]
            projects = [open_project(path, "", Mask({})) for path in paths]
            for part, do in PARTS.items():
                # In turn: the machine may be slower for a while.
                times = [[seconds_of(do, each) for each in projects] for _ in range(TIMES)]
                few, many = map(min, zip(*times))
                words = f"{part}, {name}, {2 * FEATURES} ÷ {FEATURES} features: {many:.2f} s"
                words += f" against {few:.2f} s of CPU"
                ratios = [more / less for less, more in times]
                kept.append(median(words, ratios, LIMIT, steady=many / few))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
