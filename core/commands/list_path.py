"""Which feature list is meant: in a worktree of ours the main checkout's, never an agent's copy."""

from __future__ import annotations

import os

from .. import config as feature_list
from ..errors import UserError
from ..journal import Journal
from ..state import fold
from ..worktree import MARK, admin_of


def list_path(given: str) -> str:
    """The feature list that is meant: ``given``, or the one found from the current folder.

    In a worktree of ours that is the main checkout's: an agent may have edited the copy there.
    Raises :class:`UserError` where the main checkout has none.
    """
    if given:
        path = in_main_checkout(given)
        if path != given and not os.path.exists(path):
            raise UserError(
                f"{given} is in the worktree of a feature, and {path} does not exist",
                hint="name a list outside of the worktrees: --config PATH",
            )
        return path
    start = in_main_checkout(os.curdir)
    while os.path.isabs(start) and not os.path.isdir(start):
        start = os.path.dirname(start)
    return in_main_checkout(feature_list.find(start))


def in_main_checkout(path: str) -> str:
    """Where the main checkout has what ``path`` names in a worktree of ours; else ``path``."""
    try:
        real = os.path.realpath(path)
    except FileNotFoundError:  # The current folder was deleted: find() tells.
        return path
    top, parents = real, [real]
    while top != os.path.dirname(top):
        top = os.path.dirname(top)
        parents.append(top)
    for top in reversed(parents):  # A repository that an agent made in a worktree is in it.
        common = _repository_of_ours(top)
        if common:
            main = os.path.dirname(common)
            return os.path.normpath(os.path.join(main, os.path.relpath(real, top)))
    return path


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
