"""Takes up a completed feature again: its branch as it is now, in its worktree."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..git import checkouts, worktree_status
from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.frozen import dataclass, replace
from ..model.state import FeatureState
from ..model.translate import N_
from ..worktree.branch_content import Origin, branch_content, start_of
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Worktree


@dataclass(frozen=True)
class Reopened:
    """The worktree of a completed feature that is taken up again, and the tip of its branch."""

    worktree: Worktree
    tip: str


async def reopen(
    worktrees: WorktreeManager, known: FeatureState, below: Sequence[str], base: str
) -> Reopened:
    """The worktree of a completed feature on its branch, made again if it is gone.

    A branch that was deleted is made again at the result. Commits that the user made since are
    kept: the work goes on at the tip. ``below`` are the results of its dependencies.

    Raises :class:`UserError` if the branch holds other work, or is in the middle of something.
    """
    git, result, branch = worktrees.git, known.last_result, worktrees.branch(known.id)
    tip = await git.commit_of(HEADS + branch)
    if not tip:
        await _restore(worktrees, known.id, result)
        tip = result
    elif known.work is not None:
        held = await branch_content(git, Origin(branch, known.work_start), tip, result, base)
        if held.hint:
            raise UserError(held.words, hint=held.hint)
    worktree = await _worktree(worktrees, known)
    start = await start_of(git, known.work_start, (*below, base), tip, base)
    return Reopened(replace(worktree, start_commit=start), tip)


async def _restore(worktrees: WorktreeManager, id: str, result: str) -> None:
    """Make a deleted branch again. Raises :class:`UserError` if git has no such commit."""
    git, branch = worktrees.git, worktrees.branch(id)
    if not await git.commit_of(result):
        raise UserError(
            N_("its result {commit} no longer exists").format(commit=result[:10]),
            hint=f"rorchestrator run --only {id} --fresh",
        )
    await git.create_ref(HEADS + branch, result)


async def _worktree(worktrees: WorktreeManager, known: FeatureState) -> Worktree:
    branch = worktrees.branch(known.id)
    rebased = checkouts.rebase_in_progress(worktrees.git, branch)
    if rebased:
        raise UserError(
            N_("a rebase of {name} is in progress ({rebased})").format(
                name=branch, rebased=rebased
            ),
            hint=N_("finish it with git rebase --continue or --abort"),
        )
    worktree = await worktrees.reopen(known.id, known.work_start)
    if worktree is None:
        path, name = shlex.quote(worktrees.path(known.id)), shlex.quote(branch)
        raise UserError(
            N_("its worktree is not on {branch}").format(branch=branch),
            hint=N_("to switch back: git -C {path} switch {name}").format(path=path, name=name),
        )
    busy = await checkouts.operation_in_progress(worktrees.git, worktree.path)
    if busy:
        where = shlex.quote(worktree.path)
        raise UserError(
            N_("{busy} is in progress in {path}").format(busy=busy, path=worktree.path),
            hint=N_("finish it: git -C {where} status").format(where=where),
        )
    status = await worktree_status.status_of(worktrees.git, worktree.path)
    if status.unmerged:
        raise UserError(
            N_("{path} has conflicts: {files}").format(
                path=worktree.path, files=some(status.unmerged)
            ),
            hint=N_("resolve them, or: git -C {where} reset --merge").format(
                where=shlex.quote(worktree.path)
            ),
        )
    return worktree
