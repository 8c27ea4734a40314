"""`git worktree list`, `add`, `remove`, checkout; a merge or rebase in progress."""

from __future__ import annotations

import os

from ..model.translate import N_
from . import known_settings
from .door import Git
from .output import WorktreeEntry, worktree_entry
from .paths import first_line, is_there
from .refs import HEADS


async def worktrees(git: Git) -> list[WorktreeEntry]:
    """Every worktree of the repository; format: git-worktree(1), "PORCELAIN".

    A read-only git lists them once: hundreds of worktrees make the list slow.
    """
    if git.is_read_only and git.listed is not None:
        return git.listed
    finished = await git.run(N_("list its worktrees"), "worktree", "list", "--porcelain")
    blocks = os.fsdecode(finished.stdout).strip("\n").split("\n\n")
    git.listed = [worktree_entry(block) for block in blocks if block]
    return git.listed


def real_path(git: Git, path: str) -> str:
    """The path without symbolic links, cached by a read-only git."""
    if not git.is_read_only:
        return os.path.realpath(path)
    if path not in git.real_paths:
        git.real_paths[path] = os.path.realpath(path)
    return git.real_paths[path]


async def add_worktree(git: Git, path: str, commit: str) -> None:
    """Add a locked worktree without files at ``path``, on a branch or a detached commit."""
    arguments = ("worktree", "add", "--quiet", "--lock", "--no-checkout", "--", path, commit)
    await git.run(N_("add the worktree {path}").format(path=path), *arguments)


async def remove_untracked(git: Git, path: str) -> None:
    """Remove everything that is not in the index, also ignored files and other repositories.

    Raises :class:`GitError` if something stays.
    """
    doing = N_("remove the untracked files of {path}").format(path=path)
    await git.run(doing, "clean", "-ffdxq", at=path, guarded=True, settings=WHOLE_STAT)


async def check_out(git: Git, path: str, new_branch: str = "") -> None:
    """Check out the files of a new worktree, and create ``new_branch`` if one is given.

    Files that it has already are written anew if their stat differs from the index.
    Raises :class:`GitError` if the branch exists.
    """
    # Not `worktree add -b`, which leaves the branch behind when it fails.
    branch = ("-b", new_branch, "--no-track") if new_branch else ()
    arguments = ("checkout", "--force", "--quiet", "--no-recurse-submodules", *branch)
    doing = N_("check out {path}").format(path=path)
    guarded = await known_settings.may_run_programs(git)
    await git.run(doing, *arguments, at=path, guarded=guarded, settings=WHOLE_STAT)


async def remove_worktree(git: Git, path: str) -> None:
    """Remove a worktree with everything in it. The caller has saved its work."""
    arguments = ("worktree", "remove", "--force", "--", path)
    await git.run(N_("remove the worktree {path}").format(path=path), *arguments, guarded=True)


async def admin_dir(git: Git, path: str) -> str:
    """The git folder of one worktree (``.git/worktrees/NAME``)."""
    finished = await git.run(N_("find the worktree"), "rev-parse", "--absolute-git-dir", at=path)
    return finished.text


async def head_of(git: Git, path: str) -> str:
    """The ref that HEAD of a worktree points to; empty for a detached HEAD."""
    finished = await git.try_run("symbolic-ref", "--quiet", "HEAD", at=path)
    return finished.text if finished.code == 0 else ""


async def operation_in_progress(git: Git, path: str) -> str:
    """The unfinished merge, rebase, … of a worktree, in words; else empty."""
    folder = await admin_dir(git, path)
    found = (what for name, what in OPERATIONS.items() if is_there(folder, name))
    return next(found, "")


def rebase_in_progress(git: Git, branch: str) -> str:
    """The git folder of the worktree where a rebase of ``branch`` is in progress; else empty."""
    common = git.repository.common_dir
    linked = os.path.join(common, "worktrees")
    names = os.listdir(linked) if os.path.isdir(linked) else []
    for folder in (common, *(os.path.join(linked, name) for name in names)):
        for kind in ("rebase-merge", "rebase-apply"):
            if first_line(os.path.join(folder, kind, "head-name")) == HEADS + branch:
                return folder
    return ""


WHOLE_STAT = (
    *("-c", "core.trustctime=true", "-c", "core.checkStat=default"),
    *("-c", "core.untrackedCache=false"),
)
"""git compares every field of a file's stat, and reads every folder itself."""


OPERATIONS = {
    "MERGE_HEAD": N_("a merge"),
    "CHERRY_PICK_HEAD": N_("a cherry-pick"),
    "REVERT_HEAD": N_("a revert"),
    "rebase-merge": N_("a rebase"),
    "rebase-apply": N_("a rebase, or git am,"),
}
"""Files and folders next to HEAD that exist while an operation is unfinished."""
