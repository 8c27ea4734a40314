"""Commits a feature's work: staging, left-out files, pre-commit hooks that change or refuse it."""

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
from ..model.translate import N_
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
    """Raise :class:`UserError` if hooks undid the commit or moved it to another branch.

    Also if they left out files that are still in the worktree, where checks would find them.
    """
    which = N_("your hooks ({names})").format(names=", ".join(dict.fromkeys(hooks.ran)))
    tip = made.id if made else old
    if made and tip == old:
        raise UserError(N_("{which} undid the commit").format(which=which), hint=ONLY_COMMITS)
    if await worktrees.git.commit_of(HEADS + worktree.branch) != tip:
        raise UserError(
            N_("{which} moved {path} away from {branch}, which lacks the commit {tip}").format(
                which=which, path=worktree.path, branch=worktree.branch, tip=tip[:10]
            ),
            hint=N_("in this worktree: git checkout -B {branch} {tip}; {then}").format(
                branch=worktree.branch, tip=tip[:10], then=ONLY_COMMITS
            ),
        )
    (committed,) = await commits.changed_files(worktrees.git, [(old, tip)])
    untracked = (await inspection.work_status(worktrees, worktree.path)).untracked
    left = sorted({*wanted, *committed}.intersection(untracked))
    if left:
        raise UserError(
            N_(
                "{which} left files out of the commit that are in the worktree, where the "
                "checks would find them: {left}"
            ).format(which=which, left=some(left)),
            hint=ONLY_COMMITS,
        )


async def stage(worktrees: WorktreeManager, path: str, files: Sequence[str]) -> None:
    """Stage files; a filter of the user's may fail."""
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
    """The commit of the index; ``None`` if nothing differs from ``tip``.

    ``stamps`` are those of the staged files: files that hooks change without staging them are
    added by one amend, or the checks would see other content.
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
                N_(
                    "your hooks ({names}) change files at every commit without staging "
                    "them: {changed}"
                ).format(names=", ".join(dict.fromkeys(hooks.ran)), changed=some(changed)),
                hint=N_("let the hook `git add` its changes; {then}").format(then=ONLY_COMMITS),
            )
        return made


async def _changed_since(
    worktrees: WorktreeManager, path: str, stamps: Mapping[str, FileStamp | None]
) -> list[str]:
    """The uncommitted files that were written since ``stamps``."""
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
    """The commit of the index, with the hooks in ``folder``.

    Retried once if a hook changed files, as formatters do, or if no hook refused, which means
    that git or a signing program failed.
    """
    runs = bool(hooks.names)
    tree = await staging.written_tree(worktrees.git, path) if runs else ""
    try:
        return await staging.commit(worktrees.git, path, message, folder, runs_hooks=runs)
    except GitError as error:
        status = await inspection.work_status(worktrees, path)
        if not status.changed:
            # Nothing differs after staging, for example after line ending
            # normalisation; or a hook made the commit itself.
            return None if status.commit == tip else await staging.head_commit(worktrees.git, path)
        await staging.stage(worktrees.git, path, status.changed)
        if hooks.refused and await staging.written_tree(worktrees.git, path) == tree:
            raise _refusal(error, hooks.refused) from None
    hooks.forget_refusal()
    await worktrees.git.spawner.pause(SECOND_TRY_SECONDS)
    try:
        return await staging.commit(worktrees.git, path, message, folder, runs_hooks=runs)
    except GitError as error:
        raise _refusal(error, hooks.refused) from None


SECOND_TRY_SECONDS = 0.5
"""Before the retry: a signing program may be busy."""


COMPLAINT_LINES = 20
"""Lines of a hook's output in the message."""


ONLY_COMMITS = N_("fix this; `rorchestrator run` then only commits, and Claude is not paid again")


def commit_message(feature: Feature, run: str, template: str) -> str:
    """The message of the commit with Claude's uncommitted work."""
    return (
        f"{subject(template, feature)}\n\n"
        f"RoRchestrator-Feature: {feature.id}\nRoRchestrator-Run: {run}\n"
    )


def _refusal(error: GitError, hook: str) -> UserError:
    """The error of a refused commit; ``hook`` is empty if git itself failed."""
    said = excerpt("\n".join(error.complaint.splitlines()[-COMPLAINT_LINES:]))
    if hook:
        hint = N_("project.commit_subject sets the subject; {then}") if "msg" in hook else "{then}"
        return UserError(
            N_("your {hook} hook refused the commit: {said}").format(hook=hook, said=said),
            hint=hint.format(then=ONLY_COMMITS),
        )
    if "failed to write commit object" in error.complaint:
        hint = N_("git could not sign the commit (commit.gpgsign): {then}")
        error.hint = hint.format(then=ONLY_COMMITS)
    else:
        error.hint = ONLY_COMMITS
    return error
