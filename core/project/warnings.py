"""Warnings and errors before a run: copied and linked files, hooks, virtual environments."""

from __future__ import annotations

import os
from contextlib import suppress

from ..git import configuration, idle_hooks
from ..model.errors import UserError
from ..model.excerpt import listed
from ..model.translate import N_
from ..process.environment import SEARCH_PATHS, VIRTUAL_ENVIRONMENTS
from ..process.spawner import run_sync
from .left_out import Caution, left_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..git.door import Git
    from ..worktree.escaping_paths import EscapingPath
    from .open import OpenProject

LIST_FOLDERS = ("orchestrator", ".rorchestrator")
"""Folders with a list for the whole repository."""

SHOWN = 10
"""Limit of escaping paths shown; there may be one for each package."""


def cautions(project: OpenProject) -> tuple[Caution, ...]:
    """Warnings about what is allowed, but probably not intended."""
    worktree = os.path.join(project.worktrees_folder, "feature")
    settings = run_sync(configuration.values(project.git))
    folder = "" if "core.hookspath" in settings else idle_hooks.default_folder(project.git)
    idle = run_sync(idle_hooks.inactive(project.git, project.base_commit, worktree, folder))
    absent = left_out(project, settings)
    said = (*_of_folder(project), *idle, *_of_environment(project, worktree))
    return (*map(Caution, said), *absent)


def _of_folder(project: OpenProject) -> Iterator[str]:
    """The list is in a package of a larger repository."""
    where = project.git.repository
    inner = os.path.relpath(os.path.realpath(project.config.project.repo_path), where.top)
    if inner not in (os.curdir, *LIST_FOLDERS) and not where.bare:
        yield (
            N_(
                "the list is in {inner}, but Claude, setup and checks start in the "
                "root of the repository, {top} (cd {inner} && …)"
            ).format(inner=inner, top=where.top)
        )


def _of_environment(project: OpenProject, worktree: str) -> Iterator[str]:
    if not any(map(os.environ.get, (*SEARCH_PATHS, *VIRTUAL_ENVIRONMENTS))):
        return
    from ..worktree import escaping_paths

    checkout = escaping_paths.Checkout(project.git.repository.top, worktree, ())
    for way in run_sync(_versioned(project.git, checkout.of_environment(os.environ))):
        yield (
            N_(
                "{way}: checks that use it test your checkout, not the worktree "
                "(deactivate it, or create one in project.setup)"
            ).format(way=way)
        )


def matched_files(project: OpenProject) -> dict[str, tuple[str, ...]]:
    """The files matched by each pattern of ``copy`` and ``link``; faulty patterns are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for pattern in (*project.config.project.copy, *project.config.project.link):
        with suppress(UserError):
            found[pattern] = tuple(_matching(project, pattern))
    return found


def _matching(project: OpenProject, pattern: str) -> list[str]:
    from ..worktree import copy_link

    top, bare = project.git.repository.top, project.git.repository.bare
    return [] if bare else copy_link.matching(top, [pattern], exclude=project.worktrees_folder)


def check_supplies(project: OpenProject) -> None:
    """Raise :class:`UserError` for files that can't be copied or linked into a worktree."""
    settings = project.config.project
    if project.git.repository.bare and (settings.copy or settings.link):
        raise UserError(
            N_("a bare repository has no files to copy or link"),
            hint=N_("remove project.copy and project.link from the list"),
        )
    faults = [*_pattern_faults(project, "copy"), *_pattern_faults(project, "link")]
    if faults:
        raise UserError(
            N_("project.copy or project.link has files that can't be brought into a worktree"),
            details=tuple(faults),
            hint=N_(
                "correct the patterns; git would commit files that it does not ignore: "
                "add them to .gitignore, without a final slash (node_modules/ does not "
                "ignore a link)"
            ),
        )
    check_escaping_paths(project)


def _pattern_faults(project: OpenProject, kind: str) -> Iterator[str]:
    patterns = project.config.project.copy if kind == "copy" else project.config.project.link
    for number, pattern in enumerate(patterns):
        where = f"project.{kind}[{number}]"
        try:
            names = _matching(project, pattern)
        except UserError as error:
            passed = "*" in pattern and N_("matches nothing") in error.message
            hidden = N_(" (* and ** do not match names that begin with a dot)") if passed else ""
            yield f"{where}: {error.message}{hidden}"
            continue
        shown = run_sync(_not_ignored(project, names, linked=kind == "link"))
        if shown:
            yield N_("{where}: git does not ignore {shown}").format(
                where=where, shown=", ".join(shown[:SHOWN])
            )


async def _not_ignored(project: OpenProject, names: list[str], *, linked: bool) -> list[str]:
    """The files that would be committed: not ignored, and not in the base commit."""
    from ..git import commits, worktree_status

    git, top = project.git, project.git.repository.top
    absent = set(names) - await commits.present(git, project.base_commit, names)
    if linked:
        return sorted(absent - await worktree_status.ignored_as_links(git, top, absent))
    folders = {name for name in absent if os.path.isdir(os.path.join(top, name))}
    spelled = {name: f"{name}/" if name in folders else name for name in absent}
    ignored = await worktree_status.ignored_of(git, top, spelled.values())
    return sorted(name for name in absent if spelled[name] not in ignored)


def check_escaping_paths(project: OpenProject) -> None:
    """Raise :class:`UserError` if copied or linked files lead back into the checkout."""
    settings, top = project.config.project, project.git.repository.top
    if project.git.repository.bare or not (settings.copy or settings.link):
        return
    from ..worktree import escaping_paths

    names = matched_files(project)
    copied, linked = (
        [name for pattern in patterns for name in names.get(pattern, ())]
        for patterns in (settings.copy, settings.link)
    )
    found = escaping_paths.find_escaping_paths(
        top, os.path.join(project.worktrees_folder, "feature"), copied, linked
    )
    ways = run_sync(_versioned(project.git, found))
    if ways:
        raise UserError(
            N_(
                "files of project.copy or project.link lead back into your checkout: "
                "checks in a worktree would test your files, not the feature's"
            ),
            details=tuple(
                listed([N_("{way}, in your checkout").format(way=way) for way in ways], SHOWN)
            ),
            hint=N_(
                "remove them from project.copy and project.link, and create them in "
                "each worktree with project.setup (pip install -e ., npm ci, …)"
            ),
        )


async def _versioned(git: Git, ways: Iterable[EscapingPath]) -> list[EscapingPath]:
    """The paths that lead to versioned files: ignored ones are the same for every worktree."""
    ways = list(ways)
    if not ways:
        return []
    top = git.repository.top
    targets = [way.target for way in ways if way.target != os.curdir]
    names = {t: f"{t}/" if os.path.isdir(os.path.join(top, t)) else t for t in targets}
    from ..git import worktree_status

    ignored = await worktree_status.ignored_of(git, top, names.values())
    return [way for way in ways if names.get(way.target) not in ignored]
