"""The user's git hooks of a commit that git would not run in a worktree, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..journal import private_files
from ..model.translate import N_
from . import configuration
from .door import Git

NAMES = (
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-index-change",
    "reference-transaction",
)
"""The hooks that ``git commit`` may run; see githooks(5)."""


def default_folder(git: Git) -> str:
    """The hooks folder without ``core.hooksPath``."""
    return os.path.join(git.repository.common_dir, "hooks")


IDLE = N_("{path} is not executable: git does not run it")


async def inactive(git: Git, commit: str, worktree: str, folder: str = "") -> list[str]:
    """Why the user's commit hooks would not run in a worktree of ``commit``.

    ``folder`` is the hooks folder, if the caller knows it.
    """
    folder = folder or await configuration.hooks_folder(git)
    if folder == os.devnull:
        return []
    if os.path.isabs(folder) or folder.startswith(os.pardir):
        place = os.path.normpath(os.path.join(worktree, folder))
        if not os.path.isdir(place) and place != default_folder(git):
            missing = N_("no hook runs: core.hooksPath is {folder}, which does not exist")
            return [missing.format(folder=folder)]
        return list(_broken(place))
    modes = await configuration.modes(git, commit, folder)
    if not modes:
        return [
            N_(
                "no hook runs in worktrees: core.hooksPath is {folder}, which no commit holds "
                "(unless project.setup, copy or link provides it)"
            ).format(folder=folder)
        ]
    plain = (name for name in NAMES if modes.get(name) == "100644")
    return [IDLE.format(path=f"{folder}/{name}") for name in plain]


def _broken(folder: str) -> Iterator[str]:
    """The hooks of a folder that git ignores or cannot run."""
    for name in NAMES:
        path = os.path.join(folder, name)
        first = _beginning(path)
        words = os.fsdecode(first[2:]).split("\n")[0].split() if first.startswith(b"#!") else []
        if os.path.isdir(path):
            refused = N_("{path} is a folder: git cannot run it and refuses every commit")
            yield refused.format(path=path)
        elif os.path.isfile(path) and not os.access(path, os.X_OK):
            yield IDLE.format(path=path)
        elif words and not os.access(words[0], os.X_OK):
            broken = N_("{path} cannot run: {program} does not exist or is not executable")
            yield broken.format(path=path, program=words[0])


def _beginning(path: str) -> bytes:
    """The first bytes of a hook; empty for anything but a regular file."""
    try:
        with open(path, "rb", opener=private_files.only_regular) as file:
            return file.read(4096)
    except OSError:
        return b""
