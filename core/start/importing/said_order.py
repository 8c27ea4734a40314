"""What the section on dependencies of a spec-kit plan says: arrows, trees, and "depends on"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .markdown import Section
from .references import tasks_in

Place = tuple[str, str]
"""The number of a phase, or that of a user story."""

_PLACE = re.compile(r"\b(?:Phase\s+(\d{1,3})|(?:User Story|US)\s?-?(\d{1,3}))\b", re.IGNORECASE)
_KEY = re.compile(r"\bT\d{1,4}[a-z]?\b")
_ARROW = re.compile(r"→|-{1,2}>|⟶")
_NEEDS = re.compile(r"\b(?:depends? on|requires?|after|needs)\b([^.;()]*)", re.IGNORECASE)
_CLAUSE = re.compile(r";|\.\s")
_DEPENDS = re.compile(r"\bdepends? on\b", re.IGNORECASE)
_DRAWN = re.compile(r"[│|\s]*[└├`+][─\-]*\s*")

LONGEST = 1000
"""Characters of a line that are looked at."""


def section_lines(sections: Sequence[Section]) -> Iterator[str]:
    """The lines of the sections on dependencies."""
    below = 0
    for section in sections:
        if "dependenc" in section.heading.lower():
            below = below or section.level
        elif section.level <= below:
            below = 0
        for each in section.prose if below else ():
            yield each[:LONGEST]


def places_in(text: str) -> list[Place]:
    """The phases and user stories that a text names."""
    return [(a.lstrip("0"), b.lstrip("0")) for a, b in _PLACE.findall(text)]


def said_places(lines: Iterable[str]) -> Iterator[tuple[Place, Place]]:
    """Pairs of phases or stories, the later one first: ``US1 → US2``, "US3: after US1"."""
    path: list[tuple[int, list[Place]]] = []
    for each in lines:
        parts = _ARROW.split(each)
        if _DRAWN.match(each) or not each.strip():
            yield from _below(each, path)
        elif len(parts) > 1:
            yield from _pairs([_about(part) for part in parts])
        else:
            path[:] = [(_column(each), _about(each))]
            yield from _clauses(each)


def _about(text: str) -> list[Place]:
    """What a text is about: its phases, or else its stories."""
    found = places_in(text)
    return [place for place in found if place[0]] or found


def _pairs(chain: Sequence[list[Place]]) -> Iterator[tuple[Place, Place]]:
    for earlier, later in zip(chain, chain[1:]):
        for place in later:
            yield from ((place, each) for each in earlier)


def _column(text: str) -> int:
    return len(text) - len(text.lstrip())


def _below(text: str, path: list[tuple[int, list[Place]]]) -> Iterator[tuple[Place, Place]]:
    """A line of a tree: it comes after the line above it that begins further left."""
    drawn = _DRAWN.match(text)
    if not drawn:
        path.clear()
        return
    column, about = drawn.end(), _about(text)
    while path and path[-1][0] >= column:
        path.pop()
    if path and about:
        yield from _pairs([path[-1][1], about])
    path.append((column, about))


def _clauses(text: str) -> Iterator[tuple[Place, Place]]:
    subject, _, rest = text.partition(":")
    later = _about(subject)
    for clause in _NEEDS.findall(rest) if later else ():
        earlier = places_in(clause.partition(" - ")[0].partition(" – ")[0])
        yield from _pairs([earlier, later])


def said_keys(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of keys, the later one first: ``T1 → T2 → T3``, "T3, T4 depend on T2"."""
    for clause in (clause for each in lines for clause in _CLAUSE.split(each)):
        chain = [_KEY.findall(part) for part in _ARROW.split(clause)]
        for earlier, later in zip(chain, chain[1:]):
            yield from ((key, other) for key in later for other in earlier)
        if len(chain) == 1:
            before, verb, after = _divided(clause)
            for key in tasks_in(verb + after):
                yield from ((subject, key) for subject in _KEY.findall(before))


def _divided(clause: str) -> tuple[str, str, str]:
    """A clause before, at and behind its "depends on"; without it, all comes first."""
    found = _DEPENDS.search(clause)
    if not found:
        return clause, "", ""
    return clause[: found.start()], found[0], clause[found.end() :]
