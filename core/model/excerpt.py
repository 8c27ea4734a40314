"""Cuts long texts and lists to a size that fits into a report.

git can complain in 18,000 lines, and an agent can leave as many files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import islice

from .mask import LONGEST, whole_words
from .translate import N_

LINES = 40
CHARACTERS = 16_000
"""The limit for the whole text, however long its lines are."""

NAMES = 10
"""The names in a sentence."""

LISTED = 100
"""The names in a list of a report."""


def excerpt(text: str, *, lines: int = LINES, characters: int = CHARACTERS, whole: str = "") -> str:
    """The beginning and the end of a text, with a note in between on how much is left out.

    ``whole`` is the file with the whole text.
    """
    where = N_(", all are in {whole}").format(whole=whole) if whole else ""
    kept = text.splitlines()
    if len(kept) > lines:
        half = lines // 2
        left_out = N_("... {count:,} lines left out{where} ...").format(
            count=len(kept) - 2 * half, where=where
        )
        text = "\n".join((*kept[:half], left_out, *kept[-half:]))
    if len(text) > characters:
        half = characters // 2
        # A cut word may be half a secret, which no mask would find.
        begin = re.sub(rf"\S{{0,{LONGEST}}}\Z", "", text[:half])
        end = whole_words(text[-half:])
        left_out = N_("... {count:,} characters left out{where} ...").format(
            count=len(text) - len(begin) - len(end), where=where
        )
        text = f"{begin}{left_out}{end}"
    return text


def some(names: Collection[str], shown: int = NAMES, *, between: str = ", ") -> str:
    """The first names, and how many more there are, as a phrase."""
    first, more = between.join(islice(names, shown)), len(names) - shown
    return N_("{names} and {more:,} more").format(names=first, more=more) if more > 0 else first


def listed(names: Iterable[str], shown: int = LISTED) -> list[str]:
    """The first names; if there are more, the last entry says how many."""
    all = list(names)
    more = [N_("and {count:,} more").format(count=len(all) - shown)] if len(all) > shown else []
    return [*all[:shown], *more]
