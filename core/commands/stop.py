"""``stop``: stops the current run, or one feature of it."""

from __future__ import annotations

import argparse

from ..model.control_action import ControlAction
from ..model.translate import N_, _
from . import steer
from .engine_options import add_submitted_options, check_engine

EXAMPLES = N_("""\
examples:
  rorchestrator stop auth            the other features continue
  rorchestrator stop                 the whole run, like Ctrl-C
  rorchestrator stop --engine slurm  the jobs of the last run on Slurm
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    about = _(
        "Stop the current run, or one feature of it. Claude may still report "
        "its cost; session\nand work are kept, and the next run, or "
        "rorchestrator retry, continues."
    )
    parser.add_argument(
        "id",
        nargs="?",
        default="",
        metavar="ID",
        help=_("the feature to stop (default: the whole run)"),
    )
    add_submitted_options(parser)
    steer.configure(parser, about, _(EXAMPLES))


def execute(arguments: argparse.Namespace) -> int:
    """Send the request to the run, or cancel the jobs of a run on many machines."""
    if arguments.engine:
        from . import slurm_status

        return slurm_status.stop(arguments, arguments.id)
    check_engine(arguments)
    return steer.request(arguments, ControlAction.STOP, arguments.id)
