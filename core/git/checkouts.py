"""Worktrees as git sees them: listed, added, checked out, removed; an operation in progress."""

from __future__ import annotations

import os

from .door import Git
from .output import WorktreeEntry, worktree_entry
from .paths import first_line, is_there
from .refs import HEADS


async def worktrees(git: Git) -> list[WorktreeEntry]:
    """Every worktree that the repository knows; format: git-worktree(1), "PORCELAIN".

    A command that only looks asks once: with hundreds of them each list takes its time.
    """
    if git.is_read_only and git.listed is not None:
        return git.listed
    finished = await git.run("list its worktrees", "worktree", "list", "--porcelain")
    blocks = os.fsdecode(finished.stdout).strip("\n").split("\n\n")
    git.listed = [worktree_entry(block) for block in blocks if block]
    return git.listed


def real_path(git: Git, path: str) -> str:
    """The path without links; a command that only looks finds it once."""
    if not git.is_read_only:
        return os.path.realpath(path)
    if path not in git.real_paths:
        git.real_paths[path] = os.path.realpath(path)
    return git.real_paths[path]


async def add_worktree(git: Git, path: str, commit: str) -> None:
    """Make a worktree at ``path`` of a branch or, detached, of a commit.

    It is locked, and has no files yet.
    """
    arguments = ("worktree", "add", "--quiet", "--lock", "--no-checkout", "--", path, commit)
    await git.run(f"make the worktree {path}", *arguments)


async def check_out(git: Git, path: str, new_branch: str = "") -> None:
    """Fill a new worktree with its files, and put it on a branch that is made there.

    Raises where the branch exists.
    """
    # Not `worktree add -b`, which leaves the branch behind where it fails.
    branch = ("-b", new_branch, "--no-track") if new_branch else ()
    arguments = ("checkout", "--force", "--quiet", "--no-recurse-submodules", *branch)
    await git.run(f"check out {path}", *arguments, at=path, guarded=True)


async def remove_worktree(git: Git, path: str) -> None:
    """Remove a worktree with everything in it: the caller has seen what that is."""
    arguments = ("worktree", "remove", "--force", "--", path)
    await git.run(f"remove the worktree {path}", *arguments, guarded=True)


async def admin_dir(git: Git, path: str) -> str:
    """The folder below the common one where git keeps this worktree's own state."""
    finished = await git.run("find a worktree", "rev-parse", "--absolute-git-dir", at=path)
    return finished.text


async def head_of(git: Git, path: str) -> str:
    """The ref that a worktree has checked out; empty where it is on no branch."""
    finished = await git.try_run("symbolic-ref", "--quiet", "HEAD", at=path)
    return finished.text if finished.code == 0 else ""


async def operation_in_progress(git: Git, path: str) -> str:
    """What of git's own is half done in a worktree; empty where nothing is."""
    folder = await admin_dir(git, path)
    found = (what for name, what in HALF_DONE.items() if is_there(folder, name))
    return next(found, "")


def rebased_in(git: Git, branch: str) -> str:
    """The admin folder of the worktree in which a rebase of a branch goes on; else empty."""
    common = git.repository.common_dir
    linked = os.path.join(common, "worktrees")
    names = os.listdir(linked) if os.path.isdir(linked) else []
    for folder in (common, *(os.path.join(linked, name) for name in names)):
        for kind in ("rebase-merge", "rebase-apply"):
            if first_line(os.path.join(folder, kind, "head-name")) == HEADS + branch:
                return folder
    return ""


HALF_DONE = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase, or git am,",
}
"""Files and folders that git keeps beside HEAD until the user has ended what they stand for."""
