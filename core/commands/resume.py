"""``resume``: the paused run continues."""

from __future__ import annotations

import argparse

from ..model.control_action import ControlAction
from ..model.translate import N_, _
from . import steer

EXAMPLES = N_("""\
examples:
  rorchestrator resume
  rorchestrator resume --json
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    steer.configure(parser, _("Resume a run that rorchestrator pause has paused."), _(EXAMPLES))


def execute(arguments: argparse.Namespace) -> int:
    """Ask the run."""
    return steer.request(arguments, ControlAction.RESUME)
