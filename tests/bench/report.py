"""The figures as a Markdown table and as JSON, and what was published last."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from .measure import Figure, digits

PUBLISHED = Path(__file__).resolve().parent / "figures.json"
"""Those of docs/PERFORMANCE.md."""


def table(found: Sequence[tuple[str, Figure]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| benchmark | figure | median | least–greatest (count) | limit | |"
    yield "|---|---|---|---|---|---|"
    for name, each in found:
        words = f"{each.name} ({each.detail})" if each.detail else each.name
        kept = "kept" if each.is_kept else "**not kept**"
        figure, limit = f"{digits(each.value)}{each.unit}", f"{each.limit:g}{each.unit}"
        yield f"| `{name}` | {words} | {figure} | {each.noise} | {limit} | {kept} |"


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "at": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "git": git.split()[2],
        "system": platform.system(),
        "cpus": os.cpu_count(),
    }


def document(found: Sequence[tuple[str, Figure]]) -> dict[str, object]:
    """The figures as JSON, with what they were measured on."""
    figures = [{"benchmark": name, **asdict(each), "kept": each.is_kept} for name, each in found]
    return {**machine(), "figures": figures}


def published(document: Mapping[str, object]) -> list[tuple[str, Figure]]:
    """The figures of such a JSON document."""
    rows = document["figures"]
    assert isinstance(rows, list)
    names = [field.name for field in fields(Figure)]
    return [(row["benchmark"], Figure(**{name: row[name] for name in names})) for row in rows]


def renewed(
    before: Sequence[tuple[str, Figure]], found: Sequence[tuple[str, Figure]], order: Sequence[str]
) -> list[tuple[str, Figure]]:
    """The figures found, and those before of other benchmarks; in the order of the benchmarks."""
    names = {name for name, _ in found}
    kept = [(name, figure) for name, figure in before if name not in names]
    return sorted((*kept, *found), key=lambda row: order.index(row[0]))
