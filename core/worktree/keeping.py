"""Uncommitted work: found, and saved under refs/rorchestrator/kept before a worktree is removed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ..git import (
    checkouts,
    staging,
    submodules,
    unreadable_entries,
    worktree_status,
)
from ..git.output import WorktreeStatus
from ..git.refs import HEADS, KEPT
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.translate import N_
from . import admin_files, inspection
from .check_artifacts import contents, digest
from .files import (
    BUILT_BY_TOOLS,
    built_by_tools,
    is_new_secret,
    is_rebuilt,
)
from .secret_copies import SecretCopies
from .worktree import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


async def unsaved(
    worktrees: WorktreeManager,
    path: str,
    made: Collection[str] | None = (),
    base: str = "",
    left: Mapping[str, str] | None = None,
) -> tuple[list[str], list[str]]:
    """Unsaved files of a worktree: those that a commit can contain, and the others.

    Build products do not count unless ``base``, else HEAD, tracks some there. ``made`` are ignored
    files from before the work (``None`` for all); they count if they differ from the file in the
    main checkout. ``left`` are check artifacts with their digests.
    """
    admin_files.check_linked(worktrees, path)
    barred = unreadable_entries.scan(path)
    _check_pipes(path, barred.pipes)
    status = await _whole_status(worktrees, path)
    precious = [
        file
        for file in status.ignored
        if not built_by_tools(file)
        and (not (made is None or file in made) or _was_edited(worktrees, path, file))
    ]
    work = await only_work(worktrees, path, status, base, left or {})
    files = [*work.uncommitted, *(f for f in precious if not _is_left(path, f, left or {}))]
    # Only a read-only git is uncertain, as it does not run the filter.
    files += [
        N_("{file} (maybe changed: filter {name})").format(file=file, name=name)
        for file, name in status.uncertain
    ]
    nested = [file for file in files if file.endswith("/") and _holds_repository(path, file)]
    nested += [folder for folder in barred.unreadable if folder not in nested]
    nested += [N_("submodule {name}").format(name=name) for name in status.submodules]
    nested += await _submodule_work(worktrees, path)
    return [file for file in files if file not in nested], nested


def check_pipes(worktrees: WorktreeManager, path: str) -> None:
    """Raise :class:`UserError` for a FIFO that would block git, outside of build folders."""
    _check_pipes(path, unreadable_entries.scan(path, BUILT_BY_TOOLS).pipes)


async def only_work(
    worktrees: WorktreeManager,
    path: str,
    status: WorktreeStatus,
    base: str,
    left: Mapping[str, str],
) -> WorktreeStatus:
    """The status without baseline files, build products and check artifacts."""
    old = await inspection.old_files(worktrees, path, status)
    found = await inspection.products(worktrees, path, base or status.commit, status.untracked)
    built = {file for file, root in found.items() if is_rebuilt(path, root)}
    checked = {file for file in status.untracked if _is_left(path, file, left)}
    return status.without({*old, *built, *checked})


async def _whole_status(worktrees: WorktreeManager, path: str) -> WorktreeStatus:
    """The status including changes hidden by index bits, without changing the index."""
    hidden = await worktree_status.hidden(worktrees.git, path)
    if not hidden:
        return await worktree_status.status_of(worktrees.git, path, ignored=True)
    import shutil  # slow to import

    with _temporary_file(await _own_index(worktrees, path)) as index:
        shutil.copyfile(
            os.path.join(await checkouts.admin_dir(worktrees.git, path), "index"), index
        )
        await worktree_status.clear_hiding_bits(worktrees.git, path, hidden, index=index)
        return await worktree_status.status_of(worktrees.git, path, ignored=True, index=index)


def _was_edited(worktrees: WorktreeManager, path: str, file: str) -> bool:
    """Whether a file differs from the file of that name in the main checkout."""
    copy, source = os.path.join(path, file), os.path.join(worktrees.git.repository.top, file)
    if os.path.islink(copy) or not (os.path.isfile(copy) and os.path.isfile(source)):
        return False
    import filecmp

    return not filecmp.cmp(source, copy, shallow=False)


async def _submodule_work(worktrees: WorktreeManager, path: str) -> list[str]:
    modules = os.path.join(await checkouts.admin_dir(worktrees.git, path), "modules")
    if not os.path.isdir(modules):
        return []
    found = []
    for root, folders, files in os.walk(modules):
        if "HEAD" in files and "objects" in folders:
            folders[:] = [folder for folder in folders if folder == "modules"]
            name = os.path.relpath(root, modules)
            if await submodules.unpublished_commits(worktrees.git, root, name):
                found.append(N_("submodule {name}").format(name=name))
    return found


async def keep(
    worktrees: WorktreeManager,
    feature: str,
    run: str,
    path: str,
    start_commit: str,
    made: Collection[str] | None = (),
    left: Mapping[str, str] | None = None,
) -> Kept:
    """Save the branch's tip and all uncommitted work under :data:`KEPT`.

    Raises :class:`UserError` if something in the worktree cannot be committed.
    """
    branch = HEADS + worktrees.branch(feature)
    tip = await worktrees.git.commit_of(branch)
    saved = tip if tip != start_commit else ""
    aside = SecretCopies(worktrees.git.repository.common_dir, feature, run)
    if path and os.path.isdir(path):
        files = await _committable(worktrees, path, made, start_commit, left)
        saved = await _with_snapshot(worktrees, feature, path, saved, files, aside)
    elif path:
        saved = await _with_head(worktrees, feature, path, saved)
    ref = await _keep(worktrees, f"{KEPT}{feature}/{run}", saved) if saved else ""
    return Kept(ref, tip, aside.folder)


async def _keep(worktrees: WorktreeManager, ref: str, commit: str) -> str:
    """A ref at the commit: ``ref``, or a numbered one if ``ref`` is at another commit."""
    name, number = ref, 1
    while not await worktrees.git.create_ref(name, commit):
        if await worktrees.git.commit_of(name) == commit:
            break
        number += 1
        name = f"{ref}.{number}"
    return name


async def _committable(
    worktrees: WorktreeManager,
    path: str,
    made: Collection[str] | None,
    base: str,
    left: Mapping[str, str] | None,
) -> list[str]:
    """The unsaved files. Raises :class:`UserError` if a commit cannot contain some."""
    files, nested = await unsaved(worktrees, path, made, base, left)
    check_readable(worktrees, path, nested)
    if nested:
        raise UserError(
            N_("{path} contains work that a commit cannot contain: {nested}").format(
                path=path, nested=some(nested)
            ),
            hint=N_("move it elsewhere, or commit and push it in its own repository"),
        )
    return files


def check_readable(worktrees: WorktreeManager, path: str, nested: Collection[str]) -> None:
    """Raise :class:`UserError` if some of the ``nested`` folders are unreadable."""
    unreadable = [name for name in unreadable_entries.scan(path).unreadable if name in nested]
    if unreadable:
        folders = " ".join(shlex.quote(os.path.join(path, name)) for name in unreadable)
        raise UserError(
            N_("{path} contains unreadable folders: {unreadable}").format(
                path=path, unreadable=", ".join(unreadable)
            ),
            hint=N_("chmod -R u+rwX {folders}, then run this again").format(folders=folders),
        )


async def _with_snapshot(
    worktrees: WorktreeManager,
    feature: str,
    path: str,
    saved: str,
    files: Sequence[str],
    aside: SecretCopies,
) -> str:
    """A commit of ``saved``, the worktree's HEAD and ``files``; secrets are copied instead."""
    status = await worktree_status.status_of(worktrees.git, path)
    files = _spread(path, files)
    secret = {file for file in files if is_new_secret(file, status)}
    aside.put(path, secret)
    files = [file for file in files if file not in secret]
    head = status.commit
    if not files and (head == saved or await _is_published(worktrees, head)):
        return saved
    others = [saved] if saved and not await worktrees.git.is_ancestor(saved, head) else []
    if not files and not others:
        return head
    status = status.without(secret)
    if status.indexed:
        others.append(await _indexed(worktrees, feature, path, status))
    return await _snapshot(worktrees, feature, path, (head, *others), files)


