"""Checks of ``project.setup_cache`` and of what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.translate import N_
from .list_reader import Reader
from .value_checks import GLOBS, Texts, pattern_fault

VIRTUAL = (".venv", "venv", "virtualenv", ".virtualenv")


def _folder_fault(reader: Reader, pattern: str) -> str:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if parts and parts[-1] in VIRTUAL:
        return N_(
            "{pattern} is a virtual environment, whose scripts contain the path of their worktree"
        ).format(pattern=pattern)
    if not parts or parts[-1] == "**":
        return N_("{pattern!r} names no folder").format(pattern=pattern)
    return pattern_fault(reader, pattern)


FOLDERS = Texts(_folder_fault, GLOBS.words)
"""Patterns of folders in the repository, relative to its top folder."""


def setup_cache_faults(fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The faults of keys that do not fit each other, each with its path."""
    cached = _texts(fields, "setup_cache")
    if not cached:
        for name in ("setup_inputs", "setup_cache_max_gib"):
            if name in fields:
                yield f"project.{name}", N_("has no effect without project.setup_cache")
        return
    for number, pattern in enumerate(cached):
        for other in ("copy", "link"):
            for brought in _texts(fields, other):
                if _overlap(pattern, brought):
                    yield (
                        f"project.setup_cache[{number}]",
                        N_("project.{key} already provides {pattern} ({other})").format(
                            pattern=pattern, key=other, other=brought
                        ),
                    )


def _texts(fields: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _overlap(one: str, other: str) -> bool:
    """Whether two patterns have a folder in common, or one has it inside of the other's."""
    sides = [[p for p in each.split("/") if p not in ("", ".", "**")] for each in (one, other)]
    if "**" in one or "**" in other:
        return bool(sides[0] and sides[1]) and _alike(sides[0][-1], sides[1][-1])
    return all(map(_alike, *sides))


def _alike(one: str, other: str) -> bool:
    from fnmatch import fnmatchcase  # few lists need it

    return fnmatchcase(one, other) or fnmatchcase(other, one)
