"""``push``: pushes the branches of completed features."""

from __future__ import annotations

import argparse

from ..model.translate import N_, _
from . import handing_over
from .options import file_path

EXAMPLES = N_("""\
examples:
  rorchestrator push
  rorchestrator push auth --remote fork
  rorchestrator push --dry-run
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Push the branches of completed features, each based on the branch of its dependency or "
        "on the\nbase branch. What somebody else pushed is never overwritten."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--bundle",
        type=file_path,
        metavar=_("FILE"),
        help=_("push what run --bundle wrote there to the repository of --remote URL"),
    )
    handing_over.configure(parser, _("show what would be pushed; push nothing"))


def execute(arguments: argparse.Namespace) -> int:
    """Push; exit 1 if a feature is held."""
    return handing_over.hand_over(arguments, handing_over.options_of(arguments))
