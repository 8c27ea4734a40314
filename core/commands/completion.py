"""``completion``: prints a script with which a shell completes the command."""

from __future__ import annotations

import argparse

from ..model.errors import ExitCode
from ..model.translate import N_, _
from .options import add_common_options

EXAMPLES = N_("""\
examples:
  rorchestrator completion bash >> ~/.bashrc
  rorchestrator completion zsh >> ~/.zshrc
  rorchestrator completion fish >> ~/.config/fish/config.fish
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Print a script with which a shell completes commands, options, their "
        "values, files, and\nthe ids and tags of the feature list."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help=_("the shell"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print the script."""
    from ..start.completion import SCRIPTS

    print(SCRIPTS[arguments.shell], end="")
    return ExitCode.UP_TO_DATE
