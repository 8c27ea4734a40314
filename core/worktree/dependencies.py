"""The start commit of a feature: the merged results of its dependencies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count

from ..git import (
    merging,
    worktree_status,
)
from ..git.door import Unknown
from ..model.frozen import dataclass
from .names import MERGED
from .worktree import Conflict, Worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


@dataclass(frozen=True)
class Meeting:
    """A conflict: ``ours`` holds the results of the features ``below``, ``theirs`` of ``other``."""

    below: tuple[str, ...]
    ours: str
    other: str
    theirs: str
    files: tuple[str, ...]


Settle = Callable[[Meeting, Conflict], Awaitable["str | Conflict"]]
"""Resolves a conflict: the commit with both sides, or the conflict, with the reason why not."""


async def start_commit(
    worktrees: WorktreeManager,
    base: str,
    results: Mapping[str, str],
    settle: Settle | None = None,
) -> str | Conflict:
    """A commit that contains the results (commit by feature id), or their conflict.

    If git cannot merge without a working tree, this is the first result, and
    :func:`merge_rest` merges the others; with ``settle``, all are merged here.
    """
    tips = await _independent(worktrees, results)
    if not tips:
        return base
    if not (worktrees.git.merges_without_worktree or settle):
        return next(iter(tips.values()))
    (first, merged), *others = tips.items()
    names = [first]
    for name, commit in others:
        tree, files = await merge(worktrees, merged, commit)
        if tree:
            message = _merge_message(names, name)
            merged = await worktrees.git.commit_tree(tree, (merged, commit), message)
        else:
            met = Conflict(await _culprit(worktrees, names, tips, name), name, tuple(files))
            if settle is None:
                return met
            meeting = Meeting(tuple(names), merged, name, commit, tuple(files))
            settled = await settle(meeting, met)
            if isinstance(settled, Conflict):
                return settled
            merged = settled
        names.append(name)
    return merged


async def _independent(worktrees: WorktreeManager, results: Mapping[str, str]) -> dict[str, str]:
    """The results that are not contained in another one."""
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
    """The merged tree, empty after a conflict, and the files in conflict.

    The result is that of ``git merge`` with ``ours`` checked out. If it depends on programs of the
    user's, they run in a scratch worktree; a read-only git raises :class:`Unknown` instead.
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
"""Numbers the scratch worktrees of concurrent merges."""


def _merge_message(names: Sequence[str], other: str) -> str:
    return f"merge {', '.join(names)} and {other}\n\nThe base of a feature that depends on them."
