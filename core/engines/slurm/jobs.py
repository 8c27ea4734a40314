"""The job of a feature: its name, what it waits for, and the command lines of sbatch.

sbatch(1) of Slurm 22.05 documents the options. The script of a job replaces itself with the
command, so that Slurm's signals reach it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from ...model.errors import UserError
from ...model.frozen import dataclass
from ...model.translate import N_

PREFIX = "ror-"
"""What the names of all our jobs begin with."""

LIMIT_SIGNAL = "--signal=B:TERM@60"
"""Slurm sends SIGTERM this many seconds before the job's time limit."""

NAMES_EXPORTED = ("HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE")
"""Variables that Slurm may see: their values stay in the controller's state folder."""

CLUSTERS = "--clusters"
CLUSTERS_SHORT = "-M"

OURS = (
    *("--array", "--dependency", "--error", "--export", "--export-file", "--help", "--hold"),
    *("--job-name", "--kill-on-invalid-dep", "--open-mode", "--output", "--parsable"),
    *("--test-only", "--usage", "--version", "--wait", "--wrap", CLUSTERS),
)
"""Options of sbatch that ``submit`` sets itself, or that would break a submission."""

OURS_SHORT = "adeHJhMoVW"

FREE_OPTIONS = "--sbatch-option"


@dataclass(frozen=True)
class Settings:
    """What all jobs of a submission have in common."""

    run: str
    remote: str
    """The URL that each job clones and pushes to."""
    base_commit: str
    list_file: str
    """The path of the feature list in the repository."""
    folder: str
    """Where the jobs write their output, and read :data:`environment`."""
    options: tuple[str, ...] = ()
    """More options of sbatch, from the user."""
    prologue: str = ""
    """A shell file that each job reads first; empty for none."""
    environment: str = ""
    """The file with secrets that each job reads; empty for none."""
    variables: tuple[str, ...] = ()
    """More variables that the user hands over, by name."""
    allow_bypass: bool = False


@dataclass(frozen=True)
class Waits:
    """What the job of a feature waits for."""

    id: str
    needs: tuple[str, ...] = ()
    """Features that must have completed."""
    after: tuple[str, ...] = ()
    """Features that must have ended, whatever their result, to hold ``max_parallel``."""


def job_name(run: str, id: str) -> str:
    """The name of a feature's job. It has run and feature, because Slurm can reuse job ids."""
    return f"{PREFIX}{run}-{id}"


def feature_of(name: str, run: str) -> str:
    """The feature of a job of ``run``, by its name; empty for other jobs."""
    prefix = job_name(run, "")
    return name[len(prefix) :] if name.startswith(prefix) else ""


def sbatch(
    settings: Settings,
    waits: Waits,
    jobs: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    held: bool,
) -> list[str]:
    """The command that submits a feature; ``jobs`` are the ids of those that it waits for."""
    exported = ",".join(name for name in NAMES_EXPORTED if environ.get(name))
    output = os.path.join(settings.folder.replace("%", "%%"), f"{waits.id}.%j.out")
    argv = ["sbatch", "--parsable", f"--job-name={job_name(settings.run, waits.id)}"]
    argv += ["--ntasks=1", "--requeue", LIMIT_SIGNAL, *settings.options]
    argv += ["--kill-on-invalid-dep=yes", "--open-mode=append"]
    argv += [f"--output={output}", f"--export={exported or 'NONE'}"]
    argv += ["--hold"] if held else []
    dependency = _dependency(waits, jobs)
    argv += [f"--dependency={dependency}"] if dependency else []
    return [*argv, "--wrap", script(settings, waits.id)]


def _dependency(waits: Waits, jobs: Mapping[str, str]) -> str:
    kinds = {"afterok": waits.needs, "afterany": waits.after}
    named = {kind: [jobs[id] for id in ids if id in jobs] for kind, ids in kinds.items()}
    return ",".join(":".join((kind, *ids)) for kind, ids in named.items() if ids)


def script(settings: Settings, id: str) -> str:
    """The script of a feature's job, for ``/bin/sh``."""
    run = ["rorchestrator", "run", "--only", id, "--remote", settings.remote]
    run += ["--run-id", settings.run, "--report", os.path.join(settings.folder, f"{id}.json")]
    run += ["--config", settings.list_file, "--base", settings.base_commit]
    run += ["--allow-bypass"] if settings.allow_bypass else []
    # A prologue may end with a test that fails. A file that is missing ends the shell.
    prologue = f". {shlex.quote(settings.prologue)}; " if settings.prologue else ""
    read = f". {shlex.quote(settings.environment)} && " if settings.environment else ""
    return prologue + read + shlex.join(("exec", *run))


def on_slurm(command: str, run: str) -> str:
    """A command that acts on a run, for a hint."""
    return " ".join(("rorchestrator", command, "--engine", "slurm", "--run-id", run))


def check_options(options: Sequence[str]) -> None:
    """Raise :class:`UserError` for an option of sbatch that ``submit`` sets itself."""
    for option in options:
        name = option.partition("=")[0]
        is_long = name.startswith("--") and len(name) > 2
        # getopt accepts any prefix of a long option.
        taken = [each for each in OURS if is_long and each.startswith(name)]
        if not is_long and option[:1] == "-" and option[1:2] in OURS_SHORT:
            taken = [option[:2]]
        if CLUSTERS in taken or CLUSTERS_SHORT in taken:
            raise UserError(
                N_("{option!r} can't be added: a run is on one cluster").format(option=option),
                hint=N_("type submit on a login node of that cluster"),
            )
        if taken or len(option) < 2 or option[0] != "-" or option == "--":
            raise UserError(
                N_("{option!r} can't be added to the options of sbatch").format(option=option),
                hint=N_("give one option with its value each time, such as {example}").format(
                    example=f"{FREE_OPTIONS}=--partition=long"
                ),
            )
