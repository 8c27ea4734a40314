"""``resume``: ends the pause of a run."""

from __future__ import annotations

import argparse

from ..model.control_action import ControlAction
from . import steer

EXAMPLES = """\
examples:
  rorchestrator resume
  rorchestrator resume --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    steer.configure(parser, "Resume a run that rorchestrator pause has paused.", EXAMPLES)


def execute(arguments: argparse.Namespace) -> int:
    """Ask the run."""
    return steer.request(arguments, ControlAction.RESUME)
