"""Proof that a branch is merged: by merge, squash merge, rebase or cherry-pick."""

from __future__ import annotations

from ..git import commits, merged
from ..git.door import Git, GitError, Unknown
from ..model.translate import N_
from . import dependencies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


async def how_merged(worktrees: WorktreeManager, tip: str, target: str) -> str:
    """The proof that ``target`` contains the work of ``tip``; else empty.

    A read-only git raises :class:`Unknown` if it cannot tell.
    """
    git = worktrees.git
    if await git.is_ancestor(tip, target):
        return N_("ancestor")
    if await merged.is_empty_diff(git, tip, target):
        return N_("empty difference")
    tree = await git.tree_of(target)
    try:
        own = await git.tree_of(tip)
    except GitError:
        return ""  # Its refs were deleted, and git has collected the commit since.
    if own == tree:
        return N_("equal trees")
    if await git.merge_base(tip, target) in ("", target):
        return ""  # the target has no commits of its own
    unknown = None
    # Equal patches may have been applied elsewhere in a file. Only a merge into the commit that
    # took them over, before later commits change it again, is a proof.
    for how, find in (
        (N_("merge adds nothing"), _target),
        (N_("same changes"), merged.equivalent),
        (N_("squashed"), merged.squashed),
    ):
        commit = await find(git, tip, target)
        try:
            if commit and await _merge_adds_nothing(worktrees, tip, commit):
                return how
        except Unknown as error:
            unknown = error
    if unknown is not None:
        raise unknown
    return ""


async def _target(git: Git, tip: str, target: str) -> str:
    return target


async def _merge_adds_nothing(worktrees: WorktreeManager, tip: str, commit: str) -> bool:
    """Whether a merge of ``tip`` into ``commit`` would change nothing.

    If git cannot merge without a working tree, unchanged files are the proof.
    """
    git = worktrees.git
    base = await git.merge_base(tip, commit)
    if not base:
        return False
    if git.merges_without_worktree:
        tree, _ = await dependencies.merge(worktrees, commit, tip)
        return tree == await git.tree_of(commit)
    own, other = await commits.changed_files(git, [(base, tip), (commit, tip)])
    return own.isdisjoint(other)
