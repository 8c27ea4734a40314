"""Commits a feature's work: staging, held-back files, hooks that change or refuse it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..git import (
    commits,
    staging,
    worktree_status,
)
from ..git.door import GitError
from ..git.hooks import Hooks
from ..git.output import Commit
from ..git.refs import HEADS
from ..model.commit_subject import subject
from ..model.errors import UserError
from ..model.excerpt import excerpt, some
from ..model.feature import Feature
from . import inspection
from .check_artifacts import FileStamp, stamp_of
from .files import (
    is_only_huge,
    left_uncommitted,
)
from .worktree import Worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


async def check_hooks(
    worktrees: WorktreeManager,
    worktree: Worktree,
    old: str,
    made: Commit | None,
    wanted: Collection[str],
    hooks: Hooks,
) -> None:
    """Raise :class:`UserError` where hooks took the commit back, or put it elsewhere.

    So, too, where they left out what stands in the worktree: checks would find it there.
    """
    which = f"your hooks ({', '.join(dict.fromkeys(hooks.ran))})"
    tip = made.id if made else old
    if made and tip == old:
        raise UserError(f"{which} took the commit back", hint=ONLY_COMMITS)
    if await worktrees.git.commit_of(HEADS + worktree.branch) != tip:
        raise UserError(
            f"{which} moved {worktree.path} away from {worktree.branch}, which does not have "
            f"the commit: it is {tip[:10]}",
            hint=f"in there: git checkout -B {worktree.branch} {tip[:10]}; {ONLY_COMMITS}",
        )
    (committed,) = await commits.changed_files(worktrees.git, [(old, tip)])
    untracked = (await inspection.work_status(worktrees, worktree.path)).untracked
    left = sorted({*wanted, *committed}.intersection(untracked))
    if left:
        raise UserError(
            f"{which} left files out of the commit that stand in the worktree, where the "
            f"checks would find them: {some(left)}",
            hint=ONLY_COMMITS,
        )


async def stage(worktrees: WorktreeManager, path: str, files: Sequence[str]) -> None:
    """Stage files; a filter or an attribute of the user's may refuse one."""
    try:
        await staging.stage(worktrees.git, path, files)
    except GitError as error:
        error.hint = error.hint or ONLY_COMMITS
        raise


async def files_held_back(
    worktrees: WorktreeManager, path: str, files: Sequence[str]
) -> tuple[str, ...]:
    held = left_uncommitted(path, files)
    huge = [file for file in held if is_only_huge(path, file)]
    pointers = await worktree_status.stored_by_lfs(worktrees.git, path, huge)
    return tuple(file for file in held if file not in pointers)


async def commit_index(
    worktrees: WorktreeManager,
    path: str,
    message: str,
    tip: str,
    hooks: Hooks,
    stamps: Mapping[str, FileStamp | None],
) -> Commit | None:
    """The commit of what is staged; ``None`` where nothing differs from ``tip``.

    ``stamps`` tell the files as they were staged: what hooks change without adding it is
    added once, or the checks would look at something else.
    """
    with hooks.wrapped() as folder:
        made = await _commit_staged(worktrees, path, message, tip, hooks, folder)
        changed = await _changed_since(worktrees, path, stamps) if made and hooks.names else []
        if not changed:
            return made
        await staging.stage(worktrees.git, path, changed)
        stamps = {**stamps, **{file: stamp_of(path, file) for file in changed}}
        try:
            made = await staging.commit(worktrees.git, path, message, folder, amend=True)
        except GitError as error:
            raise _refusal(error, hooks.refused) from None
        changed = await _changed_since(worktrees, path, stamps)
        if changed:
            raise UserError(
                f"your hooks ({', '.join(dict.fromkeys(hooks.ran))}) change files at each "
                f"commit without adding them: {some(changed)}",
                hint=f"let the hook `git add` what it changes; {ONLY_COMMITS}",
            )
        return made


async def _changed_since(
    worktrees: WorktreeManager, path: str, stamps: Mapping[str, FileStamp | None]
) -> list[str]:
    """The uncommitted files that were written since; not what git itself sees as changed."""
    await worktree_status.clear_hiding_bits(
        worktrees.git, path, await worktree_status.hidden(worktrees.git, path)
    )
    status = await inspection.work_status(worktrees, path)
    return [
        file
        for file in status.changed
        if file not in stamps or stamp_of(path, file) != stamps[file]
    ]


async def _commit_staged(
    worktrees: WorktreeManager, path: str, message: str, tip: str, hooks: Hooks, folder: str
) -> Commit | None:
    """The commit of what is staged, with the hooks in ``folder``.

    There is a second try where a hook changed files, as formatters do, and where no hook
    refused: then git or a signing program failed.
    """
    tree = await staging.written_tree(worktrees.git, path)
    try:
        return await staging.commit(worktrees.git, path, message, folder)
    except GitError as error:
        status = await inspection.work_status(worktrees, path)
        if not status.changed:
            # Staging can show that nothing differs, as with line ends that git
            # normalises; and a hook may have made the commit itself.
            return None if status.commit == tip else await staging.head_commit(worktrees.git, path)
        await staging.stage(worktrees.git, path, status.changed)
        if hooks.refused and await staging.written_tree(worktrees.git, path) == tree:
            raise _refusal(error, hooks.refused) from None
    hooks.forget_refusal()
    await worktrees.git.spawner.pause(SECOND_TRY_SECONDS)
    try:
        return await staging.commit(worktrees.git, path, message, folder)
    except GitError as error:
        raise _refusal(error, hooks.refused) from None


SECOND_TRY_SECONDS = 0.5
"""Before a commit is tried once more: a signing program may be busy."""


COMPLAINT_LINES = 20
"""How much of what a hook printed goes into the reason."""


ONLY_COMMITS = "fix it; then `rorchestrator run` only commits: Claude is not paid again"


def commit_message(feature: Feature, run: str, template: str) -> str:
    """Of the commit that holds what Claude left uncommitted."""
    return (
        f"{subject(template, feature)}\n\n"
        f"RoRchestrator-Feature: {feature.id}\nRoRchestrator-Run: {run}\n"
    )


def _refusal(error: GitError, hook: str) -> UserError:
    """Who refused a commit, and what to do; ``hook`` is empty where git itself did."""
    said = excerpt("\n".join(error.complaint.splitlines()[-COMPLAINT_LINES:]))
    if hook:
        subject = "project.commit_subject sets the subject; " if "msg" in hook else ""
        return UserError(
            f"your {hook} hook refused the commit: {said}", hint=f"{subject}{ONLY_COMMITS}"
        )
    if "failed to write commit object" in error.complaint:
        error.hint = f"git signs commits here (commit.gpgsign) and could not: {ONLY_COMMITS}"
    else:
        error.hint = ONLY_COMMITS
    return error
