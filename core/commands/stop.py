"""``stop``: stops the current run, or one feature of it."""

from __future__ import annotations

import argparse

from ..model.control_action import ControlAction
from ..model.translate import N_, _
from . import steer

EXAMPLES = N_("""\
examples:
  rorchestrator stop auth            the other features continue
  rorchestrator stop                 the whole run, like Ctrl-C
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
    steer.configure(parser, about, _(EXAMPLES))


def execute(arguments: argparse.Namespace) -> int:
    """Send the request to the run."""
    return steer.request(arguments, ControlAction.STOP, arguments.id)
