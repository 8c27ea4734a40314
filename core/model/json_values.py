"""Values out of untrusted JSON: integers, strings, dollars."""

from __future__ import annotations

from collections.abc import Mapping

LARGEST = 2**53
"""The largest number that we read: beyond it, JSON is not exact."""


Json = object
"""What ``json.loads`` returns. Its readers narrow it."""


def integer(data: Mapping[str, Json], key: str) -> int:
    """The value of ``key`` if it is a whole number from 0 on; else 0."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= LARGEST else 0


def strings(data: Mapping[str, Json], key: str) -> tuple[str, ...]:
    """The value of ``key`` if it is a list, as strings; else empty."""
    value = data.get(key)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def amount_of(value: Json) -> float | None:
    """``value`` if it is a number from 0 on; else ``None``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= LARGEST else None  # excludes NaN


dollars_of = amount_of
"""The same, for money."""
