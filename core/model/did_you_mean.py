"""Did you mean …? Finds the closest of some known words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .translate import N_

HINT_LIMIT = 100
"""Longer words are not looked up."""


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """`` (did you mean 'x'?)`` if one of ``known`` is close; else an empty string."""
    if len(word) > HINT_LIMIT:
        return ""
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    return N_(" (did you mean {near!r}?)").format(near=near[0]) if near else ""
