"""`Work`: what a completed feature has to hand over, or why it is held."""

from __future__ import annotations

from ..git import checkouts
from ..model.feature import Feature
from ..model.frozen import dataclass
from ..model.outcome import Status
from ..model.state import FeatureState
from ..model.translate import N_
from ..project import reviewed
from ..project.landed import content_now, how_merged_into
from ..project.open import OpenProject
from ..worktree.branch_content import start_of
from ..worktree.merge_proof import how_merged

UNPUBLISHED = N_("it pins submodule commits that are not published; publish them:")


@dataclass(frozen=True)
class Work:
    """A completed feature: its own commits are ``start..tip``."""

    feature: Feature
    known: FeatureState
    branch: str
    tip: str
    start: str
    words: str = ""
    """What the user did to the branch since its run."""

    @property
    def id(self) -> str:
        """The feature's id."""
        return self.feature.id


@dataclass(frozen=True)
class Held:
    """Why a feature is held."""

    reason: str


@dataclass(frozen=True)
class Landed:
    """The base branch of the remote has its work."""

    how: str


async def work_of(
    project: OpenProject, known: FeatureState, target: str, *, accepted: bool
) -> Work | Held | Landed:
    """The work of a feature, compared with the remote's base at ``target``."""
    result = known.work.commit if known.work else ""
    if known.status is not Status.COMPLETED or not result:
        return Held(N_("its status is {status}, not completed").format(status=known.status.words))
    if await _was_cleaned_up(project, known, target):
        return Landed(N_("cleaned up"))
    content = await content_now(project, known, target)
    tip = content.tip or result
    if not await project.git.commit_of(tip):
        return Held(N_("its result {commit} no longer exists").format(commit=result[:10]))
    if not known.work or not known.work.files_changed:
        return Landed(N_("it changed nothing"))
    how = await how_merged(project.worktrees, tip, target)
    if how:
        return Landed(how)
    if not content.tip:
        return Held(f"{content.words}; {content.hint}")
    why = await _why_held(project, known, tip, accepted=accepted)
    if why:
        return Held(why)
    feature = project.dag.features[known.id]
    others = [project.tip(need) for need in feature.depends_on]
    start = await start_of(project.git, known.work_start, others, tip, target)
    return Work(feature, known, known.branch, tip, start, content.words)


async def _was_cleaned_up(project: OpenProject, known: FeatureState, target: str) -> bool:
    """Whether a cleanup proved that it landed on the base branch, and the remote has that."""
    is_merged = known.merged_into == project.config.project.base_branch
    return is_merged and await project.git.is_ancestor(project.base_commit, target)


async def _why_held(project: OpenProject, known: FeatureState, tip: str, *, accepted: bool) -> str:
    if not known.branch or known.is_replaced:
        return N_("its branch was removed by a cleanup, or belongs to another list now")
    rebased = checkouts.rebase_in_progress(project.git, known.branch)
    if rebased:
        return N_(
            "a rebase of its branch is in progress ({rebased}): finish or abort it first"
        ).format(rebased=rebased)
    if known.base_option and known.base_option != project.base_option:
        return N_("it started from another base: add --base {base}").format(base=known.base_option)
    only_accepted = reviewed.is_required(project.config, accepted)
    unreviewed = reviewed.why_held(known, tip, only_accepted=only_accepted)
    if unreviewed:
        return unreviewed
    pushes = await project.worktrees.unpublished(
        known.worktree, known.start_commit, tip, known.branch
    )
    if pushes:
        return "\n".join((UNPUBLISHED, *pushes))
    return await _why_only_here(project, known)


async def _why_only_here(project: OpenProject, known: FeatureState) -> str:
    """Why a feature is held that landed on the local base branch, which was not pushed."""
    base = project.config.project.base_branch
    if not await how_merged_into(project, known, project.base_commit, base):
        return ""
    return N_("it landed on your {base}, which has not been pushed since").format(base=base)
