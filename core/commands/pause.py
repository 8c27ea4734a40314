"""``pause``: the run that is on starts nothing new."""

from __future__ import annotations

import argparse

from . import steer

EXAMPLES = """\
examples:
  rorchestrator pause
  rorchestrator pause --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    about = (
        "Let the run that is on start nothing new: no feature, and no further attempt at one.\n"
        "What runs goes on to its end. It lasts until rorchestrator resume, or the run's end."
    )
    steer.configure(parser, about, EXAMPLES)


def execute(arguments: argparse.Namespace) -> int:
    """Ask the run."""
    return steer.wish(arguments, "pause")
