"""Branches and worktrees that no feature owns, though they appeared during a run."""

from __future__ import annotations

import os

from ..git.refs import HEADS
from ..model.outcome import Stray
from ..model.state import RunState
from ..worktree.names import AGENTS_FOLDER, BY_A_SUBAGENT
from .open import OpenProject


def strays_of(project: OpenProject, state: RunState) -> list[tuple[str, Stray]]:
    """What runs saw come up beside their features and is still there, by feature.

    Of no feature are branches of subagents that no run saw: a killed one did not look.
    """
    told = [(id, stray) for id, known in state.features.items() for stray in known.strays]
    there = [(id, stray) for id, stray in told if _is_there(project, stray)]
    known = {stray.branch for _, stray in there}
    for ref, commit in project.refs.items():
        branch = ref[len(HEADS) :] if ref.startswith(HEADS) else ""
        if BY_A_SUBAGENT.fullmatch(branch) and branch not in known:
            folder = AGENTS_FOLDER + branch[len("worktree-") :]
            path = os.path.join(project.git.repository.top, folder)
            there.append(("", Stray(path if os.path.isdir(path) else "", branch, commit)))
    return there


def _is_there(project: OpenProject, stray: Stray) -> bool:
    has_branch = bool(stray.branch) and HEADS + stray.branch in project.refs
    return has_branch or (bool(stray.worktree) and os.path.isdir(stray.worktree))
