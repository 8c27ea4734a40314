"""The dependencies of imported items: without cycles, and without items that are left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

Links = Mapping[str, Sequence[str]]
"""The keys that each key depends on."""


def without_cycles(links: Links) -> tuple[dict[str, tuple[str, ...]], list[tuple[str, str]]]:
    """The dependencies that close no cycle, dependencies first, and those that did.

    Every key that is depended on has to be a key of ``links``.
    """
    kept: dict[str, list[str]] = {}
    cut: list[tuple[str, str]] = []
    finished: dict[str, tuple[str, ...]] = {}
    for start in links:
        if start in finished:
            continue
        path = [(start, iter(links[start]))]
        kept[start] = []
        while path:
            key, rest = path[-1]
            needed = next(rest, None)
            if needed is None:
                finished[key] = tuple(kept[key])
                path.pop()
            elif needed in kept and needed not in finished:  # It is on the path.
                cut.append((key, needed))
            else:
                kept[key].append(needed)
                if needed not in finished:
                    kept[needed] = []
                    path.append((needed, iter(links[needed])))
    return finished, cut


def among(links: Mapping[str, tuple[str, ...]], features: Collection[str]) -> dict[str, list[str]]:
    """The dependencies among ``features``; any other key is replaced by its own dependencies.

    ``links`` have no cycle, and dependencies come first in them.
    """
    instead: dict[str, list[str]] = {}
    found: dict[str, list[str]] = {}
    for key, needed in links.items():
        own: dict[str, None] = {}
        for each in needed:
            own.update(dict.fromkeys([each] if each in features else instead[each]))
        if key in features:
            found[key] = list(own)
        else:
            instead[key] = list(own)
    return found
