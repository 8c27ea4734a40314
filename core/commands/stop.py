"""``stop``: ends the run that is on, or one feature of it."""

from __future__ import annotations

import argparse

from ..project.workplace import check_known, open_workplace
from . import steer

EXAMPLES = """\
examples:
  rorchestrator stop auth            the others go on
  rorchestrator stop                 the whole run, as Ctrl-C does
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    about = (
        "End the run that is on, or one feature of it, in order: Claude still tells what it cost,\n"
        "session and work are kept, and the next run, or rorchestrator retry, goes on with it."
    )
    parser.add_argument("id", nargs="?", default="", metavar="ID", help="this one; else all")
    steer.configure(parser, about, EXAMPLES)


def execute(arguments: argparse.Namespace) -> int:
    """Ask the run."""
    if arguments.id:
        check_known("", [arguments.id], open_workplace(arguments).dag.features)
    return steer.wish(arguments, "stop", arguments.id)