async def _with_head(worktrees: WorktreeManager, feature: str, path: str, saved: str) -> str:
    """A commit of ``saved`` and of the detached HEAD of a removed worktree."""
    heads = [
        e.commit
        for e in await checkouts.worktrees(worktrees.git)
        if e.path == path and not e.branch
    ]
    head = await worktrees.git.commit_of(heads[0]) if heads else ""
    if not head or await _is_published(worktrees, head):
        return saved
    if not saved or await worktrees.git.is_ancestor(saved, head):
        return head
    message = f"HEAD of the worktree of {feature}, kept by RoRchestrator"
    return await worktrees.git.commit_tree(
        await worktrees.git.tree_of(head), (head, saved), message
    )


async def _is_published(worktrees: WorktreeManager, commit: str) -> bool:
    """Whether a branch contains the commit."""
    heads = set((await worktrees.git.refs(HEADS)).values())
    return any([await worktrees.git.is_ancestor(commit, head) for head in heads])


async def _snapshot(
    worktrees: WorktreeManager,
    feature: str,
    path: str,
    parents: Sequence[str],
    files: Sequence[str],
) -> str:
    tree = await tree_of_files(worktrees, path, files)
    message = f"uncommitted work of {feature}, kept by RoRchestrator"
    return await worktrees.git.commit_tree(tree, parents, message)


