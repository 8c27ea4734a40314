"""Name collisions before a run: existing branches and folders; checks of worktrees_path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from ..git.door import Repository
from ..git.paths import is_in
from ..git.ref_conflicts import above
from ..git.refs import HEADS, KEPT, RESULTS
from ..model.decision import Action, Decision
from ..model.errors import UserError
from ..model.frozen import replace
from ..model.state import FeatureState, RunState
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..process.spawner import run_sync
from .open import OpenProject

WORKTREES = "RORCHESTRATOR_WORKTREES"
"""The variable with a folder that the user allows for worktrees of any repository."""

REPORTS = "reports"
"""The folder of the reports, in the workspace."""


def check_names(project: OpenProject, state: RunState, decisions: Mapping[str, Decision]) -> None:
    """Raise :class:`UserError` with all branches and folders that are in the way.

    Only features that will run are checked: a completed feature's branch may be the user's.
    """
    due = {
        id: project.config.branch_of(id)
        for id in project.dag.features
        if id in decisions and decisions[id].action in (Action.START, Action.RESUME)
    }
    if not due:
        return
    folder = project.worktrees_folder
    check_worktrees_path(project.git.repository, folder, os.environ.get(WORKTREES, ""))
    check_writable(folder)
    check_reports(project.config.workspace)
    paths = {id: os.path.join(folder, id) for id in due} if os.path.isdir(folder) else {}
    paths = {id: path for id, path in paths.items() if os.path.lexists(path)}
    foreign = [*_branch_faults(project, state, due)]
    earlier: dict[str, str] = {}
    if paths:
        _check_neighbours(project, paths)
        found = _in_the_way(project, state, due, paths)
        foreign += found[0]
        earlier = found[1]
    if foreign:
        raise UserError(
            N_("branches or folders not created by RoRchestrator are in the way"),
            details=(*foreign, *earlier.values()),
            hint=N_(
                "rename or remove them, or change project.branch_prefix or project.worktrees_path"
            ),
        )
    if earlier:
        prefix = _prefix_of(state.feature(next(iter(earlier))))
        raise UserError(
            N_("project.branch_prefix was changed; worktrees with the old prefix are in the way"),
            details=tuple(earlier.values()),
            hint=N_(
                "rorchestrator cleanup {earlier}, or set project.branch_prefix back to {prefix!r}"
            ).format(earlier=" ".join(earlier), prefix=prefix),
        )


def _in_the_way(
    project: OpenProject, state: RunState, due: Mapping[str, str], paths: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """What is said of folders that no run made, and of those with an earlier branch, by id."""
    from ..worktree import admin_files

    foreign: list[str] = []
    earlier: dict[str, str] = {}
    for id, path in paths.items():
        branch, known = due[id], state.feature(id)
        is_ours = admin_files.is_ours(project.worktrees, path) or not admin_files.admin_folder(
            project.worktrees, path
        )
        made_there = is_ours and made_by_us(known, known.branch) and _same(known.worktree, path)
        if made_by_us(known, branch) and (
            made_there or admin_files.is_ours(project.worktrees, path)
        ):
            continue
        if made_there:
            earlier[id] = N_(
                "feature {id}: {path} is its worktree of an earlier run, on the branch {branch!r}"
            ).format(id=id, path=path, branch=known.branch)
        else:
            foreign.append(
                N_("feature {id}: {path} {whose}").format(
                    id=id, path=path, whose=_whose(path, project)
                )
            )
    return foreign, earlier


def _check_neighbours(project: OpenProject, paths: Mapping[str, str]) -> None:
    """Raise :class:`UserError` if another repository uses the same worktree folders."""
    from ..worktree import admin_files
    from ..worktree.manager import OWN_FOLDER

    moved = [path for path in paths.values() if admin_files.was_moved(project.worktrees, path)]
    if moved:
        import shlex

        raise UserError(
            N_("the repository was moved; its worktrees still point to the old path"),
            details=tuple(moved),
            hint=N_("git -C {top} worktree repair").format(
                top=shlex.quote(project.git.repository.top)
            ),
        )
    others = {
        id: admin_files.other_repository(project.worktrees, path) for id, path in paths.items()
    }
    taken = {id: other for id, other in others.items() if other}
    if taken:
        raise UserError(
            N_("another repository has worktrees with the same names in the same folder"),
            details=tuple(
                N_("feature {id}: {path} is a worktree of the repository {other}").format(
                    id=id, path=paths[id], other=other
                )
                for id, other in taken.items()
            ),
            hint=OWN_FOLDER,
        )


def check_worktrees_path(repository: Repository, folder: str, allowed: str = "") -> None:
    """Raise :class:`UserError` if a list, which may come from a clone, writes elsewhere.

    Allowed are folders beside or inside the repository, and the user's folder ``allowed``;
    not allowed are hidden folders beside it (``~/.config``).
    """
    real, top = os.path.realpath(folder), os.path.realpath(repository.top)
    parent = os.path.dirname(top)
    if allowed and is_in(real, os.path.realpath(os.path.expanduser(allowed))):
        return
    if is_in(top, real):
        fault = N_("it contains the repository")
    elif is_in(real, repository.common_dir):
        fault = N_("it is git's own folder")
    elif is_in(os.path.normpath(folder), repository.top) and real != _unlinked(folder, repository):
        fault = N_("a link in the repository leads to {real}").format(real=real)
    elif not is_in(real, parent):
        fault = N_("it is not in {parent}").format(parent=parent)
    elif not is_in(real, top) and f"{os.sep}." in os.sep + os.path.relpath(real, parent):
        fault = N_("it is a hidden folder outside the repository")
    else:
        return
    import shlex

    raise UserError(
        N_("{folder} can't be used for worktrees: {fault}").format(folder=folder, fault=fault),
        hint=N_("correct project.worktrees_path, or allow it: export {worktrees}={real}").format(
            worktrees=WORKTREES, real=shlex.quote(real)
        ),
    )


def _unlinked(folder: str, repository: Repository) -> str:
    """The real path of a folder in the repository, if it contains no link."""
    inner = os.path.relpath(folder, repository.top)
    return os.path.normpath(os.path.join(os.path.realpath(repository.top), inner))


def check_reports(workspace: str) -> None:
    """Raise :class:`UserError` if the folder for reports is a link."""
    folder = os.path.join(workspace, REPORTS)
    if os.path.islink(folder):
        import shlex

        raise UserError(
            N_("{folder} is a link; reports are not written through links").format(folder=folder),
            hint=f"rm {shlex.quote(folder)}",
        )


def check_writable(folder: str, access: Callable[[str, int], bool] = os.access) -> None:
    """Raise :class:`UserError` if ``folder`` can't be created or written to."""
    existing = folder
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        fault = N_("{existing} is not a folder").format(existing=existing)
    elif not access(existing, os.W_OK | os.X_OK):
        fault = N_("{existing} is not writable").format(existing=existing)
    else:
        return
    raise UserError(
        N_("{folder} cannot be used for worktrees").format(folder=folder),
        details=(fault,),
        hint=N_("correct project.worktrees_path"),
    )


