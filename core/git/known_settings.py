"""The settings that apply in every checkout, remembered until a config file changes.

git reads the files of the system, the user and the repository, and what these include; see
git-config(1). Each of them is looked at before a remembered answer is given, also one that did not
exist. So the answer is that of git.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..model.frozen import dataclass, field
from ..process.spawner import find_program
from . import configuration
from .door import Git
from .file_stamps import Stamp, is_settled, stamp_of
from .filters_and_drivers import programs_in

Entry = tuple[str, str, str]
"""File, key and value of a setting; no file for that of a variable or an option."""


@dataclass(frozen=True)
class Known:
    """What git said, and the files that it comes from with their stamps."""

    entries: tuple[Entry, ...] | None
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    may_run_programs: bool = True
    may_sign: bool = True


UNKNOWN = Known(None)


async def everywhere(git: Git) -> tuple[Entry, ...] | None:
    """The settings in order; ``None`` if git can't read them, or if checkouts may have others."""
    return (await _known(git)).entries


async def may_run_programs(git: Git) -> bool:
    """Whether a command that reads or writes files may start a program, or fetch.

    Without hooks, and without what a submodule's own settings name.
    """
    return (await _known(git)).may_run_programs


async def commit_may_run_programs(git: Git) -> bool:
    """The same for ``git commit``, which may sign as well."""
    known = await _known(git)
    return known.may_sign or known.may_run_programs


async def _known(git: Git) -> Known:
    for known in git.known_settings:
        if all(stamp_of(file) == stamp for file, stamp in known.stamps.items()):
            return known
    git.known_settings.clear()
    now = time.time_ns()
    listed = await configuration.everything(git)
    if listed is None or any(map(_includes_unknown, listed)):
        return UNKNOWN
    known = _judged(listed, {file: stamp_of(file) for file in _files(git, listed)})
    if all(is_settled(stamp, now) for stamp in known.stamps.values() if stamp):
        git.known_settings.append(known)
    return known


def _judged(listed: Sequence[Entry], stamps: Mapping[str, Stamp]) -> Known:
    programs = programs_in(key for _, key, _ in listed)
    if programs.differs_by_worktree:
        return Known(None, stamps)
    signs = any(key == "commit.gpgsign" and value != "false" for _, key, value in listed)
    return Known(tuple(listed), stamps, not programs.is_empty or programs.is_partial, signs)


def _includes_unknown(entry: Entry) -> bool:
    """Whether a setting includes a file whose path only git knows."""
    file, key, value = entry
    is_known = value.startswith(("/", "~/")) or (file and not value.startswith(("~", "%")))
    return key == "include.path" and not is_known


def _files(git: Git, listed: Iterable[Entry]) -> Iterator[str]:
    """The config files that exist or may come."""
    home = git.environ.get("HOME", "/")
    yield from _usual(git.environ, home)
    yield os.path.join(git.repository.common_dir, "config")
    for file, key, value in listed:
        if file:
            yield file
        if key == "include.path":
            short = value.startswith("~/")
            yield os.path.join(*(home, value[2:]) if short else (os.path.dirname(file), value))


def _usual(environ: Mapping[str, str], home: str) -> Iterator[str]:
    """The config files of the system and of the user."""
    prefix = os.path.dirname(os.path.dirname(find_program("git", environ)))
    yield environ.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"
    yield os.path.join(prefix, "etc", "gitconfig")
    yield environ.get("GIT_CONFIG_GLOBAL") or os.path.join(home, ".gitconfig")
    above = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    yield os.path.join(above, "git", "config")
