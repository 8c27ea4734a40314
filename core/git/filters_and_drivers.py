"""Filters and merge drivers in git's settings, and how to disable them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model.frozen import dataclass
from ..model.patterns import pattern
from .refs import DRIVER

# A name may be empty: `filter=` in .gitattributes selects `[filter ""]`.
_FILTER = pattern(r"filter\.(.*)\.(?:clean|smudge|process)\Z", re.DOTALL)
_DRIVER = pattern(r"merge\.(.*)\.driver\Z", re.DOTALL)
_PROMISE = pattern(r"extensions\.partialclone|remote\..*\.promisor", re.DOTALL)
_BY_PLACE = pattern(r"extensions\.worktreeconfig|includeif\..*", re.DOTALL)


@dataclass(frozen=True)
class Programs:
    """The programs that git's settings name, in one worktree or for the repository."""

    filters: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    renormalizes: bool = False
    """Whether merges may run filters."""
    is_partial: bool = False
    """Whether this is a partial clone, which fetches missing objects on demand."""
    differs_by_worktree: bool = False
    """Whether worktrees can have different settings."""

    @property
    def is_empty(self) -> bool:
        """Whether git has no program to start."""
        return not (self.filters or self.drivers)


def programs_in(keys: Iterable[str]) -> Programs:
    """The programs that settings with these keys name, as ``git config --list`` prints them."""
    keys = list(keys)
    return Programs(
        filters=_names(_FILTER, _below(keys, "filter.")),
        drivers=_names(_DRIVER, _below(keys, "merge.")),
        renormalizes="merge.renormalize" in keys,
        is_partial=any(_PROMISE.fullmatch(key) for key in _below(keys, "extensions.", "remote.")),
        differs_by_worktree=any(
            _BY_PLACE.fullmatch(key) for key in _below(keys, "extensions.", "includeif.")
        ),
    )


def _below(keys: Iterable[str], *sections: str) -> list[str]:
    """The keys in sections; without any, no pattern is compiled."""
    return [key for key in keys if key.startswith(sections)]


def _names(pattern: re.Pattern[str], keys: Iterable[str]) -> tuple[str, ...]:
    found = (pattern.match(key) for key in keys)
    return tuple(dict.fromkeys(match[1] for match in found if match))


def disabling(programs: Programs, *, strict: bool) -> list[tuple[str, str]]:
    """Settings that disable the programs.

    If ``strict``, git fails where it needs a filter; else it takes the file unfiltered.
    """
    settings = [(f"merge.{name}.driver", DRIVER) for name in programs.drivers]
    for name in programs.filters:
        settings += [(f"filter.{name}.{kind}", "") for kind in ("clean", "smudge", "process")]
        settings += [(f"filter.{name}.required", "true" if strict else "false")]
    return settings