def _branch_faults(project: OpenProject, state: RunState, due: Mapping[str, str]) -> Iterable[str]:
    heads = {ref[len(HEADS) :] for ref in project.refs if ref.startswith(HEADS)}
    folders = {head[:at] for head in heads for at, c in enumerate(head) if c == "/"}
    prefix = project.config.project.branch_prefix
    parents = {prefix[:at] for at, c in enumerate(prefix) if c == "/"}
    for parent in sorted(parents & heads):
        yield N_("the branch {parent!r} prevents branches {prefix}<id>").format(
            parent=parent, prefix=prefix
        )
    yield from _ref_faults(project, due)
    saved = _saved_refs(project)
    for id, branch in due.items():
        if branch in heads and not made_by_us(state.feature(id), branch):
            if not _is_restored(project, id, saved):
                held = _holds(project, id, saved)
                yield N_("feature {id}: the branch {branch!r} already exists{held}").format(
                    id=id, branch=branch, held=held
                )
        elif branch in folders:
            yield N_(
                "feature {id}: branches below {branch!r} prevent a branch of that name"
            ).format(id=id, branch=branch)


def _ref_faults(project: OpenProject, ids: Iterable[str]) -> Iterable[str]:
    """Refs that would let a run fail once it has been paid for."""
    names = [name + id for id in ids for name in (RESULTS, KEPT)]
    for ref in sorted({*above(RESULTS), *above(KEPT), *names} & project.refs.keys()):
        yield N_("the ref {ref} prevents refs below it: git update-ref -d {word}").format(
            ref=ref, word=shell_word(ref)
        )


def made_by_us(known: FeatureState, branch: str) -> bool:
    """Whether a run made the branch and it was not cleaned up since."""
    return known.branch == branch and bool(known.start_commit)


SavedRefs = Mapping[str, Mapping[str, str]]
"""Commits of kept work and results, by feature and ref."""


def _saved_refs(project: OpenProject) -> SavedRefs:
    saved: dict[str, dict[str, str]] = {}
    for ref, commit in project.refs.items():
        for prefix in (KEPT, RESULTS):
            if ref.startswith(prefix):
                saved.setdefault(ref[len(prefix) :].partition("/")[0], {})[ref] = commit
    return saved


def _is_restored(project: OpenProject, id: str, saved: SavedRefs) -> bool:
    """Whether the user restored the feature's branch from a ref of RoRchestrator."""
    return project.tip(id) in saved.get(id, {}).values()


def _holds(project: OpenProject, id: str, saved: SavedRefs) -> str:
    """The addition for a branch of the user with commits on top of a feature's work."""
    tip = project.tip(id)
    for ref, commit in saved.get(id, {}).items():
        if run_sync(project.git.is_ancestor(commit, tip)):
            return N_("; it has commits on top of {ref}: merge or rename it").format(ref=ref)
    return ""


def reclaim_restored(project: OpenProject, state: RunState) -> RunState:
    """The state with branches that the user restored after a cleanup; they are ours again.

    A run that needs the name saves the branch under a ref first, like any branch of ours.
    """
    features, saved = dict(state.features), _saved_refs(project)
    for id in project.dag.features:
        branch, known = project.config.branch_of(id), state.feature(id)
        if not made_by_us(known, branch) and project.tip(id) and _is_restored(project, id, saved):
            start = known.base_commit or project.base_commit
            features[id] = replace(known, branch=branch, start_commit=start)
    return replace(state, features=features)


def _same(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _prefix_of(known: FeatureState) -> str:
    return known.branch[: len(known.branch) - len(known.id)]


def _whose(path: str, project: OpenProject) -> str:
    """Describes a folder that no run created."""
    from ..worktree import admin_files

    return (
        N_("is one of your worktrees")
        if admin_files.admin_folder(project.worktrees, path)
        else N_("already exists")
    )
