"""Changes by the user to a finished branch: new commits, rebase, reset, deletion."""

from __future__ import annotations

from collections.abc import Iterable

from ..git import commits, history
from ..git.door import Git
from ..model.frozen import Enum, dataclass
from ..model.translate import N_


class Change(Enum):
    """A change to a branch since its run."""

    NONE = "none"
    ADDED = "added"
    """New commits on top of the result."""
    SHORTENED = "shortened"
    """Reset to an earlier commit of the result."""
    REWRITTEN = "rewritten"
    """Amended or rebased."""
    EMPTIED = "emptied"
    """No commits of its own any more."""
    REPLACED = "replaced"
    """Other work, unrelated to the result."""
    DELETED = "deleted"


MESSAGES = {
    Change.ADDED: N_("{branch} has new commits since its run"),
    Change.SHORTENED: N_(
        "{branch} was reset to an earlier commit since its run; that commit counts"
    ),
    Change.REWRITTEN: N_("{branch} was rewritten since its run; its current commits count"),
    Change.EMPTIED: N_(
        "{branch} was reset and has no commits of its own; its run created {result}"
    ),
    Change.REPLACED: N_("{branch} has other work than its run created ({result})"),
    Change.DELETED: N_("{branch} was deleted; its run created {result}"),
}

HINTS = {
    Change.EMPTIED: N_("to restore it, in its worktree: git reset --hard {result}"),
    Change.REPLACED: N_("to restore it, in its worktree: git reset --hard {result}"),
    Change.DELETED: N_("to restore it: git branch {branch} {result}"),
}


@dataclass(frozen=True)
class Origin:
    """A feature's branch, and the commit before its own commits."""

    branch: str
    start: str


@dataclass(frozen=True)
class BranchContent:
    """A feature's current work; ``tip`` is empty if the user removed it."""

    tip: str
    change: Change = Change.NONE
    words: str = ""
    """The user's change as a message; else empty."""
    hint: str = ""


async def branch_content(
    git: Git, origin: Origin, tip: str, result: str, target: str
) -> BranchContent:
    """The current work of a feature with its branch at ``tip`` and the run's ``result``.

    Commits on ``target``, the branch to land on, are not its own.
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
    """Whether a branch is the rewritten work or something else.

    Amended and rebased commits keep author and date. Without such commits, changes to the same
    files decide, unless the branch only follows ``target``.
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

    The nearest of its run's start and the results of its dependencies (``below``), else the merge
    base with ``target``.
    """
    found = ""
    for commit in filter(None, (start, *below)):
        nearer = not found or await git.is_ancestor(found, commit)
        if nearer and await git.is_ancestor(commit, tip):
            found = commit
    return found or await git.merge_base(tip, target)
