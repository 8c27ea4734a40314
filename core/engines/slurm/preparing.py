"""A submission before its first job: checked, with its settings and what each job waits for."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from ...dag.resolver import DAGResolver
from ...journal import private_files
from ...model.errors import UserError, unwritable
from ...model.frozen import dataclass
from ...model.translate import N_
from ...process.spawner import which
from ...project.open import OpenProject
from ...project.selection import Selection
from ...reporter.documents import local_time
from ..exported import exported
from ..on_remote import check_branches, remote_with_base, url_for_others
from . import environment_file
from .jobs import Settings, Waits, check_options
from .submission import Submission, folder_of
from .submitting import waits_of

PROGRAM = "rorchestrator"


@dataclass(frozen=True)
class SlurmOptions:
    """What the user asked for."""

    remote: str = ""
    selection: Selection = Selection()
    max_parallel: int | None = None
    sbatch_options: tuple[str, ...] = ()
    prologue: str = ""
    """A shell file that each job reads first."""
    folder: str = ""
    """A folder that the nodes share, for output and keys; empty for the state folder."""
    variables: tuple[str, ...] = ()
    """More variables for the jobs."""
    allow_bypass: bool = False


@dataclass(frozen=True)
class Prepared:
    """A submission that can begin."""

    submission: Submission
    waits: tuple[Waits, ...]
    landed: tuple[str, ...]
    remote: str
    """The name of the remote."""
    slots: int
    variables: Mapping[str, str]
    """What the jobs get through a file."""

    def make_folders(self, state_folder: str) -> None:
        """Make the folders of the submission. Raises :class:`UserError`."""
        folder = self.submission.settings.folder
        try:
            private_files.make_folder(folder_of(state_folder), 3)
            private_files.make_folder(folder)
        except OSError as error:
            raise unwritable(folder, error) from None


def prepared(project: OpenProject, options: SlurmOptions, environ: Mapping[str, str]) -> Prepared:
    """Check everything that can be checked here. Raises :class:`UserError`; changes nothing."""
    check_options(options.sbatch_options)
    prologue = _prologue(options.prologue, environ)
    variables = environment_file.handed_over(environ, options.variables)
    export = exported(project, options.selection, options.max_parallel)
    remote = remote_with_base(project, options.remote)
    check_branches(project, remote, [job.id for job in export.jobs])
    slots = options.max_parallel or project.config.project.max_parallel
    waits, lanes = waits_of(DAGResolver(project.dag.features[j.id] for j in export.jobs), slots)
    now = time.time()
    run = _new_run(now)
    settings = Settings(
        *(run, url_for_others(project, remote), project.base_commit, export.list_file),
        folder=_folder(project, options.folder, run),
        options=options.sbatch_options,
        prologue=prologue,
        variables=options.variables,
        allow_bypass=options.allow_bypass,
    )
    submission = Submission(
        settings,
        project.owner,
        project.config.project.base_branch,
        project.config.project.branch_prefix,
        str(local_time(now)),
        {each.id: each.needs for each in waits},
        lanes,
    )
    return Prepared(submission, tuple(waits), export.landed, remote.name, slots, variables)


def missing_variables(submission: Submission, environ: Mapping[str, str]) -> Mapping[str, str]:
    """What the jobs get through a file that the end of the run removed; empty if it is there.

    Raises :class:`UserError`.
    """
    if os.path.exists(submission.settings.environment):
        return {}
    return environment_file.handed_over(environ, submission.settings.variables)


def _prologue(path: str, environ: Mapping[str, str]) -> str:
    """The absolute path of the prologue; empty if the jobs find our program without one."""
    if path and not os.path.isfile(path):
        raise UserError(
            N_("--prologue {path}: there is no such file").format(path=path),
            hint=N_("name a shell file in a folder that the nodes share"),
        )
    if not path and not which(PROGRAM, environ):
        raise UserError(
            N_("rorchestrator is not on PATH, where the jobs look for it"),
            hint=N_(
                "install it in a folder that the nodes share (pipx), or give the commands that "
                "make it available: --prologue FILE"
            ),
        )
    return os.path.abspath(path) if path else ""


def _folder(project: OpenProject, given: str, run: str) -> str:
    if not given:
        return os.path.join(folder_of(project.journal.folder), run)
    if not os.path.isdir(given):
        raise UserError(
            N_("--folder {path}: there is no such folder").format(path=given),
            hint=N_("name a folder that the nodes share"),
        )
    return os.path.join(os.path.abspath(given), f"rorchestrator-{run}")


def _new_run(now: float) -> str:
    """An id with its time, which people know it by."""
    start = time.strftime("%Y%m%dT%H%M%S", time.localtime(now))
    return f"{start}-{int(now % 1 * 1000):03d}{os.urandom(2).hex()[:3]}"
