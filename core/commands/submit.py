"""``submit``: hands the features of a list to an engine that runs them on many machines."""

from __future__ import annotations

import argparse

from ..model.translate import N_, _
from .engine_options import add_engine_option
from .options import (
    add_bypass_option,
    add_choice_options,
    add_common_options,
    add_remote_option,
    add_slots_option,
    file_path,
    ids,
)

EXAMPLES = N_("""\
examples:
  rorchestrator submit --engine slurm --dry-run
  rorchestrator submit --engine slurm --sbatch-option=--partition=long --sbatch-option=--mem=8G
  rorchestrator submit --engine slurm --prologue ~/modules.sh --folder /scratch/shop --yes
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Submit the features of the list that have not landed: a job for each, which waits for\n"
        "its dependencies. Every job clones the remote, and pushes its branch and its report."
    )
    parser.epilog = _(EXAMPLES)
    add_engine_option(parser, required=True)
    add_remote_option(parser)
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("do not ask; required without a terminal")
    )
    add_bypass_option(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help=_("print the commands; submit nothing")
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    _add_slurm_options(parser.add_argument_group("Slurm"))
    group = parser.add_argument_group(_("selection"))
    add_choice_options(group)
    add_slots_option(group)
    add_common_options(parser)


def _add_slurm_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sbatch-option",
        action="append",
        default=[],
        metavar="OPTION",
        help=_(
            "an option of sbatch for each job, such as --sbatch-option=--time=4:00:00; "
            "may be repeated"
        ),
    )
    group.add_argument(
        "--prologue",
        type=file_path,
        metavar=_("FILE"),
        help=_("a shell file that each job reads first, such as one that loads modules"),
    )
    group.add_argument(
        "--folder",
        type=file_path,
        metavar=_("PATH"),
        help=_("a folder that the nodes share, for output and keys (default: in git's folder)"),
    )
    group.add_argument(
        "--env",
        type=ids,
        action="extend",
        default=[],
        metavar="NAME[,NAME...]",
        help=_("also pass these variables to the jobs"),
    )


def execute(arguments: argparse.Namespace) -> int:
    """Submit; exit 0 if all jobs are in."""
    from .slurm_submit import submit

    return submit(arguments)
