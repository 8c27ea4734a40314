"""Stray branches and worktrees: created during a run, but owned by no feature."""

from __future__ import annotations

import os

from ..git.refs import HEADS
from ..model.outcome import Stray
from ..model.state import RunState
from ..worktree.names import AGENTS_FOLDER, BY_A_SUBAGENT, OF_A_SUBAGENT
from .open import OpenProject


def strays_of(project: OpenProject, state: RunState) -> list[tuple[str, Stray]]:
    """Strays recorded by runs that still exist, by feature.

    Branches of subagents of a killed run were not recorded; they have no feature.
    """
    recorded = [(id, stray) for id, known in state.features.items() for stray in known.strays]
    existing = [(id, stray) for id, stray in recorded if _is_there(project, stray)]
    known = {stray.branch for _, stray in existing}
    for ref, commit in project.refs.items():
        branch = ref[len(HEADS) :] if ref.startswith(HEADS + OF_A_SUBAGENT) else ""
        if branch and BY_A_SUBAGENT.fullmatch(branch) and branch not in known:
            folder = AGENTS_FOLDER + branch[len("worktree-") :]
            path = os.path.join(project.git.repository.top, folder)
            existing.append(("", Stray(path if os.path.isdir(path) else "", branch, commit)))
    return existing


def _is_there(project: OpenProject, stray: Stray) -> bool:
    has_branch = bool(stray.branch) and HEADS + stray.branch in project.refs
    return has_branch or (bool(stray.worktree) and os.path.isdir(stray.worktree))
