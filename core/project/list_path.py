"""Which feature list is meant: in a worktree of ours the main checkout's, never an agent's copy."""

from __future__ import annotations

import os

from ..journal.journal import Journal
from ..model.errors import UserError
from ..model.fold import fold
from ..worktree.admin_files import admin_of
from ..worktree.names import MARK
from . import feature_list


def list_path(given: str) -> str:
    """The feature list that is meant: ``given``, or the one found from the current folder.

    In a worktree of ours that is the main checkout's: an agent may have edited the copy there.
    Raises :class:`UserError` if the main checkout has none.
    """
    if given:
        path = in_main_checkout(given)
        if path != given and not os.path.exists(path):
            raise UserError(
                f"{given} is in the worktree of a feature, and {path} does not exist",
                hint="name a list outside of the worktrees: --config PATH",
            )
        return feature_list.find_in(path) if os.path.isdir(path) else path
    recorded = _recorded()
    if recorded:
        return recorded
    start = in_main_checkout(os.curdir)
    while os.path.isabs(start) and not os.path.isdir(start):
        start = os.path.dirname(start)
    return in_main_checkout(_found(start))


def _found(start: str) -> str:
    """The list found from ``start`` upwards; in a linked worktree without one, the main checkout's.

    A list that git ignores is only there.
    """
    try:
        return feature_list.find(start)
    except UserError:
        main = _main_checkout_of(start)
        if not main:
            raise
        return feature_list.find(main)


def _main_checkout_of(path: str) -> str:
    """The main checkout of the linked worktree that a folder is in; else nothing."""
    for top in _parents(path):
        admin = admin_of(top)
        if os.path.basename(os.path.dirname(admin)) == "worktrees":
            return os.path.dirname(os.path.dirname(os.path.dirname(admin)))
    return ""


def _parents(path: str) -> list[str]:
    """A folder and all above it, the innermost first, without links."""
    try:
        found = [os.path.realpath(path)]
    except FileNotFoundError:  # The current folder was deleted: find() tells.
        return []
    while found[-1] != os.path.dirname(found[-1]):
        found.append(os.path.dirname(found[-1]))
    return found


def _recorded() -> str:
    """The list that made the worktree that we are in, by the journal; empty if none did."""
    top, common = _worktree_of_ours(os.curdir)
    if not common:
        return ""
    for known in fold(Journal(os.path.join(common, "rorchestrator")).read()).features.values():
        path = in_main_checkout(os.path.join(os.path.dirname(common), known.owner))
        if known.worktree and os.path.realpath(known.worktree) == top and os.path.isfile(path):
            return path
    return ""


def in_main_checkout(path: str) -> str:
    """Where the main checkout has what ``path`` names in a worktree of ours; else ``path``."""
    top, common = _worktree_of_ours(path)
    if not common:
        return path
    inner = os.path.relpath(os.path.realpath(path), top)
    return os.path.normpath(os.path.join(os.path.dirname(common), inner))


def _worktree_of_ours(path: str) -> tuple[str, str]:
    """The worktree of ours that ``path`` is in, and its repository's git folder; or nothing."""
    for top in reversed(_parents(path)):  # A repository that an agent made in a worktree is in it.
        common = _repository_of_ours(top)
        if common:
            return top, common
    return "", ""


def _repository_of_ours(path: str) -> str:
    """The git folder of the repository that has ``path`` as a worktree of ours; else nothing."""
    admin = admin_of(path)
    parent, common = os.path.dirname(admin), os.path.dirname(os.path.dirname(admin))
    if os.path.basename(parent) != "worktrees":
        return ""
    if os.path.exists(os.path.join(admin, MARK)):
        return common
    # Up to version 1.0 there were no marks.
    known = fold(Journal(os.path.join(common, "rorchestrator")).read()).features.values()
    made = [feature.worktree for feature in known if feature.worktree]
    return common if path in map(os.path.realpath, made) else ""
