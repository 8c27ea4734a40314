"""``pr``: pushes completed features, and opens or updates a pull request for each."""

from __future__ import annotations

import argparse

from ..model.frozen import replace
from ..model.translate import N_, _
from . import handing_over

EXAMPLES = N_("""\
examples:
  rorchestrator pr
  rorchestrator pr auth --draft
  rorchestrator pr --sync
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Push the branches of completed features, and open or update a pull request for each "
        "through\nyour own gh, or a merge request through glab. The base of a feature that depends "
        "on another one\nis that one's branch, until it lands."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("--draft", action="store_true", help=_("open them as drafts"))
    parser.add_argument(
        "--sync",
        action="store_true",
        help=_("only update existing pull requests after others have landed"),
    )
    handing_over.configure(parser, _("show what would be pushed and opened; change nothing"))


def execute(arguments: argparse.Namespace) -> int:
    """Push, and open or update the pull requests; exit 1 if a feature is held."""
    options = replace(
        handing_over.options_of(arguments),
        pull_requests=True,
        draft=arguments.draft,
        sync=arguments.sync,
    )
    return handing_over.hand_over(arguments, options)
