"""Runs the benchmarks one after the other and prints one table: ``python3 -m tests.bench``.

Each figure is beside its limit; exit code 1 if one is above it. Arguments are names of benchmarks;
without any, all run. ``--short`` is what CI runs: it takes less than a minute, compares ratios of
CPU times with those of ``reference.json``, and fails where one is greater by more than its margin.
``--update`` writes that file, ``--publish`` the table and the picture of docs/PERFORMANCE.md; with
names, the rows of other benchmarks stay.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from unittest import mock

from . import measure, picture, reference
from .measure import Figure
from .report import PUBLISHED, document, published, renewed, table

SHORT = ("schedule_quality", "startup", "completion", "plan_scale", "journal_scale", "history")
"""Those whose figures are ratios of CPU times, or simulated."""

LONG = (
    *(
        "makespan",
        "own_cost",
        "large_repository",
        "landing",
        "assist",
        "rehearsal_scale",
        "unmerged",
    ),
    *("views", "web", "flood", "setup_cache"),
)

AGAIN = 2
"""How often the short form measures a figure again that is beyond its margin."""

FOLDER = Path(__file__).resolve().parent
PICTURE = FOLDER.parent.parent / "docs" / "performance.svg"


def measured(names: Sequence[str], failed: list[str]) -> Iterator[tuple[str, Figure]]:
    """The figures of each benchmark, and which ``failed``; they print to standard error.

    Each has a process of its own: a child's peak memory begins with that of its parent.
    """
    for name in names:
        begun = time.monotonic()
        print(f"-- {name}", file=sys.stderr, flush=True)
        form = ["--short"] if measure.IS_SHORT else []
        argv = [sys.executable, "-m", __package__, name, "--alone", *form]
        said = subprocess.run(argv, stdout=subprocess.PIPE, cwd=FOLDER.parent.parent)
        print(f"   {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        if said.returncode:
            failed.append(name)
            continue
        yield from ((name, Figure(**row)) for row in json.loads(said.stdout))


def alone(name: str) -> int:
    """Measure in this process, and print the figures as JSON."""
    module = importlib.import_module(f"{__package__}.{name}")
    with mock.patch.object(sys, "argv", [name]), mock.patch.object(sys, "stdout", sys.stderr):
        module.main()
    print(json.dumps([asdict(figure) for figure in measure.FIGURES]))
    return 0


def main() -> int:
    """Measure, print and write; the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*SHORT, *LONG, []])
    parser.add_argument("--short", action="store_true", help="what CI runs")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--svg", metavar="FILE", help="write them as a picture")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--update", action="store_true", help="make the figures the reference of --short"
    )
    form.add_argument("--publish", action="store_true", help="write those of docs/PERFORMANCE.md")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    measure.IS_SHORT = options.short or options.update
    if options.publish and options.short:
        parser.error("--publish needs all measurements: leave --short out")
    names = options.names or (SHORT if measure.IS_SHORT else (*SHORT, *LONG))
    if options.alone:
        return alone(*names)
    begun = time.monotonic()
    failed: list[str] = []
    found = list(measured(names, failed))
    print("\n".join(table(found)))
    for name in failed:
        print(f"{name} ended with an error")
    print(f"{len(found)} figures in {time.monotonic() - begun:.0f} s")
    _write(options.json, _text(document(found)))
    _write(options.svg, picture.svg(found))
    if options.update:
        reference.update(found)
    if options.publish:
        _publish(found)
    if failed:
        return 1
    if options.short:
        return _compared(found)
    return 0 if options.update or all(figure.is_kept for _, figure in found) else 1


def _compared(found: list[tuple[str, Figure]]) -> int:
    """Compare with the reference; what is worse is measured again first."""
    for _ in range(AGAIN):
        names = reference.worse(found)
        if not names:
            break
        print(f"measured again: {', '.join(names)}")
        found = reference.least(found, list(measured(names, [])))
    return reference.check(found)


def _publish(found: Sequence[tuple[str, Figure]]) -> None:
    """Write the figures, the picture, and the tables of the page."""
    from tests import pages

    before = published(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    together = renewed(before, found, (*SHORT, *LONG))
    _write(str(PUBLISHED), _text(document(together)))
    _write(str(PICTURE), picture.svg(together))
    pages.main()


def _text(document: dict[str, object]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _write(path: str | None, text: str) -> None:
    if path:
        Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
