"""The names of worktrees and of files that mark them: suffixes, prefixes, scratch worktrees."""

from __future__ import annotations

import os
import re

RUBBISH = "~removing"
"""Put behind the name of a worktree that is being removed; no id holds a tilde."""


SCRATCH = "~scratch"
"""Put behind the name of a worktree that checks run in; a killed run may leave one."""


SCRATCH_NAME = re.compile(r"(?:~k[0-9a-f]{8})?~scratch\Z")
"""The end of a scratch worktree's name; before the repository's key was in it, only the suffix."""


MARK = "made-by-rorchestrator"
"""A file in git's admin folder of each worktree that we made; it goes when the worktree goes."""


MARKS_SINCE = "rorchestrator/marks"
"""A file in the common folder, as old as the first mark. Worktrees older than it have none."""


MERGED = "~merge"
"""What the features are called that are merged together; no feature can be called so."""


CLEAN = "_clean_"
"""Before a feature's id: the scratch worktree in which its commit is checked (`verify_clean`)."""


RESOLVED = "_resolve_"
"""Put before a feature's id for the scratch worktree in which its conflict is resolved."""


AGENTS_FOLDER = os.path.join(".claude", "worktrees", "")
"""Where, in the main checkout, Claude Code makes worktrees for subagents; our rules refuse it."""


BY_A_SUBAGENT = re.compile(r"worktree-agent-[0-9a-z]+")
"""The branches of those."""


def scratch_owner(path: str) -> str:
    """What a scratch worktree is for, by its path."""
    return SCRATCH_NAME.sub("", os.path.basename(path))


def feature_of(name: str) -> str:
    """The feature that a worktree belongs to, also a clean checkout of its commit."""
    return name[len(CLEAN) :] if name.startswith(CLEAN) else name
