"""Runs the benchmarks one after the other and prints one table: ``python3 -m tests.bench``.

Each figure is beside its limit. Exit code 1 if one is above it. Arguments are names of benchmarks;
without any, all run. ``--short`` runs those that take seconds, as CI does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from unittest import mock
from xml.sax.saxutils import escape

from . import measure
from .measure import Figure

SHORT = ("schedule_quality", "plan_scale", "startup", "completion", "history")
LONG = (
    *("makespan", "own_cost", "landing", "assist", "rehearsal_scale", "unmerged", "views", "web"),
    "flood",
)

BAR, LINE, MARGIN = 320, 22, 12
"""Pixels: the width of a bar at its limit, the height of a line, and the margin."""


def measured(names: Sequence[str]) -> Iterator[tuple[str, Figure]]:
    """The figures of each benchmark; what it prints goes to standard error."""
    for name in names:
        print(f"-- {name}", file=sys.stderr, flush=True)
        measure.FIGURES.clear()
        module = importlib.import_module(f"{__package__}.{name}")
        with mock.patch.object(sys, "argv", [name]), mock.patch.object(sys, "stdout", sys.stderr):
            module.main()
        yield from ((name, figure) for figure in measure.FIGURES)


def table(found: Sequence[tuple[str, Figure]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| benchmark | figure | median | least to greatest | limit | |"
    yield "|---|---|---|---|---|---|"
    for name, each in found:
        noise = "" if each.low is None else f"{each.low:.3g} to {each.high:.3g} ({each.count})"
        value, limit = (f"{figure:.3g}{each.unit}" for figure in (each.value, each.limit))
        kept = "kept" if each.is_kept else "not kept"
        yield f"| `{name}` | {each.name} | {value} | {noise} | {limit} | {kept} |"


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "python": platform.python_version(),
        "git": git.split()[2],
        "system": platform.system(),
        "cpus": os.cpu_count(),
    }


def document(found: Sequence[tuple[str, Figure]]) -> dict[str, object]:
    """The figures as JSON, with what they were measured on."""
    figures = [{"benchmark": name, **asdict(each), "kept": each.is_kept} for name, each in found]
    return {**machine(), "figures": figures}


def svg(found: Sequence[tuple[str, Figure]]) -> Iterator[str]:
    """Lines of an SVG: a bar for each figure as a share of its limit, which is the dashed line."""
    height = 2 * MARGIN + LINE * len(found)
    left = 420
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 2 * BAR}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
    )
    for row, (name, each) in enumerate(found):
        top = MARGIN + LINE * row
        share = min(each.value / each.limit, 1.9)
        fill = "#2e7d32" if each.is_kept else "#c62828"
        words = escape(f"{name}: {each.name.split(':')[0]}")
        yield f'<text x="{MARGIN}" y="{top + 14}">{words[:64]}</text>'
        size = f'width="{share * BAR:.0f}" height="14"'
        yield f'<rect x="{left}" y="{top + 3}" {size} fill="{fill}"/>'
        yield (
            f'<text x="{left + share * BAR + 4:.0f}" y="{top + 14}">'
            f"{each.value:.3g}{escape(each.unit)}</text>"
        )
    at = left + BAR
    yield f'<path d="M{at} {MARGIN}V{height - MARGIN}" stroke="#555" stroke-dasharray="4 3"/>'
    yield "</svg>"


def main() -> int:
    """Measure, print and write; the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*SHORT, *LONG, []])
    parser.add_argument("--short", action="store_true", help="only those that take seconds")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--svg", metavar="FILE", help="write them as a picture")
    options = parser.parse_args()
    names = options.names or (SHORT if options.short else (*SHORT, *LONG))
    found = list(measured(names))
    print("\n".join(table(found)))
    for path, text in (
        (options.json, json.dumps(document(found), indent=2)),
        (options.svg, "\n".join(svg(found))),
    ):
        if path:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
    return 0 if all(figure.is_kept for _, figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
