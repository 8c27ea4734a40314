"""What `.git/worktrees/*` says of a worktree: whose it is, whether it was moved or half made."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress

from ..git import (
    checkouts,
)
from ..git.output import BEING_MADE, WorktreeEntry
from ..model.errors import UserError
from ..process.temporary_folder import remove_tree
from .names import MARK, MARKS_SINCE, RUBBISH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .manager import WorktreeManager


def admin_of(path: str) -> str:
    """Where the ``.git`` file of a worktree points; empty where there is none."""
    words = gitfile_or_nothing(path)
    if not words.startswith(b"gitdir: "):
        return ""
    target = os.fsdecode(words).rstrip("\n")[len("gitdir: ") :]
    return os.path.realpath(os.path.join(path, target))


def read_gitfile(path: str) -> bytes:
    """What the ``.git`` file of a worktree says. Raises ``OSError`` where there is none."""
    return _read_at_once(os.path.join(path, ".git"))


def _read_at_once(path: str) -> bytes:
    """The begin of a file. Of a pipe that an agent put in its place: nothing, and no waiting."""
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
    """Whether git finished making a worktree: both halves point at each other."""
    has_all = all(_read(os.path.join(admin, name)) for name in ("HEAD", "commondir", "gitdir"))
    linked = bool(_read(os.path.join(path, ".git")))
    checked_out = os.path.isfile(os.path.join(admin, "index"))
    # A worktree is locked while it is made.
    begun = _read(os.path.join(admin, "locked")).decode("utf-8", "replace").strip() in BEING_MADE
    return has_all and linked and checked_out and not begun


def _is_empty(path: str) -> bool:
    """Whether a folder has no file yet but git's own, or is not there."""
    return not os.path.isdir(path) or set(os.listdir(path)) <= {".git"}


def _is_named_for(admin: str, feature: str) -> bool:
    """Whether git would call an admin folder so; where the name is taken it adds a number."""
    return re.fullmatch(re.escape(feature) + "[0-9]*", admin) is not None


def is_unfinished(admin: str, path: str) -> bool:
    """Whether git was killed before it had written which worktree an admin folder is for."""
    named = os.path.basename(path).replace("~", "-")  # as git spells it there
    return not linked_folder(admin) and _is_named_for(os.path.basename(admin), named)


def linked_folder(admin: str) -> str:
    """The worktree that an admin folder belongs to; empty where it doesn't say."""
    gitfile = os.fsdecode(_read(os.path.join(admin, "gitdir")).strip())
    return os.path.dirname(os.path.realpath(os.path.join(admin, gitfile))) if gitfile else ""


def _read(path: str) -> bytes:
    try:
        return _read_at_once(path)
    except OSError:
        return b""


def was_made_for(worktrees: WorktreeManager, entry: WorktreeEntry, path: str, feature: str) -> bool:
    """Whether we made a worktree for a feature, or are just making it."""
    admin = admin_entry(worktrees, entry.path)
    # git names the admin folder after the worktree's first place, and keeps the name.
    if checkouts.real_path(worktrees.git, entry.path) != path and not _is_named_for(
        os.path.basename(admin), feature
    ):
        return False
    being_made = entry.locked in BEING_MADE and _is_empty(entry.path)
    return being_made or _is_marked(worktrees, admin)


def admin_entry(worktrees: WorktreeManager, path: str) -> str:
    """The admin folder of a worktree, whether its folder is there or not."""
    admin = admin_folder(worktrees, path)
    real = os.path.realpath(path)
    if is_linked(worktrees, path) and linked_folder(admin) == real:
        return admin
    return next((each for each in all_admin_dirs(worktrees) if linked_folder(each) == real), "")


def _is_marked(worktrees: WorktreeManager, admin: str) -> bool:
    """Whether we made the worktree of an admin folder, as far as can be told.

    Up to version 1.0 there were no marks: what is older than the first one may be ours.
    """
    first = os.path.join(worktrees.git.repository.common_dir, MARKS_SINCE)
    if os.path.exists(os.path.join(admin, MARK)) or not os.path.exists(first):
        return True
    made = os.path.join(admin, "commondir")
    return os.path.exists(made) and os.stat(made).st_mtime_ns < os.stat(first).st_mtime_ns


def is_ours(worktrees: WorktreeManager, path: str) -> bool:
    """Whether a folder is a worktree of this repository that we made, for some feature.

    Or one that a kill left before it was marked, with nothing in it.
    """
    admin = admin_folder(worktrees, path)
    was_begun = not is_whole(admin, path) and _is_empty(path)
    return is_linked(worktrees, path) and (was_begun or _is_marked(worktrees, admin))


def admin_folder(worktrees: WorktreeManager, path: str) -> str:
    """Where the ``.git`` file of a worktree points; empty where there is none."""
    return admin_of(path)


def other_repository(worktrees: WorktreeManager, path: str) -> str:
    """The repository whose worktree a folder is; empty where it is none, or this one's."""
    admin = admin_folder(worktrees, path)
    if not admin or is_linked(worktrees, path):
        return ""
    common = os.path.dirname(os.path.dirname(admin))
    return os.path.dirname(common) if os.path.basename(common) == ".git" else common


def was_moved(worktrees: WorktreeManager, path: str) -> bool:
    """Whether a folder is a worktree of this repository, which was moved since it was made."""
    admin = admin_folder(worktrees, path)
    common = worktrees.git.repository.common_dir
    own = os.path.join(common, "worktrees", os.path.basename(admin))
    return (
        bool(admin) and not os.path.exists(admin) and linked_folder(own) == os.path.realpath(path)
    )


def is_linked(worktrees: WorktreeManager, path: str) -> bool:
    """Whether a folder is a worktree of this repository, or only lies where one was."""
    parent = os.path.join(worktrees.git.repository.common_dir, "worktrees")
    return os.path.dirname(admin_folder(worktrees, path)) == parent


def leads_here(worktrees: WorktreeManager, path: str) -> bool:
    """Whether git, in a folder, works on this repository and reads its configuration."""
    admin = admin_folder(worktrees, path)
    common = os.fsdecode(_read(os.path.join(admin, "commondir"))).rstrip("\n")
    there = os.path.realpath(os.path.join(admin, common)) if common else ""
    return is_linked(worktrees, path) and there == worktrees.git.repository.common_dir


def is_half_of_ours(worktrees: WorktreeManager, admin: str, path: str) -> bool:
    """Whether we began to make the worktree at ``path``, where nothing else stands."""
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
    """Take away what git knows of a worktree, in one step: ``git fsck`` is clean after a kill.

    What a kill leaves of it goes with the next one.
    """
    rubbish = os.path.dirname(admin) + RUBBISH
    remove_tree(rubbish)
    with suppress(OSError):  # another process takes its own away at the same moment
        os.rename(admin, rubbish)
    remove_tree(rubbish)
    remove_tree(admin)


def check_linked(worktrees: WorktreeManager, path: str) -> None:
    """Raise :class:`UserError` where a folder is no worktree of this repository any more."""
    if not leads_here(worktrees, path):
        what = f"{path} is no worktree of this repository any more"
        if was_moved(worktrees, path):
            top = shlex.quote(worktrees.git.repository.top)
            what = f"{path} leads to where the repository was: git -C {top} worktree repair"
        raise UserError(what)
