"""When refs were made, and what only they hold: `for-each-ref`, `rev-list --disk-usage`."""

from __future__ import annotations

from collections.abc import Collection

from ..model.translate import N_
from . import checkouts
from .door import Git


async def commit_times(git: Git, prefix: str) -> dict[str, float]:
    """When the commit of each ref below ``prefix`` was made, in seconds since 1970."""
    wanted = "--format=%(committerdate:unix) %(refname)"
    finished = await git.run(N_("list its refs"), "for-each-ref", wanted, prefix)
    pairs = (line.split(" ", 1) for line in finished.text.splitlines())
    return {ref: float(at or 0) for at, ref in pairs}


async def staying(git: Git, going: Collection[str]) -> set[str]:
    """The commits of all refs but those that go, and of all worktrees."""
    refs = await git.refs()
    entries = await checkouts.worktrees(git)
    commits = {commit for ref, commit in refs.items() if ref not in going}
    return commits | {entry.commit for entry in entries if entry.commit}


async def bytes_of(git: Git, commits: Collection[str], others: Collection[str]) -> int | None:
    """What the objects of ``commits`` take that ``others`` do not hold.

    ``None`` if git can't tell: before 2.31.
    """
    listed = [*commits, *(f"^{commit}" for commit in others)]
    stdin = "".join(f"{each}\n" for each in listed).encode()
    arguments = ("rev-list", "--objects", "--disk-usage", "--ignore-missing", "--stdin")
    finished = await git.try_run(*arguments, stdin=stdin)
    return int(finished.text) if finished.code == 0 and finished.text.isdecimal() else None
