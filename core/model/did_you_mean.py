"""Did you mean: the nearest of some known words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HINT_LIMIT = 100
"""How long a word may be that is looked up."""


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """`` (did you mean 'x'?)`` where one of ``known`` is near; else nothing."""
    if len(word) > HINT_LIMIT:
        return ""
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
