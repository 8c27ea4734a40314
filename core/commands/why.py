"""``why``: why a feature is not running, or will run again, and what changes that."""

from __future__ import annotations

import argparse
import json
import sys
import time

from ..model.errors import ExitCode
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..project.selection import check_known
from .options import NO_LIST, add_common_options, display_of, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..project.open import OpenProject
    from ..views.why import Situation

EXAMPLES = N_("""\
examples:
  rorchestrator why
  rorchestrator why api
  rorchestrator why --json | python3 -m json.tool
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show why a feature is not running, or why it will run again, and the "
        "command that\nchanges that. Works before, during and after a run."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "id",
        nargs="?",
        metavar="ID",
        help=_("the feature (default: a line for each that is not up to date)"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print a JSON object for each feature")
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show why."""
    from ..reporter.style import style_of
    from ..views.why import why
    from ..views.why_text import why_lines, why_table

    display = display_of(arguments)
    project, fault = opened_or_recorded(arguments)
    if arguments.id is not None:
        check_known("", [arguments.id], project.dag.features)
    situation = _situation(project, is_whole=not fault)
    found = [why(id, situation) for id in ([arguments.id] if arguments.id else project.dag.order())]
    if display.json:
        document = {"list_fault": fault or None, "features": [each.to_json() for each in found]}
        print(json.dumps(document, indent=display.indent))
        return ExitCode.UP_TO_DATE
    if fault:
        print(one_line(_(NO_LIST).format(fault=shown(fault))), file=sys.stderr)
    style = style_of(sys.stdout, display.color)
    lines = why_lines(found[0], style) if arguments.id else why_table(found, style)
    print("\n".join(lines))
    return ExitCode.UP_TO_DATE


def _situation(project: OpenProject, *, is_whole: bool) -> Situation:
    """What there is to know; without a usable list, only what the journal knows."""
    from ..project.changed_inputs import changed_inputs
    from ..project.decisions import answer_file, apply_skips, decide
    from ..project.selection import Selection
    from ..views.why import Situation

    whole = project.whole_state()
    state = project.seen(whole)
    holder, run = project.lock.holder(), whole.run
    is_ours = holder is not None and run is not None and run.pid == holder.pid
    if run is not None and not (is_ours and run.ended_at is None):
        run = None
    if run is not None and run.owner not in project.owners(whole):
        run = None
    decisions = {}
    if is_whole:
        project = apply_skips(project, state)
        answers = answer_file(project, state) if state.features else None
        decisions = decide(project, state, Selection(), hashed=bool(state.features))
        if answers is not None:
            answers.write(project.git.answers)
    return Situation(
        state,
        time.time(),
        {id: feature.depends_on for id, feature in project.dag.features.items()},
        decisions,
        lambda id: changed_inputs(
            project.config,
            project.dag.features[id],
            state.feature(id),
            decisions[id],
            project.mask,
        ),
        run,
        project.config.project.max_cost_usd,
    )
