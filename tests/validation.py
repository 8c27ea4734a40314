"""Builds the TODO application with the real Claude Code, and prints what docs/VALIDATION.md shows.

    RORCHESTRATOR_TEST_CLAUDE=/path/to/claude python3 -m tests.validation

The model is the stand-in for the Messages API, so nothing is paid for and nothing leaves loopback.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support import real_claude, todo_project
from tests.support.messages_api import Usage
from tests.support.page_samples import samples
from tests.support.todo_build import USE, TodoBuild, Typed, marker, model
from tests.support.workspace import Workspace

PAGE = "VALIDATION.md"

COMMANDS = {
    "plan": "plan",
    "rehearsal": "run --rehearse",
    "run": "run",
    "merge": "merge, cleanup, plan",
}
"""The steps that are shown, by the commands that they type."""

Json = Any


def figures(build: TodoBuild, typed: Mapping[str, Typed]) -> Iterator[str]:
    """The lines of the page's sample: what was done, how long it took, what it cost, what is left.

    Call it once: it uses the application that was built.
    """
    yield "$ python3 -m tests.validation"
    yield from _table(_steps(build, typed))
    yield ""
    yield from _table(_features(build))
    yield ""
    yield from _facts(build)
    yield ""
    yield f"On this machine: {_machine(build)}"


def lasting(lines: Sequence[str]) -> list[str]:
    """The lines without what differs from machine to machine: times, widths, the last line."""
    return [re.sub(r" {2,}", "  ", re.sub(r"\d+\.\ds", "0.0s", line)) for line in lines[:-1]]


def sample() -> list[str]:
    """The lines that the page shows."""
    (block,) = samples(PAGE)
    return block.splitlines()


def _steps(build: TodoBuild, typed: Mapping[str, Typed]) -> Iterator[Sequence[str]]:
    yield "TYPED", "TIME", "API CALLS", "OUTCOME"
    report = build.report("report")
    waves = len(report["waves"])
    done = f"{report['successful']} of {report['total_features']} features completed"
    outcomes = {
        "plan": f"{waves} waves, estimated ${report['estimated_cost_usd']:.2f}",
        "rehearsal": _line(typed["rehearsal"].said, "No problems found"),
        "run": done,
        "merge": f"{len(re.findall('^landed ', typed['merge'].said, re.M))} features on main",
    }
    before = 0
    for step, command in COMMANDS.items():
        block = typed[step]
        yield command, f"{block.seconds:.1f}s", str(block.calls - before), outcomes[step]
        before = block.calls


def _features(build: TodoBuild) -> Iterator[Sequence[str]]:
    yield "FEATURE", "STATUS", "TIME", "ATTEMPTS", "API CALLS", "TOKENS", "COST", "CHECKS", "FILES"
    checks = [event.get("feature") for event in _journal(build) if event["event"] == "checked"]
    for result in build.report("results"):
        id = result["feature_id"]
        yield (
            *(id, result["status"], f"{result['duration_ms'] / 1000:.1f}s"),
            *(str(len(result["attempts"])), str(len(build.api.calls(marker(id))))),
            *(f"{sum(result['usage'].values()):,}", f"${result['cost_usd']:.6f}"),
            *(str(checks.count(id)), str(result["files_changed"])),
        )


def _facts(build: TodoBuild) -> Iterator[str]:
    cost = build.report("report")["total_cost_usd"]
    billed: Usage = build.api.billed().usage
    yield f"Cost in the report: ${cost:.6f}; billed: ${billed.cost_usd():.6f}"
    tests = build.types(todo_project.TESTS).said
    yield f"Tests of the application on main: {_line(tests, 'Ran ')}, {tests.split()[-1]}"
    yield f"Used after the merge: {', '.join(build.types(USE).said.splitlines()[-2:])}"
    worktrees = len(build.git("worktree", "list")) - 1
    branches = len(build.git("branch")) - 1
    processes = len(build.workspace.processes())
    yield f"Left: {worktrees} worktrees, {branches} branches beside main, {processes} processes"


def _machine(build: TodoBuild) -> str:
    (claude,) = build.report("report")["versions"]["claude"]
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True)
    python = f"Python {platform.python_version()}, {platform.system()}"
    return f"Claude Code {claude}, {git.stdout.strip()}, {python}, {os.cpu_count()} CPUs"


def _journal(build: TodoBuild) -> list[Json]:
    text = Path(build.path, ".git", "rorchestrator", "journal.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _line(text: str, beginning: str) -> str:
    """The first line that begins so, without its full stop and without a time."""
    found = next(line for line in text.splitlines() if line.startswith(beginning))
    return found.partition(" in ")[0].rstrip(".")


def _table(rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """Rows with aligned columns."""
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def main() -> int:
    """Play it once; whether the page shows the same."""
    if real_claude.executable() is None:
        print(real_claude.reason_to_skip(), file=sys.stderr)
        return 2
    with Workspace(apart=True) as workspace, model() as api:
        build = TodoBuild(workspace, api)
        lines = list(figures(build, build.play()))
    print("\n".join(lines))
    if lasting(lines) == lasting(sample()):
        return 0
    print(f"docs/{PAGE} shows something else", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
