"""The commit that a feature starts from: its dependencies' results, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from ..git import (
    merging,
    worktree_status,
)
from ..git.door import Unknown
from .names import MERGED
from .worktree import Conflict, Worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


async def start_commit(
    worktrees: WorktreeManager, base: str, results: Mapping[str, str]
) -> str | Conflict:
    """The commit that holds the results (commit by feature id), or why there is none.

    A git that cannot merge without a working tree gets the first result here, and the
    others by :meth:`merge_rest`.
    """
    tips = await _independent(worktrees, results)
    if not tips:
        return base
    if not worktrees.git.merges_without_worktree:
        return next(iter(tips.values()))
    (first, merged), *others = tips.items()
    names = [first]
    for name, commit in others:
        tree, files = await merge(worktrees, merged, commit)
        if not tree:
            return Conflict(await _culprit(worktrees, names, tips, name), name, tuple(files))
        message = _merge_message(names, name)
        merged = await worktrees.git.commit_tree(tree, (merged, commit), message)
        names.append(name)
    return merged


async def _independent(worktrees: WorktreeManager, results: Mapping[str, str]) -> dict[str, str]:
    """The results that no other result contains."""
    commits = dict.fromkeys(results.values())
    tips = set(await worktrees.git.independent(list(commits)) if len(commits) > 1 else commits)
    first: dict[str, str] = {}
    for name, commit in results.items():
        if commit in tips:
            first.setdefault(commit, name)
    return {name: commit for commit, name in first.items()}


async def _culprit(
    worktrees: WorktreeManager, names: Sequence[str], tips: Mapping[str, str], other: str
) -> str:
    for name in names:
        tree, _ = await merge(worktrees, tips[name], tips[other])
        if not tree:
            return name
    return " + ".join(names)


async def merge(worktrees: WorktreeManager, ours: str, theirs: str) -> tuple[str, list[str]]:
    """The tree of a merge, empty where there is a conflict, and the files in conflict.

    As ``git merge`` makes it where ``ours`` is checked out. Where only programs of the user's
    can tell, they run in a scratch worktree; raises :class:`Unknown` where we only look.
    """
    try:
        return await merging.merged_tree(worktrees.git, ours, theirs)
    except Unknown:
        if worktrees.git.is_read_only:
            raise
    if (ours, theirs) not in worktrees._merges:
        worktrees._merges[ours, theirs] = await _merge_in_worktree(worktrees, ours, theirs)
    return worktrees._merges[ours, theirs]


async def _merge_in_worktree(
    worktrees: WorktreeManager, ours: str, theirs: str
) -> tuple[str, list[str]]:
    async with worktrees.scratch(f"{MERGED}.{next(_MERGES)}", ours) as worktree:
        files = await merging.merge_into_worktree(worktrees.git, worktree.path, theirs, "a merge")
        head = (await worktree_status.status_of(worktrees.git, worktree.path)).commit
        return ("", files) if files else (await worktrees.git.tree_of(head), [])


async def merge_rest(
    worktrees: WorktreeManager, worktree: Worktree, results: Mapping[str, str]
) -> str | Conflict:
    """Merge the remaining results inside the worktree; its new start commit."""
    tips = await _independent(worktrees, results)
    names = list(tips)[:1]
    for name, commit in list(tips.items())[1:]:
        message = _merge_message(names, name)
        files = await merging.merge_into_worktree(worktrees.git, worktree.path, commit, message)
        if files:
            return Conflict(" + ".join(names), name, tuple(files))
        names.append(name)
    return (await worktree_status.status_of(worktrees.git, worktree.path)).commit


_MERGES = count(1)
"""Tells the scratch worktrees apart in which merges are made side by side."""


def _merge_message(names: Sequence[str], other: str) -> str:
    return f"merge {', '.join(names)} and {other}\n\nThe base of a feature that needs them all."
