"""Whether and how a branch holds the work of a feature: merged, squashed, cleaned up."""

from __future__ import annotations

from collections.abc import Mapping

from ..git.door import Git
from ..git.refs import HEADS
from ..model.attempt import Attempt
from ..model.state import FeatureState, RunState
from ..model.strategy import Strategy
from ..worktree.branch_content import BranchContent, Origin, branch_content
from ..worktree.merge_proof import how_merged
from .open import OpenProject

LANDED: Mapping[Strategy | None, str] = {
    Strategy.SQUASH: "squashed",
    Strategy.REBASE: "rebased",
}
"""What is said of a feature that landed without its own commits, by the strategy."""


def landing_fault(project: OpenProject) -> str:
    """Why nothing lands on the base unless a branch is named; empty if it may."""
    base = project.config.project.base_branch
    if project.base_option:
        return f"features start from {base} (--base)"
    return "" if HEADS + base in project.refs else f"the base {base} is no local branch"


def killed_resolutions(state: RunState) -> list[tuple[str, Attempt]]:
    """The features at whose conflicts Claude was when a ``merge`` was killed."""
    met = ((id, known.resolutions[-1:]) for id, known in state.features.items())
    return [(id, attempt) for id, last in met for attempt in last if attempt.outcome is None]


async def merged_how(project: OpenProject, known: FeatureState, target: str, name: str) -> str:
    """How the branch ``name``, at ``target``, holds a feature's work; empty if it does not.

    Raises :class:`~core.git.Unknown` where only a program of the user's could tell.
    """
    if known.merged_into == name:
        return "cleaned up"
    assert known.work is not None
    if target == known.base_commit or not known.work.files_changed:
        return ""  # The target did not move since the feature started from it.
    # What the user took away is not there because what is left is: the result is looked for.
    tip = (await content_now(project, known, target)).tip or known.work.commit
    how = await landed(project.git, known, tip, target, name)
    return how or await how_merged(project.worktrees, tip, target)


async def landed(git: Git, known: FeatureState, commit: str, target: str, name: str) -> str:
    """How ``merge`` put a commit of a feature on the branch ``name``, at ``target``; else empty.

    The journal says where it is, git whether it is there. A real merge needs no such proof.
    """
    landing = known.landings.get(name)
    if landing is None or landing.strategy not in LANDED:
        return ""
    there = await git.is_ancestor(landing.commit, target)
    held = there and await git.is_ancestor(commit, landing.result)
    return LANDED[landing.strategy] if held else ""


async def content_now(project: OpenProject, known: FeatureState, target: str) -> BranchContent:
    """What counts of a feature with a result, as its branch holds it now.

    Once it was cleaned up because it is on another branch, that is the result.
    """
    assert known.work is not None
    if known.is_replaced:
        return BranchContent(known.work.commit)
    # The branch as it was called then: the prefix may have changed since.
    branch = known.branch or project.worktrees.branch(known.id)
    tip, result = project.refs.get(HEADS + branch, ""), known.work.commit
    if not (tip or known.branch) and known.merged_into:
        return BranchContent(result)
    return await branch_content(project.git, Origin(branch, known.work_start), tip, result, target)
