"""Whether and how a feature was merged into a branch: merge, squash, rebase, cleaned up."""

from __future__ import annotations

from collections.abc import Mapping

from ..git.door import Git
from ..git.refs import HEADS
from ..model import events
from ..model.attempt import Attempt
from ..model.events import Event
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.phase import MERGE
from ..model.state import FeatureState, RunState
from ..model.strategy import Strategy
from ..model.translate import N_
from ..worktree.branch_content import BranchContent, Origin, branch_content
from ..worktree.merge_proof import how_merged
from .open import OpenProject

LANDED: Mapping[Strategy | None, str] = {
    Strategy.SQUASH: "squashed",
    Strategy.REBASE: "rebased",
}
"""Descriptions of features that landed without their own commits, by strategy."""


def landing_fault(project: OpenProject) -> str:
    """Why features can't land on the base; empty if they can."""
    base = project.config.project.base_branch
    if project.base_option:
        return N_("features start from {base} (--base)").format(base=base)
    return (
        ""
        if HEADS + base in project.refs
        else N_("the base {base} is no local branch").format(base=base)
    )


def killed_resolutions(state: RunState) -> list[tuple[str, Attempt]]:
    """The unfinished resolutions of a killed ``merge`` or ``run``, by feature."""
    met = ((id, known.resolutions[-1:]) for id, known in state.features.items())
    return [(id, attempt) for id, last in met for attempt in last if attempt.outcome is None]


def ends_of_killed(state: RunState, at: float) -> list[Event]:
    """The events that end them."""
    found = []
    for id, attempt in killed_resolutions(state):
        is_merge = attempt.run.startswith(MERGE)
        why = N_("the merge was killed") if is_merge else N_("the run was killed")
        outcome = AttemptOutcome(Status.CANCELLED, why, Fault.INTERRUPTED)
        ended = events.attempt_ended(at, attempt.run, id, outcome)
        found.append(events.of_resolution(ended))
    return found


async def how_merged_into(project: OpenProject, known: FeatureState, target: str, name: str) -> str:
    """How a feature was merged into the branch ``name`` at ``target``; empty if it was not.

    Raises :class:`~core.git.Unknown` where only a program of the user's could tell.
    """
    if known.merged_into == name:
        return N_("cleaned up")
    assert known.work is not None
    if target == known.base_commit or not known.work.files_changed:
        return ""  # The target did not move since the feature started from it.
    # If the user emptied or replaced the branch, check the result of the run instead.
    tip = (await content_now(project, known, target)).tip or known.work.commit
    how = await how_landed(project.git, known, tip, target, name)
    return how or await how_merged(project.worktrees, tip, target)


async def how_landed(git: Git, known: FeatureState, commit: str, target: str, name: str) -> str:
    """How ``merge`` landed a feature's commit on the branch ``name`` at ``target``; else empty.

    The journal knows the commit, git whether the target contains it. Only squash and rebase
    need this proof.
    """
    landing = known.landings.get(name)
    if landing is None or landing.strategy not in LANDED:
        return ""
    there = await git.is_ancestor(landing.commit, target)
    contained = there and await git.is_ancestor(commit, landing.result)
    return LANDED[landing.strategy] if contained else ""


async def content_now(project: OpenProject, known: FeatureState, target: str) -> BranchContent:
    """The current content of the branch of a completed feature.

    After a cleanup of a merged feature, it is the result.
    """
    assert known.work is not None
    if known.is_replaced:
        return BranchContent(known.work.commit)
    # The recorded branch, because the prefix may have changed since.
    branch = known.branch or project.worktrees.branch(known.id)
    tip, result = project.refs.get(HEADS + branch, ""), known.work.commit
    if not (tip or known.branch) and known.merged_into:
        return BranchContent(result)
    return await branch_content(project.git, Origin(branch, known.work_start), tip, result, target)
