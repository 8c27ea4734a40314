"""``pause``: the current run starts no new features or attempts."""

from __future__ import annotations

import argparse

from ..model.control_action import ControlAction
from ..model.translate import N_, _
from . import steer

EXAMPLES = N_("""\
examples:
  rorchestrator pause
  rorchestrator pause --json
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    about = _(
        "Pause the current run: no feature and no further attempt starts, "
        "running\nattempts finish. The pause lasts until rorchestrator resume, "
        "or until the run ends."
    )
    steer.configure(parser, about, _(EXAMPLES))


def execute(arguments: argparse.Namespace) -> int:
    """Ask the run."""
    return steer.request(arguments, ControlAction.PAUSE)
