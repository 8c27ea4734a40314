"""`Survey`: what `init` finds in a repository: base, stacks, what only the checkout has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from ..git import commits, opening, worktree_status
from ..git.door import Git
from ..git.paths import is_in
from ..git.refs import HEADS, SEEN
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.feature import Project
from ..model.frozen import dataclass
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_
from ..process.spawner import Spawner, run_sync, which
from ..project import base_branch as bases
from ..project.base_branch import REMOTE_HEAD, REMOTES, Base
from ..project.feature_list import SEARCHED
from ..project.list_path import in_main_checkout
from ..project.obstructions import REPORTS
from ..worktree.admin_files import admin_of
from .stacks.choice import DEPTH, LOCKFILES, MANIFESTS, Choice, choose
from .stacks.stack import Stack, as_pattern, moved
from .stacks.tree import READ_LIMIT, Tree

PREFIX = Project("", "").branch_prefix
OTHER_PREFIX = "rorchestrator/"

HIDDEN = ".rorchestrator"
"""A folder for a list, which no build takes for one of its own."""


CROWDED = N_(
    "the list goes into {hidden}, because setuptools takes every other "
    "folder of the root for a package"
).format(hidden=HIDDEN)


@dataclass(frozen=True)
class Survey:
    """A repository, as a list for it needs to know it."""

    top: str
    """The root of the checkout."""
    workspace: str
    """The folder for the list; the root, or one in it."""
    name: str
    base: Base
    base_branch: str
    """The base for the list; empty where every run is to look for it."""
    tree: Tree
    """The files of the base commit."""
    choice: Choice
    worktrees_path: str
    branch_prefix: str = ""
    """Where the default prefix cannot be used; else empty."""
    copy: tuple[str, ...] = ()
    """Ignored files of the checkout that the checks need."""
    place: str = ""
    """The folder of the workspace for the list, where it cannot be the workspace itself."""
    ignore: tuple[str, ...] = ()
    """Patterns that ``.gitignore`` lacks: reports, and what setup and checks make."""
    notes: tuple[str, ...] = ()

    @property
    def inner(self) -> str:
        """The workspace, relative to the root; empty if it is the root."""
        inner = os.path.relpath(self.workspace, self.top)
        return "" if inner == os.curdir else inner

    @property
    def folder(self) -> str:
        """The folder that holds ``config/`` and ``prompts/``."""
        return os.path.join(self.workspace, self.place) if self.place else self.workspace


def survey(folder: str, base: str, environ: Mapping[str, str], *, given: bool = True) -> Survey:
    """Look at the repository around a folder. Nothing is changed.

    The list is for the ``folder`` if it was ``given`` by the user, else for the whole repository.
    Raises :class:`UserError` where there can be no list.
    """
    git = _opened(folder, environ)
    top = git.repository.top
    workspace = os.path.realpath(folder) if given else top
    _check_place(git, workspace)
    refs = run_sync(git.refs(*SEEN))
    found, listed_base, of_base = _base_of(git, base, refs)
    tree = _tree(git, found.commit)
    inner = os.path.relpath(workspace, top)
    choice = _chosen(tree, "" if inner == os.curdir else inner)
    place = HIDDEN if any(stack.is_crowded for stack in choice.stacks) else ""
    absent = list(_only_in_checkout(git, tree))
    _check_committed(choice, absent, found)
    where, of_place = _worktrees(git)
    wanted = [name for stack in choice.stacks for name in stack.copy if not tree.has(name)]
    copy = _ignored(git, wanted)
    notes = [
        *_of_folder(folder, workspace, top),
        *of_base,
        *of_place,
        *_of_lockfiles(absent, found),
        *(CROWDED for _ in filter(None, (place,))),
        *_of_changes(top, tree, choice, found),
        *choice.notes,
        *(note for stack in choice.stacks for note in stack.notes),
        *_of_programs(choice.stacks, environ),
        *_of_secrets(git, tree),
    ]
    return Survey(
        top,
        workspace,
        one_line(os.path.basename(workspace)) or "Project",
        found,
        listed_base,
        tree,
        choice,
        where,
        # A branch of this name leaves no room for branches below it.
        OTHER_PREFIX if HEADS + PREFIX.rstrip("/") in refs else "",
        copy,
        place,
        tuple(_to_ignore(git, os.path.normpath(os.path.join(inner, place)), where, choice)),
        tuple(dict.fromkeys(notes)),
    )


def _opened(folder: str, environ: Mapping[str, str]) -> Git:
    if not os.path.isdir(folder):
        raise UserError(
            N_("the folder {folder} does not exist").format(folder=folder),
            hint=f"mkdir {shell_word(folder)}",
        )
    git = run_sync(opening.open_repository(Spawner(), folder, environ)).read_only()
    if git.repository.bare:
        raise UserError(
            N_("{top} is a bare repository: it has no checkout for a list").format(
                top=git.repository.top
            ),
            hint=N_("clone it, then run rorchestrator init in the clone"),
        )
    if run_sync(git.try_run("rev-parse", "--is-inside-work-tree", at=folder)).text != "true":
        raise UserError(
            N_("{path} is in git's own folder, not in a checkout").format(
                path=os.path.realpath(folder)
            ),
            hint=N_("run rorchestrator init in your checkout"),
        )
    return git


def _check_place(git: Git, workspace: str) -> None:
    """Raise :class:`UserError` if there is a list, or if a run made this worktree."""
    if in_main_checkout(workspace) != workspace:
        main = shell_word(os.path.dirname(git.repository.common_dir))
        raise UserError(
            N_("{top} is the worktree of a feature").format(top=git.repository.top),
            hint=f"cd {main} && rorchestrator init",
        )
    for name in SEARCHED:
        path = os.path.join(workspace, name)
        if os.path.lexists(path):
            raise UserError(
                N_("there is a feature list already: {path}").format(path=path),
                hint=N_(
                    "rorchestrator plan shows what it would run; rorchestrator doctor examines it"
                ),
            )


# -- the base -------------------------------------------------------------------------------------


def _base_of(git: Git, option: str, refs: Mapping[str, str]) -> tuple[Base, str, list[str]]:
    """The base, its name for the list, and what to say about it."""
    head = run_sync(git.symbolic_ref(REMOTE_HEAD)).removeprefix(REMOTES).partition("/")[2]
    name = option or (head if HEADS + head in refs else "")
    base = run_sync(bases.find(git, name, refs, lambda branch: False))
    here = run_sync(git.symbolic_ref("HEAD", at=git.repository.top)).removeprefix(HEADS)
    notes = []
    if not option and here and here != base.name:
        notes.append(
            N_(
                "features start from {base}, not from {here}, which is checked out; to "
                "change that: rorchestrator init --base {branch}"
            ).format(base=base.name, here=here, branch=shell_word(here))
        )
    if base.name == "HEAD":
        notes.append(
            N_(
                "no branch is checked out: features start from the commit of the "
                "checkout, and merge needs --into BRANCH"
            )
        )
        return base, "", notes
    return base, base.name, notes


# -- files ----------------------------------------------------------------------------------------


def _tree(git: Git, commit: str) -> Tree:
    """The files of a commit."""

    def read(path: str) -> str:
        finished = run_sync(git.try_run("cat-file", "blob", f"{commit}:{path}"))
        return finished.stdout.decode("utf-8-sig", "replace")

    return Tree(run_sync(commits.files_of(git, commit)) - {""}, read)


def _chosen(tree: Tree, inner: str) -> Choice:
    """The stacks of the repository, or of the folder that the list is for."""
    if not inner:
        return choose(tree)
    found = choose(tree.below(inner))
    return Choice(tuple(moved(stack, inner) for stack in found.stacks), found.notes)


def _only_in_checkout(git: Git, tree: Tree) -> Iterator[str]:
    """Manifests and lockfiles that are in the checkout, but not in the base, nor ignored."""
    top = git.repository.top
    folders = ["", *(f"{name}/" for name in tree.folders(DEPTH))]
    names = [folder + name for folder in folders for name in (*MANIFESTS, *LOCKFILES)]
    found = [name for name in names if not tree.has(name) and _is_file(top, name)]
    ignored = run_sync(worktree_status.ignored_of(git, top, found)) if found else set()
    yield from (name for name in found if name not in ignored)


def _is_file(top: str, name: str) -> bool:
    return os.path.isfile(os.path.join(top, name))


def _check_committed(choice: Choice, absent: Sequence[str], base: Base) -> None:
    """Raise :class:`UserError` if only the checkout says what the project is."""
    manifests = [name for name in absent if name.rpartition("/")[2] in MANIFESTS]
    if choice.stacks or not manifests:
        return
    files = " ".join(map(shell_word, manifests))
    raise UserError(
        N_(
            "{base} @ {commit} does not have {manifests}: features start from this "
            "commit, so nothing could be set up or checked"
        ).format(base=base.name, commit=base.commit[:10], manifests=some(manifests)),
        hint=f"git add {files} && git commit, then: rorchestrator init; or, if another branch has "
        "it: rorchestrator init --base BRANCH",
    )


def _of_lockfiles(absent: Sequence[str], base: Base) -> Iterator[str]:
    for name in absent:
        yield (
            N_(
                "{name} is in your checkout, but not in {base} @ {commit}: worktrees "
                "do not have it until you commit it (git add {word} && git commit)"
            ).format(name=name, base=base.name, commit=base.commit[:10], word=shell_word(name))
        )


def _of_changes(top: str, tree: Tree, choice: Choice, base: Base) -> Iterator[str]:
    """Files that were read, and that say something else in the checkout."""
    for name in (name for stack in choice.stacks for name in stack.files):
        with suppress(OSError), open(os.path.join(top, name), "rb") as file:
            text = file.read().decode("utf-8-sig", "replace")[:READ_LIMIT]
            if text.splitlines() != tree.text(name).splitlines():
                yield (
                    N_(
                        "{name} in your checkout differs from {base} @ {commit}, which was "
                        "read because worktrees begin with it"
                    ).format(name=name, base=base.name, commit=base.commit[:10])
                )


def _ignored(git: Git, names: Sequence[str]) -> tuple[str, ...]:
    """Those files that are in the checkout and that git ignores."""
    top = git.repository.top
    there = [name for name in dict.fromkeys(names) if _is_file(top, name)]
    ignored = run_sync(worktree_status.ignored_of(git, top, there)) if there else set()
    return tuple(name for name in there if name in ignored)


def _to_ignore(git: Git, inner: str, worktrees: str, choice: Choice) -> Iterator[str]:
    """The patterns for files that git does not ignore yet."""
    folder = "" if inner == os.curdir else as_pattern(f"{inner}/")
    patterns = [f"/{folder}{REPORTS}/"]
    if not worktrees.startswith(os.pardir):
        patterns.append(f"/{as_pattern(worktrees)}/")
    patterns += (pattern for stack in choice.stacks for pattern in stack.ignored)
    names = {
        pattern: pattern.lstrip("/").replace("**/", "").replace("*", "any") for pattern in patterns
    }
    ignored = run_sync(worktree_status.ignored_of(git, git.repository.top, names.values()))
    yield from (pattern for pattern, name in names.items() if name not in ignored)


def _of_secrets(git: Git, tree: Tree) -> Iterator[str]:
    """Ignored settings that worktrees lack."""
    names = (".env", ".env.test", ".env.local", "config/master.key")
    for name in _ignored(git, [name for name in names if not tree.has(name)]):
        yield N_(
            "worktrees have no {name}, because git ignores it; if tests need it: project.copy"
        ).format(name=name)


def ignored_files(top: str, paths: Sequence[str], environ: Mapping[str, str]) -> set[str]:
    """Those paths that git ignores; it would refuse to add them."""
    return run_sync(worktree_status.ignored_of(_opened(top, environ), top, paths))


# -- the surroundings -----------------------------------------------------------------------------


def _worktrees(git: Git) -> tuple[str, list[str]]:
    """The folder for worktrees, relative to the root, and what to say about it."""
    top = git.repository.top
    name = re.sub(r"[^\w.-]+", "-", os.path.basename(top), flags=re.ASCII).strip("-.")
    parent = os.path.dirname(top)
    path = f"../{name or 'repository'}-worktrees"
    if not os.access(parent, os.W_OK | os.X_OK):
        inside = ".rorchestrator/worktrees"
        return inside, [
            N_("{parent} is not writable, so worktrees go to {inside} in the repository").format(
                parent=parent, inside=inside
            )
        ]
    notes = []
    outer = run_sync(git.try_run("rev-parse", "--show-superproject-working-tree", at=top)).text
    if outer:
        notes.append(
            N_("this is a submodule of {outer}: the list is for the submodule alone").format(
                outer=outer
            )
        )
    admin = admin_of(top)
    if os.path.basename(os.path.dirname(admin)) == "worktrees":
        main = os.path.dirname(git.repository.common_dir)
        notes.append(
            N_("this is a worktree of {main}: commit the list to have it there as well").format(
                main=main
            )
        )
    return path, notes


def _of_folder(folder: str, workspace: str, top: str) -> Iterator[str]:
    here = os.path.realpath(folder)
    if here != workspace and is_in(here, top):
        inner = shell_word(os.path.relpath(here, top))
        yield (
            N_(
                "the list is for the whole repository, {top}; for {inner} alone: "
                "rorchestrator init --dir ."
            ).format(top=top, inner=inner)
        )


def _of_programs(stacks: Sequence[Stack], environ: Mapping[str, str]) -> Iterator[str]:
    for stack in stacks:
        for program in stack.programs:
            if not which(program, environ):
                yield N_("{program} is not on PATH, and setup and checks need it ({stack})").format(
                    program=program, stack=stack.name
                )
