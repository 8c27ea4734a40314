"""What does not take part in a run: uncommitted changes, commits of the remote, an identity."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from ..git.bare_status import bare_status
from ..git.output import WorktreeStatus
from ..git.paths import is_in
from ..git.refs import HEADS
from ..model.english import counted
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.frozen import dataclass
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..process.spawner import run_sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .open import OpenProject

OURS = ("prompts", "reports")
"""Folders of the workspace: a run reads the prompts in the checkout, and writes the reports."""


IDENTITY = (*("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),)
"""The variables that name whom commits are by, in place of the settings."""


NAMED = 3
"""Files that a command names at most."""


@dataclass(frozen=True)
class Caution:
    """What is allowed, but probably not intended; and the command that mends it, if any."""

    said: str
    command: str = ""


def left_out(project: OpenProject, settings: Mapping[str, str]) -> Iterator[Caution]:
    """Why results may differ from what the user sees in the checkout and on the remote.

    ``settings`` are those of git, by key. Nothing is fetched.
    """
    status = None if project.git.repository.bare else _status(project, settings)
    if status is not None:
        yield from _uncommitted(project, status)
    yield from _behind(project, status, settings)
    yield from _identity(project, settings)


def _status(project: OpenProject, settings: Mapping[str, str]) -> WorktreeStatus | None:
    """The status of the checkout; ``None`` if git can't tell."""
    filters: Sequence[str] = ()
    if any(key.startswith("filter.") for key in settings):
        from ..git.filters_and_drivers import programs_in

        filters = programs_in(settings).filters
    with suppress(UserError):
        return run_sync(bare_status(project.git, project.git.repository.top, filters))
    return None


def _uncommitted(project: OpenProject, status: WorktreeStatus) -> Iterator[Caution]:
    config, top = project.config, project.git.repository.top
    read = [*OURS, *(feature.prompt_file for feature in config.features if feature.prompt_file)]
    ours = [config.path, project.worktrees_folder]
    ours += (os.path.join(config.workspace, name) for name in read)
    ours = [os.path.realpath(path) for path in ours]
    paths = {file: os.path.join(top, file.rstrip("/")) for file in status.uncommitted}
    files = [file for file, path in paths.items() if not _touches(path, ours)]
    if files:
        count = counted(len(files), "uncommitted change")
        base = config.project.base_branch
        said = N_("features start from {base}, without {count} of the checkout: {files}").format(
            base=base, count=count, files=some(files)
        )
        here = os.path.realpath(os.curdir)
        names = [shell_word(os.path.relpath(paths[file], here)) for file in files]
        adds = f"git add {' '.join(names)} && git commit"
        yield Caution(said, adds if len(files) <= NAMED else "git status")


def _touches(path: str, ours: list[str]) -> bool:
    """Whether a path is one of ``ours``, or in one, or a new folder around one."""
    return any(is_in(path, each) or is_in(each, path) for each in ours)


def _behind(
    project: OpenProject, status: WorktreeStatus | None, settings: Mapping[str, str]
) -> Iterator[Caution]:
    base = project.config.project.base_branch
    if HEADS + base not in project.refs or f"branch.{base}.merge" not in settings:
        return
    if status is not None and status.branch == base:
        upstream, behind = status.upstream, status.behind
    else:
        upstream, behind = run_sync(project.git.upstream_of(base))
    if behind:
        count = counted(behind, "commit")
        said = N_(
            "{base} is {count} behind {upstream}: features start without them (git pull)"
        ).format(base=base, count=count, upstream=upstream)
        yield Caution(said, "git pull")


def _identity(project: OpenProject, settings: Mapping[str, str]) -> Iterator[Caution]:
    if settings.get("user.name") and settings.get("user.email"):
        return
    if all(map(project.git.environ.get, IDENTITY)):
        return
    if not run_sync(project.git.has_identity()):
        yield Caution(
            N_(
                "git has no identity and would refuse to commit: commits will name "
                "RoRchestrator (git config user.name NAME; git config user.email "
                "ADDRESS)"
            )
        )
