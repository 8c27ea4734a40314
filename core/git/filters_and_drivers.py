"""The programs that git's settings name: filters and merge drivers, and how to do without."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..model.frozen import dataclass

DRIVER = "/dev/null/rorchestrator-merge-driver"
"""A driver that no system can start: git names it where it would have started the real one."""

# A name may be empty: git takes `[filter ""]` for what `filter=` in an attributes file names.
_FILTER = re.compile(r"filter\.(.*)\.(?:clean|smudge|process)\Z", re.DOTALL)
_DRIVER = re.compile(r"merge\.(.*)\.driver\Z", re.DOTALL)
_PROMISE = re.compile(r"extensions\.partialclone|remote\..*\.promisor", re.DOTALL)
_BY_PLACE = re.compile(r"extensions\.worktreeconfig|includeif\..*", re.DOTALL)


@dataclass(frozen=True)
class Programs:
    """What git's settings say in one place."""

    filters: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    renormalizes: bool = False
    """Whether merges may run filters."""
    is_partial: bool = False
    """Whether objects may be missing, to be fetched when they are needed."""
    varies: bool = False
    """Whether another worktree may have other settings."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that git could start."""
        return not (self.filters or self.drivers)


def named_by(keys: Iterable[str]) -> Programs:
    """What settings of these keys name; keys as ``git config --list`` prints them."""
    keys = list(keys)
    return Programs(
        filters=_names(_FILTER, keys),
        drivers=_names(_DRIVER, keys),
        renormalizes="merge.renormalize" in keys,
        is_partial=any(map(_PROMISE.fullmatch, keys)),
        varies=any(map(_BY_PLACE.fullmatch, keys)),
    )


def _names(pattern: re.Pattern[str], keys: Iterable[str]) -> tuple[str, ...]:
    found = filter(None, map(pattern.match, keys))
    return tuple(dict.fromkeys(match[1] for match in found))


def withheld(programs: Programs, *, strict: bool) -> list[tuple[str, str]]:
    """Settings that leave git no program to start.

    A filter that is needed makes git fail where this is ``strict``, else the file passes as it is.
    """
    settings = [(f"merge.{name}.driver", DRIVER) for name in programs.drivers]
    for name in programs.filters:
        settings += [(f"filter.{name}.{kind}", "") for kind in ("clean", "smudge", "process")]
        settings += [(f"filter.{name}.required", "true" if strict else "false")]
    return settings
