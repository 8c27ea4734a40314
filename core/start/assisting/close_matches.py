"""Close matches of a word among very many: difflib compares only those with common parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

COMPARED = 12
"""Candidates that are compared with one word."""

CLOSE = 0.84
"""difflib's ratio of two words that are close. A letter more in one of five has 0.91."""

LONGEST = 200
"""Characters of a word that is looked up."""

COMMON = 400
"""A part in more words than this tells nothing."""


class Words:
    """Known words, found by parts of three characters."""

    def __init__(self, known: Iterable[str]) -> None:
        self._by_part: dict[str, list[str]] = {}
        for word in dict.fromkeys(known):
            for part in _parts(word):
                self._by_part.setdefault(part, []).append(word)

    def close_to(self, word: str) -> list[str]:
        """The known words that are close to ``word``, the closest first.

        Never the word itself, nor one that differs in numbers only: these are told apart by them.
        """
        if len(word) > LONGEST:
            return []
        shared: Counter[str] = Counter()
        for part in _parts(word):
            found = self._by_part.get(part, ())
            if len(found) <= COMMON:
                shared.update(found)
        del shared[word]
        matcher = SequenceMatcher(b=word.lower(), autojunk=False)
        rated: list[tuple[float, str]] = []
        plain = _without_digits(word)
        for other, _ in shared.most_common(COMPARED):
            if _without_digits(other) == plain:
                continue
            matcher.set_seq1(other.lower())
            if len(other) <= LONGEST and matcher.quick_ratio() >= CLOSE:
                rated.append((-matcher.ratio(), other))
        return [other for rating, other in sorted(rated) if -rating >= CLOSE]


def _without_digits(word: str) -> str:
    return "".join(each for each in word if not each.isdigit())


def _parts(word: str) -> set[str]:
    lower = f" {word.lower()} "
    return {lower[at : at + 3] for at in range(len(lower) - 2)}
