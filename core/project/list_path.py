"""The path of the feature list; inside a feature's worktree, the list of the main checkout."""

from __future__ import annotations

import os

from ..journal.history import folded
from ..model.errors import UserError
from ..model.translate import N_
from . import feature_list


def list_path(given: str) -> str:
    """The path of the feature list: ``given``, or found from the current folder upwards.

    In a feature's worktree, it is the list of the main checkout, because Claude may have edited
    the copy. Raises :class:`UserError` if the main checkout has none.
    """
    if given:
        path = in_main_checkout(given)
        if path != given and not os.path.exists(path):
            raise UserError(
                N_("{given} is in the worktree of a feature, and {path} does not exist").format(
                    given=given, path=path
                ),
                hint=N_("name a list outside the worktrees: --config PATH"),
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

    If git ignores the list, only the main checkout has it.
    """
    try:
        return feature_list.find(start)
    except UserError:
        main = _main_checkout_of(start)
        if not main:
            raise
        return feature_list.find(main)


def _main_checkout_of(path: str) -> str:
    """The main checkout of the linked worktree around a folder; empty if there is none."""
    from ..worktree.admin_files import admin_of

    for top in _parents(path):
        admin = admin_of(top)
        if os.path.basename(os.path.dirname(admin)) == "worktrees":
            return os.path.dirname(os.path.dirname(os.path.dirname(admin)))
    return ""


def _parents(path: str) -> list[str]:
    """A folder and its parents, the innermost first, with links resolved."""
    try:
        found = [os.path.realpath(path)]
    except FileNotFoundError:  # The current folder was deleted; find() reports it.
        return []
    while found[-1] != os.path.dirname(found[-1]):
        found.append(os.path.dirname(found[-1]))
    return found


def _recorded() -> str:
    """The list whose run made the current worktree, by the journal; else empty."""
    top, common = _worktree_of_ours(os.curdir)
    if not common:
        return ""
    for known in folded(os.path.join(common, "rorchestrator"), os.environ).features.values():
        path = in_main_checkout(os.path.join(os.path.dirname(common), known.owner))
        if known.worktree and os.path.realpath(known.worktree) == top and os.path.isfile(path):
            return path
    return ""


def in_main_checkout(path: str) -> str:
    """The same path in the main checkout, if ``path`` is in a feature's worktree; else ``path``."""
    top, common = _worktree_of_ours(path)
    if not common:
        return path
    inner = os.path.relpath(os.path.realpath(path), top)
    return os.path.normpath(os.path.join(os.path.dirname(common), inner))


def _worktree_of_ours(path: str) -> tuple[str, str]:
    """The feature's worktree around ``path`` and its git folder; empty if there is none."""
    for top in reversed(_parents(path)):  # Outermost first: Claude may nest a repository.
        common = _repository_of_ours(top)
        if common:
            return top, common
    return "", ""


def _repository_of_ours(path: str) -> str:
    """The git folder, if ``path`` is a feature's worktree; else empty."""
    if not os.path.isfile(os.path.join(path, ".git")):
        return ""  # Nearly always: a folder, or nothing.
    from ..worktree.admin_files import admin_of
    from ..worktree.names import MARK

    admin = admin_of(path)
    parent, common = os.path.dirname(admin), os.path.dirname(os.path.dirname(admin))
    if os.path.basename(parent) != "worktrees":
        return ""
    if os.path.exists(os.path.join(admin, MARK)):
        return common
    # Up to version 1.0 there were no marks.
    known = folded(os.path.join(common, "rorchestrator"), os.environ).features.values()
    made = [feature.worktree for feature in known if feature.worktree]
    return common if path in map(os.path.realpath, made) else ""
