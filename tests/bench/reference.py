"""What the short form is compared with: ratios of CPU times, each with a margin.

They are ratios, so that they hold on another machine, and those of the least CPU times, so that
processes beside them change little. A ratio that is smaller than its reference is fine, and a
benchmark with a greater one is measured again: a machine that is busy for a while is no regression.
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
    known = _known()
    for benchmark, each in found:
        key = _key(benchmark, each)
        entry, now = known.get(key), digits(each.guarded)
        if entry is None:
            print(f"{key}: {now}, no reference: python3 -m tests.bench --update makes it")
            continue
        word = "WORSE" if _is_worse(entry, each) else "fine"
        print(f"{key}: {now}, reference {entry['ratio']:g} + {entry['margin']:.0%}: {word}")
    bad = sum(_is_worse(known.get(_key(*each)), each[1]) for each in found)
    print(f"{len(found) - bad} of {len(found)} figures are within their margins")
    return 1 if bad else 0


def worse(found: Sequence[tuple[str, Figure]]) -> list[str]:
    """The benchmarks with a figure that is greater than reference and margin allow."""
    known = _known()
    return sorted({each[0] for each in found if _is_worse(known.get(_key(*each)), each[1])})


def least(
    found: Sequence[tuple[str, Figure]], again: Sequence[tuple[str, Figure]]
) -> list[tuple[str, Figure]]:
    """Each figure, or the one that was measured again if that is smaller."""
    second = {_key(*each): each[1] for each in again}
    return [
        (name, min(each, second.get(_key(name, each), each), key=lambda figure: figure.guarded))
        for name, each in found
    ]


def update(found: Sequence[tuple[str, Figure]]) -> None:
    """Write the figures as the reference; margins stay, and so does what was not measured."""
    known = _known() if PATH.exists() else {}
    for benchmark, each in found:
        key = _key(benchmark, each)
        margin = known.get(key, {}).get("margin", MARGIN)
        known[key] = {"ratio": round(each.guarded, 3), "margin": margin}
    PATH.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _known() -> dict[str, dict[str, float]]:
    known: dict[str, dict[str, float]] = json.loads(PATH.read_text(encoding="utf-8"))
    return known


def _is_worse(entry: dict[str, float] | None, figure: Figure) -> bool:
    return entry is None or figure.guarded > entry["ratio"] * (1 + entry["margin"])


def _key(benchmark: str, each: Figure) -> str:
    return f"{benchmark}: {each.name}"
