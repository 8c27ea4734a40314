"""`.git/worktrees/NAME` and the `.git` file: owner of a worktree, moved or half-created ones."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress

from ..git import (
    checkouts,
)
from ..git.output import BEING_CREATED, WorktreeEntry
from ..model.errors import UserError
from ..model.translate import N_
from ..process.temporary_folder import remove_tree
from .names import MARK, MARKS_SINCE, RUBBISH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


def admin_of(path: str) -> str:
    """The git folder that the ``.git`` file of a worktree points to; else empty."""
    words = gitfile_or_nothing(path)
    if not words.startswith(b"gitdir: "):
        return ""
    target = os.fsdecode(words).rstrip("\n")[len("gitdir: ") :]
    return os.path.realpath(os.path.join(path, target))


def read_gitfile(path: str) -> bytes:
    """The content of a worktree's ``.git`` file. Raises ``OSError``."""
    return _read_without_blocking(os.path.join(path, ".git"))


def _read_without_blocking(path: str) -> bytes:
    """The beginning of a file, without blocking if an agent replaced it with a FIFO."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def gitfile_or_nothing(path: str) -> bytes:
    try:
        return read_gitfile(path)
    except OSError:
        return b""


def is_whole(admin: str, path: str) -> bool:
    """Whether git finished creating a worktree."""
    has_all = all(_read(os.path.join(admin, name)) for name in ("HEAD", "commondir", "gitdir"))
    linked = bool(_read(os.path.join(path, ".git")))
    checked_out = os.path.isfile(os.path.join(admin, "index"))
    # A worktree is locked while it is created.
    reason = _read(os.path.join(admin, "locked")).decode("utf-8", "replace").strip()
    return has_all and linked and checked_out and reason not in BEING_CREATED


def _is_empty(path: str) -> bool:
    """Whether a folder is missing or only contains ``.git``."""
    return not os.path.isdir(path) or set(os.listdir(path)) <= {".git"}


def _is_named_for(admin: str, feature: str) -> bool:
    """Whether git would give an admin folder this name; it adds a number to a used one."""
    return re.fullmatch(re.escape(feature) + "[0-9]*", admin) is not None


def is_unfinished(admin: str, path: str) -> bool:
    """Whether git was killed before it linked the admin folder to its worktree."""
    named = os.path.basename(path).replace("~", "-")  # git replaces the tilde
    return not linked_folder(admin) and _is_named_for(os.path.basename(admin), named)


def stumps_of_scratch(worktrees: WorktreeManager) -> list[str]:
    """The names of scratch worktrees that git was killed at before it linked their admin folder."""
    ours = re.compile(rf"(.+)-{worktrees.key}-scratch[0-9]*")
    unlinked = (each for each in all_admin_dirs(worktrees) if not linked_folder(each))
    found = (ours.fullmatch(os.path.basename(admin)) for admin in unlinked)
    return [match[1] for match in found if match]


def linked_folder(admin: str) -> str:
    """The worktree that an admin folder belongs to; empty if unknown."""
    gitfile = os.fsdecode(_read(os.path.join(admin, "gitdir")).strip())
    return os.path.dirname(os.path.realpath(os.path.join(admin, gitfile))) if gitfile else ""


def _read(path: str) -> bytes:
    try:
        return _read_without_blocking(path)
    except OSError:
        return b""


def was_made_for(worktrees: WorktreeManager, entry: WorktreeEntry, path: str, feature: str) -> bool:
    """Whether we created a worktree for a feature, or are creating it."""
    admin = admin_entry(worktrees, entry.path)
    # git names the admin folder after the worktree's first path, and keeps the name.
    if checkouts.real_path(worktrees.git, entry.path) != path and not _is_named_for(
        os.path.basename(admin), feature
    ):
        return False
    being_created = entry.locked in BEING_CREATED and _is_empty(entry.path)
    return being_created or _is_marked(worktrees, admin)


def admin_entry(worktrees: WorktreeManager, path: str) -> str:
    """The admin folder of a worktree, even if the worktree is gone."""
    admin = admin_folder(worktrees, path)
    real = os.path.realpath(path)
    if is_linked(worktrees, path) and linked_folder(admin) == real:
        return admin
    return next((each for each in all_admin_dirs(worktrees) if linked_folder(each) == real), "")


def _is_marked(worktrees: WorktreeManager, admin: str) -> bool:
    """Whether we created the worktree of an admin folder, as far as we know.

    Version 1.0 wrote no marks: anything older than the first mark may be ours.
    """
    first = os.path.join(worktrees.git.repository.common_dir, MARKS_SINCE)
    if os.path.exists(os.path.join(admin, MARK)) or not os.path.exists(first):
        return True
    made = os.path.join(admin, "commondir")
    return os.path.exists(made) and os.stat(made).st_mtime_ns < os.stat(first).st_mtime_ns


def is_ours(worktrees: WorktreeManager, path: str) -> bool:
    """Whether a folder is a worktree of this repository that we created for some feature.

    Also an empty one that was not marked yet when we were killed.
    """
    admin = admin_folder(worktrees, path)
    was_begun = not is_whole(admin, path) and _is_empty(path)
    return is_linked(worktrees, path) and (was_begun or _is_marked(worktrees, admin))


def admin_folder(worktrees: WorktreeManager, path: str) -> str:
    """The git folder that the ``.git`` file of a worktree points to; else empty."""
    return admin_of(path)


def other_repository(worktrees: WorktreeManager, path: str) -> str:
    """The other repository that a folder is a worktree of; else empty."""
    admin = admin_folder(worktrees, path)
    if not admin or is_linked(worktrees, path):
        return ""
    common = os.path.dirname(os.path.dirname(admin))
    return os.path.dirname(common) if os.path.basename(common) == ".git" else common


def was_moved(worktrees: WorktreeManager, path: str) -> bool:
    """Whether a folder is a worktree of this repository, and the repository was moved."""
    admin = admin_folder(worktrees, path)
    common = worktrees.git.repository.common_dir
    own = os.path.join(common, "worktrees", os.path.basename(admin))
    return (
        bool(admin) and not os.path.exists(admin) and linked_folder(own) == os.path.realpath(path)
    )


def is_linked(worktrees: WorktreeManager, path: str) -> bool:
    """Whether a folder is a worktree of this repository."""
    return _is_admin(worktrees, admin_folder(worktrees, path))


def _is_admin(worktrees: WorktreeManager, admin: str) -> bool:
    parent = os.path.join(worktrees.git.repository.common_dir, "worktrees")
    return os.path.dirname(admin) == parent


def leads_here(worktrees: WorktreeManager, path: str) -> bool:
    """Whether git in this folder works on this repository and reads its configuration."""
    return is_admin_here(worktrees, admin_folder(worktrees, path))


def is_admin_here(worktrees: WorktreeManager, admin: str) -> bool:
    """The same for a folder with this git folder."""
    common = os.fsdecode(_read(os.path.join(admin, "commondir"))).rstrip("\n")
    there = os.path.realpath(os.path.join(admin, common)) if common else ""
    return _is_admin(worktrees, admin) and there == worktrees.git.repository.common_dir


def is_half_of_ours(worktrees: WorktreeManager, admin: str, path: str) -> bool:
    """Whether we started to create the worktree at ``path`` and nothing else is there."""
    return not other_repository(worktrees, path) and (
        _is_marked(worktrees, admin) or _is_empty(path)
    )


def admin_dirs(worktrees: WorktreeManager, path: str) -> list[str]:
    return [
        admin
        for admin in all_admin_dirs(worktrees)
        if _is_named_for(os.path.basename(admin), os.path.basename(path))
        and linked_folder(admin) in ("", path)
    ]


def all_admin_dirs(worktrees: WorktreeManager) -> list[str]:
    parent = os.path.join(worktrees.git.repository.common_dir, "worktrees")
    return [folder.path for folder in os.scandir(parent)] if os.path.isdir(parent) else []


def remove_admin(worktrees: WorktreeManager, admin: str) -> None:
    """Remove a worktree's admin folder atomically, so that ``git fsck`` is clean after a kill.

    The next call removes what a kill left behind.
    """
    rubbish = os.path.dirname(admin) + RUBBISH
    remove_tree(rubbish)
    with suppress(OSError):  # another process is removing it too
        os.rename(admin, rubbish)
    remove_tree(rubbish)
    remove_tree(admin)


def check_linked(worktrees: WorktreeManager, path: str) -> None:
    """Raise :class:`UserError` if a folder is no longer a worktree of this repository."""
    if not leads_here(worktrees, path):
        if was_moved(worktrees, path):
            top = shlex.quote(worktrees.git.repository.top)
            raise UserError(
                N_(
                    "{path} points to the old location of the repository: git -C {top} "
                    "worktree repair"
                ).format(path=path, top=top)
            )
        raise UserError(N_("{path} is no longer a worktree of this repository").format(path=path))
