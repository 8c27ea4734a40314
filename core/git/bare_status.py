"""`git status` of a checkout as it is: without filters, locks, fetches and submodules."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..model.translate import N_
from .ahead import NO_FETCH
from .door import Git
from .output import WorktreeStatus, parse_status

NO_FILTER = ("clean=", "process=", "required=false")
"""The settings that turn off a filter."""

QUESTION = (
    *("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"),
    *("--no-renames", "--ignore-submodules=dirty"),
)


async def bare_status(git: Git, path: str, filters: Iterable[str]) -> WorktreeStatus | None:
    """The status of a worktree without running filters, taking locks or fetching.

    A folder of new files is one entry; submodules are not inspected. A touched file with one
    of the ``filters`` may count as changed. ``None`` if a filter's name does not fit on a
    command line.
    """
    names = list(filters)
    if not are_plain(names):
        return None
    env = {**git.environ, **NO_FETCH}
    doing = N_("read the status of {path}").format(path=path)
    finished = await git.run(doing, *QUESTION, at=path, env=env, settings=without(names))
    return parse_status(os.fsdecode(finished.stdout))


def are_plain(names: Iterable[str]) -> bool:
    """Whether the names of filters fit on a command line."""
    return not any("=" in name or "\n" in name for name in names)


def without(names: Iterable[str]) -> tuple[str, ...]:
    """Options that turn off filters."""
    return tuple(w for n in names for end in NO_FILTER for w in ("-c", f"filter.{n}.{end}"))
