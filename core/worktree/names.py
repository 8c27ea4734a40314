"""Names of scratch worktrees, of worktrees being removed, and of our mark in .git/worktrees."""

from __future__ import annotations

import os

from ..model.patterns import pattern

RUBBISH = "~removing"
"""Suffix of a worktree that is being removed; ids contain no tilde."""


SCRATCH = "~scratch"
"""Suffix of a scratch worktree, which a killed run may leave behind."""


SCRATCH_NAME = pattern(r"(?:~k[0-9a-f]{8})?~scratch\Z")
"""The end of a scratch worktree's name; older versions had no repository key."""


MARK = "made-by-rorchestrator"
"""A file in git's admin folder of every worktree that we created, removed with it."""


MARKS_SINCE = "rorchestrator/marks"
"""A file in the common git folder, as old as the first mark. Older worktrees have no mark."""


MERGED = "~merge"
"""The name of merges in scratch worktrees; no feature id can equal it."""


CLEAN = "_clean_"
"""Before a feature's id: the scratch worktree in which its commit is checked (`verify_clean`)."""


START = "_start_"
"""Before a feature's id: the scratch worktree of the commit that it started from."""


SPARE = "_spare_"
"""The name of a released worktree, whose files the next one takes over."""


RESOLVED = "_resolve_"
"""Prefix of the scratch worktree in which a feature's conflict is resolved."""


AGENTS_FOLDER = os.path.join(".claude", "worktrees", "")
"""Claude Code's worktrees for subagents in the main checkout, which our rules refuse."""


OF_A_SUBAGENT = "worktree-agent-"


BY_A_SUBAGENT = pattern(rf"{OF_A_SUBAGENT}[0-9a-z]+")
"""Their branches."""


def scratch_owner(path: str) -> str:
    """The name of a scratch worktree, from its path."""
    return SCRATCH_NAME.sub("", os.path.basename(path))


def feature_of(name: str) -> str:
    """The feature that a worktree belongs to, also a scratch worktree of one of its commits."""
    prefix = next((prefix for prefix in (CLEAN, START) if name.startswith(prefix)), "")
    return name[len(prefix) :]
