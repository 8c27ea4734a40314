"""What the short form is compared with: ratios of CPU times, each with a margin.

They are ratios, so that they hold on another machine, and those of the least CPU times, so that
processes beside them change little. A ratio that is smaller than its reference is fine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .measure import Figure, digits

PATH = Path(__file__).resolve().parent / "reference.json"

MARGIN = 0.4
"""By how much a figure may be greater than its reference, unless the file has another margin."""


def check(found: Sequence[tuple[str, Figure]]) -> int:
    """Say which figures are greater than reference and margin allow; the exit code."""
    known = json.loads(PATH.read_text(encoding="utf-8"))
    worse = 0
    for benchmark, each in found:
        key = _key(benchmark, each)
        entry, now = known.get(key), digits(each.guarded)
        if entry is None:
            print(f"{key}: {now}, no reference: python3 -m tests.bench --update makes it")
            continue
        is_worse = each.guarded > entry["ratio"] * (1 + entry["margin"])
        worse += is_worse
        word = "WORSE" if is_worse else "fine"
        print(f"{key}: {now}, reference {entry['ratio']:g} + {entry['margin']:.0%}: {word}")
    print(f"{len(found) - worse} of {len(found)} figures are within their margins")
    return 1 if worse else 0


def update(found: Sequence[tuple[str, Figure]]) -> None:
    """Write the figures as the reference; margins stay, and so does what was not measured."""
    known = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    for benchmark, each in found:
        key = _key(benchmark, each)
        margin = known.get(key, {}).get("margin", MARGIN)
        known[key] = {"ratio": round(each.guarded, 3), "margin": margin}
    PATH.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _key(benchmark: str, each: Figure) -> str:
    return f"{benchmark}: {each.name}"
