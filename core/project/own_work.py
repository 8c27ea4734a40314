"""A feature's own work: what it changed since the commit that it started from."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..git import history, merged, merging, worktree_status
from ..git.door import Unknown
from ..git.output import WorktreeStatus
from ..git.patches import PATCH_BYTES, FileDiff, file_diffs
from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..worktree import admin_files, keeping
from ..worktree.branch_content import start_of
from ..worktree.files import left_uncommitted
from .landed import content_now
from .open import OpenProject


@dataclass(frozen=True)
class OwnWork:
    """Two commits or trees whose difference is a feature's own work."""

    before: str
    after: str
    uncommitted: tuple[str, ...] = ()
    """The uncommitted files of its worktree that are part of ``after``."""
    notes: tuple[str, ...] = ()
    """What a reader should know, in words: the branch was rewritten, files are left out."""


@dataclass(frozen=True)
class OwnDiff:
    """A feature's own work as files with patches, bounded. Neither masked nor cleaned."""

    files: tuple[FileDiff, ...]
    uncommitted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def own_diff(
    project: OpenProject, state: RunState, id: str, *, limit_bytes: int = PATCH_BYTES
) -> OwnDiff | None:
    """A feature's :func:`own_work`, with patches of up to ``limit_bytes``; ``None`` if it has none.

    Neither a filter nor a textconv or external diff program of the user's runs if the project's
    git is read-only. Raises :class:`UserError` if git fails.
    """
    work = await own_work(project, state, id)
    if work is None:
        return None
    files = await file_diffs(project.git, work.before, work.after, limit_bytes=limit_bytes)
    return OwnDiff(files, work.uncommitted, work.notes)


async def own_work(project: OpenProject, state: RunState, id: str) -> OwnWork | None:
    """What a feature changed, as two commits or trees; ``None`` if it has changed nothing yet.

    It begins at the commit that the feature started from, which holds the results of its
    dependencies; never at the base. It ends at the branch as it is now, whatever the user did to
    it. If they deleted or replaced it, it ends at the result of its run; after a cleanup, at the
    ref that keeps the branch. Until a feature is completed, the uncommitted work in its worktree
    is part of it, without files that a commit would leave out.

    If the base or a dependency was merged into the branch since, the work begins at a merge of
    both, made in memory: what came in by it is not the feature's own. If that merge has
    conflicts, the work begins where it would have begun, and a note says so.

    ``project.refs`` must be recent. Raises :class:`UserError` if the start is unknown.
    """
    known = state.feature(id)
    tip, *notes = await _tip(project, known)
    uncommitted: tuple[str, ...] = ()
    after = tip
    place = await _worktree(project, known)
    if place:
        try:
            tip, after, uncommitted = await _with_uncommitted(project, known, place)
        except UserError as error:
            notes.append(
                N_("its uncommitted work could not be read: {message}").format(
                    message=error.message
                )
            )
    if not tip:
        return None
    before, *more = await _start(project, state, known, tip)
    return OwnWork(before, after, uncommitted, (*notes, *more))


async def _tip(project: OpenProject, known: FeatureState) -> tuple[str, ...]:
    """The commit of a feature's work, empty without one; and notes."""
    result = known.work.commit if known.work else ""
    if known.status is Status.COMPLETED and known.work and known.branch:
        held = await content_now(project, known, project.base_commit)
        return (held.tip or result, *filter(None, [held.words]))
    branch = project.refs.get(HEADS + known.branch, "") if known.branch else ""
    return (branch or project.refs.get(known.kept_ref, "") or result,)


async def _worktree(project: OpenProject, known: FeatureState) -> str:
    """The worktree of a feature that is not completed; empty if there is none."""
    if not known.worktree or known.status is Status.COMPLETED:
        return ""
    made = project.worktrees.with_recorded_names(known.id, known.worktree, known.branch)
    entry = await made.entry(known.id)
    return entry.path if entry and os.path.isdir(entry.path) else ""


async def _with_uncommitted(
    project: OpenProject, known: FeatureState, path: str
) -> tuple[str, str, tuple[str, ...]]:
    """The commit of a worktree, its tree with the uncommitted work, and the files of that."""
    worktrees = project.worktrees
    admin_files.check_linked(worktrees, path)
    keeping.check_pipes(worktrees, path)
    status = await worktree_status.status_of(worktrees.git, path)
    status = await keeping.only_work(worktrees, path, status, known.start_commit, known.left)
    files = _committable(path, status)
    if not files:
        return status.commit, status.commit, ()
    project.git.redirect_objects()
    return status.commit, await keeping.tree_of_files(worktrees, path, files), files


def _committable(path: str, status: WorktreeStatus) -> tuple[str, ...]:
    """The uncommitted files that a commit would contain."""
    left = left_uncommitted(path, (*status.untracked, *status.added))
    return tuple(file for file in status.uncommitted if file not in left)


async def _start(
    project: OpenProject, state: RunState, known: FeatureState, tip: str
) -> tuple[str, ...]:
    """The commit before a feature's own work, and notes."""
    git, start = project.git, known.work_start
    others = _dependencies(project, state, known.id)
    if not (start and await git.is_ancestor(start, tip)):
        target = await _base_before(project, tip) or known.base_commit
        start = await start_of(git, start, others, tip, target)
    if not (start or await git.commit_of(tip)):
        raise UserError(
            N_("the work of {id} is gone: git has no commit {tip} any more").format(
                id=known.id, tip=tip[:10]
            ),
            hint=f"rorchestrator run --only {known.id}",
        )
    if not start:
        raise UserError(
            N_("the commit that {id} started from is unknown").format(id=known.id),
            hint=f"git log -p {known.branch or tip}",
        )
    commits = await merged.parents_of(git, tip, without=start)
    if all(len(parents) < 2 for parents in commits.values()):
        return (start,)
    base = await _base_before(project, tip)
    return await _with_merged(project, start, tip, {base: N_("the base"), **others})


def _dependencies(project: OpenProject, state: RunState, id: str) -> dict[str, str]:
    """The results and branches of a feature's dependencies, with their ids."""
    feature = project.dag.features.get(id)
    found = {}
    for needed in feature.depends_on if feature else ():
        known = state.feature(needed)
        result = known.work.commit if known.work else ""
        branch = project.refs.get(HEADS + known.branch, "") if known.branch else ""
        found.update({commit: needed for commit in (result, branch) if commit})
    return found


async def _with_merged(
    project: OpenProject, start: str, tip: str, others: Mapping[str, str]
) -> tuple[str, ...]:
    """The start together with what of ``others`` was merged into the branch since; and notes."""
    git, notes = project.git, []
    for other, name in others.items():
        shared = await git.merge_base(other, tip) if other else ""
        if shared in ("", tip) or await git.is_ancestor(shared, start):
            continue
        if await git.is_ancestor(start, shared):
            start = shared
            continue
        try:
            tree, _ = await merging.merged_tree(git, start, shared)
        except Unknown:
            tree = ""
        if tree:
            start = await git.commit_tree(tree, (start, shared), "what the work began with")
        else:
            notes.append(
                N_("it includes what was merged from {name} into the branch").format(name=name)
            )
    return (start, *notes)


async def _base_before(project: OpenProject, tip: str) -> str:
    """The base as it was before it contained ``tip``; empty if it was fast-forwarded to it."""
    git, base = project.git, project.base_commit
    if not await git.is_ancestor(tip, base):
        return base
    return await history.before(git, base, tip)
