"""Values out of untrusted JSON: integers, strings, dollars."""

from __future__ import annotations

from collections.abc import Mapping

LARGEST = 2**53
"""What a number may be at most: beyond it, JSON is not exact."""


Json = object
"""What ``json.loads`` gives; narrowed where it is read."""


def integer(data: Mapping[str, Json], key: str) -> int:
    """A whole number, not below 0, out of event data; 0 where there is none."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= LARGEST else 0


def strings(data: Mapping[str, Json], key: str) -> tuple[str, ...]:
    """A list of strings out of event data; empty where there is none."""
    value = data.get(key)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def dollars_of(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= LARGEST else None  # not NaN, which is never in order
