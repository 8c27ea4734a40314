"""Everything that `doctor` examines, in order. It changes nothing and spends nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping

from ...git import opening
from ...git.door import Git
from ...git.refs import SEEN
from ...model.errors import UserError
from ...model.feature import Project
from ...model.mask import Mask
from ...model.state import RunState
from ...model.translate import N_
from ...process.own_program import ROOT
from ...process.spawner import Spawner, run_sync
from ...project import base_branch as bases
from ...project.base_branch import Base
from ...project.open import OpenProject, open_project
from . import listing, machine, repository
from .diagnosis import Line, attempted, of_error, ok
from .list_programs import program_lines
from .listing import Listing


def examine(config_path: str, base: str, mask: Mask) -> list[Line]:
    """All lines, also with a faulty list, without one, and outside of a repository."""
    environ = os.environ
    known = listing.read(config_path, mask)
    lines = [machine.python_line(sys.version_info[:3], sys.executable)]
    lines += attempted(machine.GIT, lambda: machine.git_version_lines(environ))
    lines += machine.claude_lines(known.claude, known.features, environ)
    try:
        git = _opened(known.folder, environ)
    except UserError as error:
        lines += machine.forge_lines(known.words, [], environ)
        lines += [of_error("repository", error), *known.lines]
    else:
        lines += _of_repository(git, known, base, mask, environ)
    return [*lines, machine.wrapper_line(environ, ROOT)]


def _opened(folder: str, environ: Mapping[str, str]) -> Git:
    try:
        return run_sync(opening.open_repository(Spawner(), folder, environ)).read_only()
    except FileNotFoundError:
        hint = N_("cd into an existing folder")
        raise UserError(N_("the current folder was deleted"), hint=hint) from None


def _of_repository(
    git: Git, known: Listing, base: str, mask: Mask, environ: Mapping[str, str]
) -> Iterator[Line]:
    settings = repository.settings_of(git)
    refs = run_sync(git.refs(*SEEN))
    yield from machine.forge_lines(known.words, repository.remote_urls(settings), environ)
    yield from repository.repository_lines(git, settings)
    project: OpenProject | None = None
    commit = ""
    try:
        if known.config:
            project = open_project(known.path, base, mask)
            found = Base(project.config.project.base_branch, project.base_commit)
        else:
            found = run_sync(bases.find(git, base, refs, lambda branch: False))
        commit = found.commit
        yield ok("base branch", f"{found.name} @ {commit[:10]}")
    except UserError as error:
        yield listing.base_fault(error)
    yield from attempted("repository", lambda: repository.content_lines(git, settings, environ))
    worktrees = os.path.join(os.path.dirname(git.repository.top), "worktrees")
    settled = known.config.project if known.config else Project("", "")
    if project:
        worktrees = project.worktrees.folder
    hooks: list[Line] = []
    if commit:
        hooks = attempted(
            "hooks",
            lambda: repository.hook_lines(git, commit, os.path.join(worktrees, "feature")),
        )
    yield from hooks
    state, damage = _state(git)
    ids = {feature.id for feature in known.features}
    yield from attempted("worktrees", lambda: repository.worktree_lines(git, state, ids, refs))
    yield from known.lines
    if project is not None:
        opened = project
        yield from attempted("project", lambda: listing.project_lines(opened, hooks))
        yield from program_lines(opened.config, environ)
    if commit:
        yield from attempted(
            "disk", lambda: [repository.disk_line(git, commit, settled.max_parallel, worktrees)]
        )
    yield repository.window_line(state.windows, time.time(), settled.hold_at_utilization)
    yield from damage or attempted("state", lambda: repository.state_lines(git, state))


def _state(git: Git) -> tuple[RunState, list[Line]]:
    """The recorded state; an empty one and a fault if the journal is damaged."""
    try:
        return repository.state_of(git), []
    except UserError as error:
        return RunState(), [of_error("state", error)]
