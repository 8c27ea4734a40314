"""Texts and lists from outside, cut to what a report can hold.

git may complain in 18,000 lines, and an agent may leave as many files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import islice

from .mask import LONGEST, whole_words

LINES = 40
CHARACTERS = 16_000
"""Of the whole text, in lines of any length."""

NAMES = 10
"""How many names a sentence holds."""

LISTED = 100
"""How many names a list of a report holds."""


def excerpt(text: str, *, lines: int = LINES, characters: int = CHARACTERS, whole: str = "") -> str:
    """The beginning and the end of a text, and between them how much is left out.

    ``whole`` is the file that has all of it.
    """
    where = f", all are in {whole}" if whole else ""
    kept = text.splitlines()
    if len(kept) > lines:
        half = lines // 2
        left_out = f"... {len(kept) - 2 * half:,} lines left out{where} ..."
        text = "\n".join((*kept[:half], left_out, *kept[-half:]))
    if len(text) > characters:
        half = characters // 2
        # A word that was cut may be half a secret, which no mask knows.
        begin = re.sub(rf"\S{{0,{LONGEST}}}\Z", "", text[:half])
        end = whole_words(text[-half:])
        left_out = f"... {len(text) - len(begin) - len(end):,} characters left out{where} ..."
        text = f"{begin}{left_out}{end}"
    return text


def some(names: Collection[str], shown: int = NAMES, *, between: str = ", ") -> str:
    """The first of the names, and how many more there are."""
    more = len(names) - shown
    return between.join(islice(names, shown)) + (f" and {more:,} more" if more > 0 else "")


def listed(names: Iterable[str], shown: int = LISTED) -> list[str]:
    """The first of the names; where there are more, the last entry says how many."""
    all = list(names)
    more = [f"and {len(all) - shown:,} more"] if len(all) > shown else []
    return [*all[:shown], *more]