async def tree_of_files(worktrees: WorktreeManager, path: str, files: Sequence[str]) -> str:
    """The tree of a worktree's HEAD with the current state of ``files``."""
    with _temporary_file(await _own_index(worktrees, path)) as index:
        return await staging.snapshot_tree(worktrees.git, path, _spread(path, files), index)


async def _indexed(
    worktrees: WorktreeManager, feature: str, path: str, status: WorktreeStatus
) -> str:
    """A commit of content that is only in the index: staged, then changed again."""
    with _temporary_file(await _own_index(worktrees, path)) as index:
        tree = await staging.index_tree(worktrees.git, path, status.indexed, index)
    message = f"staged work of {feature}, kept by RoRchestrator"
    return await worktrees.git.commit_tree(tree, (status.commit,), message)


async def _own_index(worktrees: WorktreeManager, path: str) -> str:
    if worktrees.git.is_read_only:
        return worktrees.git.spare_index()
    return os.path.join(
        await checkouts.admin_dir(worktrees.git, path), f"rorchestrator-index.{os.getpid()}"
    )


@contextmanager
def _temporary_file(path: str) -> Iterator[str]:
    """A file that is removed at the end."""
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _check_pipes(path: str, pipes: Sequence[str]) -> None:
    if pipes:
        text = N_("{path}: git would block on a pipe: {pipes}")
        raise UserError(text.format(path=path, pipes=some(pipes)), hint=N_("remove it"))


def pipe_message(pipes: Sequence[str]) -> str:
    return N_("git would block on a pipe: {pipes}").format(pipes=some(pipes))


def _is_left(path: str, file: str, left: Mapping[str, str]) -> bool:
    """Whether a file or a folder is an unchanged check artifact."""
    return file in left and digest(contents(path, file)) == left[file]


def _holds_repository(path: str, folder: str) -> bool:
    return any(
        ".git" in folders + files for _, folders, files in os.walk(os.path.join(path, folder))
    )


def _spread(path: str, files: Iterable[str]) -> list[str]:
    """The files, with folders replaced by their files and links."""
    spread: list[str] = []
    for file in files:
        if not file.endswith("/"):
            spread.append(file)
            continue
        for root, folders, names in os.walk(os.path.join(path, file)):
            found = (os.path.join(root, name) for name in folders + names)
            spread.extend(os.path.relpath(each, path) for each in found if _is_committable(each))
    return spread


def _is_committable(path: str) -> bool:
    return os.path.islink(path) or os.path.isfile(path)


def inside_a_repository(folder: str) -> bool:
    parent = os.path.dirname(os.path.realpath(folder))
    return os.path.exists(os.path.join(parent, ".git")) or (
        parent != os.path.dirname(parent) and inside_a_repository(parent)
    )
