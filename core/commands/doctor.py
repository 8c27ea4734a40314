"""``doctor``: examines the machine, the repository and the feature list; changes nothing."""

from __future__ import annotations

import argparse
import json
import sys

from ..model.errors import ExitCode
from ..model.translate import N_, _
from .options import add_common_options, display_of

EXAMPLES = N_("""\
examples:
  rorchestrator doctor
  rorchestrator doctor --quiet
  rorchestrator doctor --json | python3 -m json.tool
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Examine what a run needs: Python, git, Claude, the repository, the "
        "feature list, the\ndisk. Each line is ok, a warning or a fault, with "
        "the command that mends it."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print what was found; exit 1 if there is a fault."""
    from ..reporter.style import style_of
    from ..start.examining.diagnosis import Level, count, document, text_lines
    from ..start.examining.doctor import examine

    display = display_of(arguments)
    lines = examine(arguments.config or "", arguments.base or "", arguments.mask)
    if display.json:
        print(json.dumps(document(lines), indent=display.indent))
    else:
        style = style_of(sys.stdout, display.color)
        print("\n".join(text_lines(lines, style, quiet=display.quiet)))
    return ExitCode.INCOMPLETE if count(lines, Level.FAULT) else ExitCode.UP_TO_DATE
