"""What a finished feature's branch holds now: the user may have changed it since the run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from ..git import commits, history
from ..git.door import Git
from ..model.frozen import dataclass


class Change(Enum):
    """What the user did with a branch since its run."""

    NONE = "none"
    ADDED = "added"
    """It has further commits on top of the result."""
    SHORTENED = "shortened"
    """It was set back to a commit on the way to the result."""
    REWRITTEN = "rewritten"
    """It was amended or rebased: the result's commits are there in another form."""
    EMPTIED = "emptied"
    """It holds nothing of its own any more."""
    REPLACED = "replaced"
    """It holds something that has nothing to do with the result."""
    DELETED = "deleted"


MESSAGES = {
    Change.ADDED: "{branch} has further commits, added since its run",
    Change.SHORTENED: "{branch} was set back since its run: what is left counts",
    Change.REWRITTEN: "{branch} was rewritten since its run: what it holds now counts",
    Change.EMPTIED: "{branch} was reset and holds no work of its own; its run made {result}",
    Change.REPLACED: "{branch} holds other work than its run made ({result})",
    Change.DELETED: "{branch} was deleted; its run made {result}",
}

HINTS = {
    Change.EMPTIED: "to restore it, in its worktree: git reset --hard {result}",
    Change.REPLACED: "to restore it, in its worktree: git reset --hard {result}",
    Change.DELETED: "to restore it: git branch {branch} {result}",
}


@dataclass(frozen=True)
class Origin:
    """Where a feature's work was made: its branch, and the commit before its own ones."""

    branch: str
    start: str


@dataclass(frozen=True)
class BranchContent:
    """A feature's work as it is now; ``tip`` is empty where the user took it away."""

    tip: str
    change: Change = Change.NONE
    words: str = ""
    """What the user did, for a sentence of its own; empty where that is nothing."""
    hint: str = ""


async def branch_content(
    git: Git, origin: Origin, tip: str, result: str, target: str
) -> BranchContent:
    """What counts of a feature whose branch is at ``tip`` and whose run made ``result``.

    ``target`` is the branch that it would land on: what is there already is not its own.
    """
    change = await _change(git, origin.start, tip, result, target)
    names = {"branch": origin.branch, "result": result[:10]}
    words = MESSAGES.get(change, "").format(**names)
    hint = HINTS.get(change, "").format(**names)
    return BranchContent("" if hint else tip, change, words, hint)


async def _change(git: Git, start: str, tip: str, result: str, target: str) -> Change:
    if tip == result:
        return Change.NONE
    if not tip:
        return Change.DELETED
    if start and await git.is_ancestor(tip, start):
        return Change.EMPTIED
    if await git.is_ancestor(result, tip):
        return Change.ADDED
    if await git.is_ancestor(tip, result):
        return Change.SHORTENED
    return await _rewritten(git, start or await git.merge_base(tip, result), tip, result, target)


async def _rewritten(git: Git, start: str, tip: str, result: str, target: str) -> Change:
    """Whether it is the same work in another form.

    An amended or rebased commit keeps its author's name and date. Where all commits were made
    anew, files that both change tell it, unless the branch only follows another one.
    """
    if not (start and await git.commit_of(result)):
        return Change.REPLACED
    files, others = await commits.changed_files(git, [(start, result), (start, tip)])
    same_files = not files.isdisjoint(others)
    before, now = await history.authors(git, result, start), await history.authors(git, tip, start)
    same_authors = {who for who, _ in before}.intersection(who for who, _ in now)
    if before & now or (same_authors and same_files):
        return Change.REWRITTEN
    if await git.is_ancestor(tip, target):
        return Change.EMPTIED
    return Change.REWRITTEN if same_files else Change.REPLACED


async def start_of(git: Git, start: str, below: Iterable[str], tip: str, target: str) -> str:
    """The commit before the feature's own ones, on a branch that may have been rewritten.

    That is where its run began, or what it needs now (``below``); else where it left ``target``.
    """
    found = ""
    for commit in filter(None, (start, *below)):
        nearer = not found or await git.is_ancestor(found, commit)
        if nearer and await git.is_ancestor(commit, tip):
            found = commit
    return found or await git.merge_base(tip, target)
