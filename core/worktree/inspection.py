"""Status of a worktree without files from before Claude and without build products."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress

from ..git import (
    commits,
    configuration,
    index_file,
    staging,
    worktree_status,
)
from ..git.output import DETACHED, WorktreeStatus
from ..model.errors import UserError
from ..model.frozen import replace
from ..model.translate import N_
from . import admin_files, baseline, build_products
from .baseline import Baseline
from .worktree import Worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


async def record_baseline(
    worktrees: WorktreeManager, worktree: Worktree, *, is_fresh: bool = False
) -> None:
    """Record the uncommitted files of a worktree before Claude starts.

    ``is_fresh``: no command ran there since its checkout.
    """
    folder = admin_files.admin_folder(worktrees, worktree.path)
    try:
        status = await status_before(worktrees, worktree, is_fresh=is_fresh)
        modules = await _modules(worktrees, worktree.path, status.changed)
        baseline.save(folder, baseline.take(worktree.path, status, modules))
    except OSError as error:
        raise UserError(
            N_("{path} can't be written: {strerror}").format(path=folder, strerror=error.strerror),
            hint=N_("free disk space or correct the permissions, then run again"),
        ) from None


def read_baseline(worktrees: WorktreeManager, path: str) -> Baseline:
    """The baseline of a worktree; empty if unknown."""
    return baseline.load(admin_files.admin_folder(worktrees, path))


async def _modules(worktrees: WorktreeManager, path: str, files: Iterable[str]) -> dict[str, str]:
    """The commits that submodules among ``files`` have checked out."""
    folders = {file: os.path.join(path, file) for file in files}
    there = {file: at for file, at in folders.items() if os.path.lexists(f"{at}/.git")}
    return {file: await worktrees.git.commit_of("HEAD", at=at) for file, at in there.items()}


async def old_files(
    worktrees: WorktreeManager, path: str, status: WorktreeStatus, known: Baseline | None = None
) -> set[str]:
    """The uncommitted files that are unchanged since the baseline, which may be ``known``."""
    known = known or read_baseline(worktrees, path)
    old = known.unchanged(path, (*status.changed, *status.untracked))
    now = await _modules(worktrees, path, set(known.modules).intersection(status.changed))
    return old.union(file for file, commit in now.items() if known.modules[file] == commit)


async def restore_tracked(worktrees: WorktreeManager, path: str) -> None:
    """Undo a setup's changes to tracked files, in a worktree without an agent."""
    status = await full_status(worktrees, path)
    await restore(worktrees, path, status, status.changed)


async def restore(
    worktrees: WorktreeManager, path: str, status: WorktreeStatus, old: Collection[str]
) -> None:
    """Undo the setup's changes to tracked files, because checks must see the commit."""
    await staging.unstage(worktrees.git, path, set(old).intersection(status.added))
    tracked = set(old).intersection(status.changed).difference(status.added)
    await staging.restore(worktrees.git, path, sorted(tracked))


async def products(
    worktrees: WorktreeManager, path: str, base: str, files: Iterable[str]
) -> dict[str, str]:
    """The build products among ``files``, each with the folder or file to report.

    Nothing in a folder that the commit ``base`` tracks counts.
    """
    found = build_products.among(path, files)
    tracked = await commits.present(
        worktrees.git, base, {root for roots in found.values() for root in roots}
    )
    own = {file: [r for r in roots if r not in tracked] for file, roots in found.items()}
    return {file: roots[0] for file, roots in own.items() if roots}


async def committed_products(
    worktrees: WorktreeManager, worktree: Worktree, commit: str
) -> list[str]:
    """The build products that a commit adds to the worktree's start."""
    start = worktree.start_commit
    (changed,) = await commits.changed_files(worktrees.git, [(start, commit)])
    return sorted(set((await products(worktrees, worktree.path, start, changed)).values()))


async def full_status(worktrees: WorktreeManager, path: str) -> WorktreeStatus:
    """The status with ignored files, after clearing index bits that hide changes."""
    await worktree_status.clear_hiding_bits(
        worktrees.git, path, await worktree_status.hidden(worktrees.git, path)
    )
    return await worktree_status.status_of(worktrees.git, path, ignored=True)


async def status_before(
    worktrees: WorktreeManager, worktree: Worktree, *, is_fresh: bool
) -> WorktreeStatus:
    """The full status of a worktree before Claude or a check begins.

    ``is_fresh``: no command ran there since its checkout.
    """
    if is_fresh:
        with suppress(OSError):
            return await _status_of_fresh(worktrees, worktree)
    return await full_status(worktrees, worktree.path)


async def _status_of_fresh(worktrees: WorktreeManager, worktree: Worktree) -> WorktreeStatus:
    """Raises ``OSError``."""
    admin = admin_files.admin_folder(worktrees, worktree.path)
    index = index_file.saved(os.path.join(admin, "index"))
    if index is None or await configuration.may_convert(worktrees.git, index.content):
        return await full_status(worktrees, worktree.path)
    if worktree.is_checked_out and index_file.has_no_submodule(worktree.path):
        return WorktreeStatus(worktree.branch or DETACHED, worktree.start_commit)
    return await _status_by_stat(worktrees, worktree.path, admin, index)


async def _status_by_stat(
    worktrees: WorktreeManager, path: str, admin: str, index: index_file.SavedIndex
) -> WorktreeStatus:
    """The status of a worktree in which nothing ran since its checkout. Raises ``OSError``.

    git compares the content of each file that is not older than the index, to the second: after a
    checkout, of nearly all. Here the stat alone says enough.
    """
    copy = os.path.join(admin, "rorchestrator-index")
    with suppress(FileNotFoundError):
        os.unlink(copy)  # that of a killed run
    try:
        replace(index, mtime_ns=index.mtime_ns + NEWER_NS).put(copy)
        return await worktree_status.status_of(worktrees.git, path, ignored=True, index=copy)
    finally:
        os.unlink(copy)


NEWER_NS = 2_000_000_000
"""More than the unit in which git compares times."""


async def work_status(worktrees: WorktreeManager, path: str) -> WorktreeStatus:
    """The status of a worktree without files that are unchanged since the baseline."""
    status = await worktree_status.status_of(worktrees.git, path)
    return status.without(await old_files(worktrees, path, status))
