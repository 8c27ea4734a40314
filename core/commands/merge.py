"""``merge``: options, question and report; lands completed features on a branch."""

from __future__ import annotations

import argparse
import sys

from ..landing.merge import Merge
from ..landing.report import LandingState, MergeOptions
from ..model.errors import ExitCode, UserError
from ..model.strategy import Strategy
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from ..process.spawner import run_sync
from ..project.control_requests import journalling
from ..project.decisions import check_permissions
from ..project.open import OpenProject
from .ask_consent import check_consent, commands_of_merge, is_terminal
from .land import land, preview
from .options import (
    add_bypass_option,
    add_common_options,
    agrees,
    asking,
    display_of,
    dollars,
    opened,
    same_words,
)

EXAMPLES = N_("""\
examples:
  rorchestrator merge
  rorchestrator merge auth --into develop --strategy squash
  rorchestrator merge --accepted --resolve --yes --max-cost 2
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Land completed features and their dependencies on the base branch, in "
        "topological order,\nif the checks of project.verify pass on the "
        "result. Nothing is pushed."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the features to land, with their dependencies (default: all that are completed)"),
    )
    parser.add_argument(
        "--into", metavar=_("BRANCH"), help=_("the branch to land on (default: the base branch)")
    )
    parser.add_argument(
        "--strategy",
        choices=[strategy.value for strategy in Strategy],
        default=Strategy.MERGE.value,
        help=_(
            "a merge commit for each feature (default), one commit each, or copies of its commits"
        ),
    )
    # Accepted for scripts: it used to try the features after a conflict, which is always done now.
    parser.add_argument("--keep-going", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--stale", action="store_true", help=_("also land features that are out of date")
    )
    parser.add_argument(
        "--accepted",
        action="store_true",
        help=_("land only what you accepted, as project.require_review does"),
    )
    parser.add_argument(
        "--resolve",
        action="store_true",
        help=_("let Claude resolve conflicts; asks before it spends money"),
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help=_("consent to the list's commands and to costs without asking"),
    )
    parser.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help=_("budget of --resolve, instead of project.max_cost_usd"),
    )
    add_bypass_option(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help=_("show what would land; run no check and move nothing"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Land features; exit 1 if a requested one is held."""
    pays = arguments.resolve and not arguments.dry_run
    if pays and not (arguments.yes or is_terminal()):
        raise UserError(
            _("merge --resolve asks before it spends money, and there is no terminal to ask on"),
            hint=_("rorchestrator {command} --yes, or --dry-run to see the conflicts").format(
                command=same_words(arguments.words)
            ),
        )
    project = opened(arguments)
    if pays and not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    options = MergeOptions(
        tuple(arguments.ids),
        arguments.into or "",
        Strategy(arguments.strategy),
        arguments.resolve,
        arguments.max_cost or project.config.project.max_cost_usd,
        arguments.stale,
        arguments.accepted,
    )
    if not arguments.dry_run:
        commands = commands_of_merge(project.config, resolve=arguments.resolve)
        check_consent(
            asking(arguments), project, commands, lambda: _would_start_any(project, options)
        )
    # A preview writes nothing, so it needs no lock.
    if arguments.dry_run:
        return preview(project, options, display_of(arguments))
    with journalling(project, "merge"):
        project = project.writable()
        refused = None if arguments.yes or not pays else _ask(project, options)
        return land(project, options, display_of(arguments)) if refused is None else refused


def _ask(project: OpenProject, options: MergeOptions) -> int | None:
    """Ask on the terminal whether Claude may be paid; the exit code if not."""
    report = run_sync(Merge(project, options).preview())
    asked = [each for each in report.features if each.would_ask]
    if not asked:
        return None
    for ending in asked:
        print(one_line(headed(ending.id, shown(ending.reason))), file=sys.stderr)
    what = counted(len(asked), "conflict")
    code = ExitCode.CANNOT_START
    try:
        if agrees(_("Let Claude resolve {what} now?").format(what=what)):
            return None
    except KeyboardInterrupt:
        print(file=sys.stderr)
        code = ExitCode.INTERRUPTED
    print(_("Nothing was landed."), file=sys.stderr)
    return code


def _would_start_any(project: OpenProject, options: MergeOptions) -> bool:
    """Whether there is anything to check or to resolve."""
    report = run_sync(Merge(project, options).preview())
    to_check = (LandingState.WOULD_LAND, LandingState.UNKNOWN)
    return any(each.state in to_check or each.would_ask for each in report.features)
