"""``status``: prints the state of a project and its features, at any time."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import ExitCode
from ..model.frozen import replace
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..project.status import project_status
from ..reporter.status_text import status_lines
from ..reporter.style import Style, style_of
from .engine_options import add_submitted_options, check_engine
from .options import NO_LIST, add_common_options, display_of, opened_or_recorded

EXAMPLES = N_("""\
examples:
  rorchestrator status
  rorchestrator status --verbose
  rorchestrator status --json | python3 -m json.tool
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _("Show the state of each feature, also while a run is in progress.")
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--all-lists",
        action="store_true",
        help=_("include the features of the repository's other lists"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_submitted_options(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print the status of the project, or of a run on many machines."""
    if arguments.engine:
        from . import slurm_status

        return slurm_status.status(arguments)
    check_engine(arguments)
    display = display_of(arguments)
    project, fault = opened_or_recorded(arguments)
    status = project_status(project, fault, all_lists=arguments.all_lists)
    if display.json:
        print(json.dumps(status.to_json(), indent=display.indent))
        return ExitCode.UP_TO_DATE
    if fault:
        print(one_line(_(NO_LIST).format(fault=shown(fault))), file=sys.stderr)
    style = style_of(sys.stdout, display.color)
    style, wide = _room(style)
    lines = status_lines(status, style, quiet=display.quiet, verbose=display.verbose, wide=wide)
    print("\n".join(lines))
    return ExitCode.UP_TO_DATE


def _room(style: Style) -> tuple[Style, bool]:
    """The style, and whether the table may be as wide as it is, as in a file or a pipe."""
    if sys.stdout.isatty():
        return style, False
    columns = os.environ.get("COLUMNS", "")  # as watch(1) sets it
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return replace(style, width=int(columns)), False
    return style, True
