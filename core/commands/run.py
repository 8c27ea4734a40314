"""``run``: options and early errors; ``running.py`` has the rest."""

from __future__ import annotations

import argparse

from ..model.errors import UserError
from ..model.translate import N_, _, shown
from ..project.decisions import check_permissions
from ..project.landed import landing_fault
from .ask_consent import check_can_ask
from .options import (
    add_common_options,
    add_machine_options,
    add_progress_option,
    add_running_options,
    add_selection_options,
    asking,
    display_of,
    opened,
    run_options,
    same_words,
    selection_of,
)
from .run_views import add_view_options, text_elsewhere, view_options
from .running import LandAfterwards, run_features

EXAMPLES = N_("""\
examples:
  rorchestrator run --yes --max-parallel 2
  rorchestrator run --rehearse
  rorchestrator run --yes --only api --fail-fast --json > events.jsonl
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Run Claude Code for every feature that is out of date, several at once."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--sequential",
        action="store_true",
        help=_("run one feature at a time, in topological order"),
    )
    parser.add_argument(
        "--fail-fast", action="store_true", help=_("start nothing more after the first failure")
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help=_("when all features are completed, land them on the base branch"),
    )
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help=_("try everything but Claude in a temporary copy of the repository, at no cost"),
    )
    parser.add_argument(
        "--resolve",
        action="store_true",
        help=_("let Claude resolve conflicts between dependencies and, with --merge, in landing"),
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help=_("print each event when it happens, one JSON object a line; the last is the report"),
    )
    parser.add_argument(
        "--detach",
        action="store_true",
        help=_("ask, then go on in the background; print where its lines go, and how to stop it"),
    )
    add_view_options(parser)
    add_progress_option(parser)
    add_running_options(parser)
    add_selection_options(parser)
    add_machine_options(parser)
    add_common_options(parser)


def _check_needs_remote(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` for options that only mean something with ``--remote``."""
    given = [name for name in ("run_id", "report", "bundle") if getattr(arguments, name)]
    if given:
        raise UserError(
            _("--{name} needs --remote URL").format(name=given[0].replace("_", "-")),
            hint="rorchestrator run --only ID --remote URL --run-id R --report FILE",
        )


def execute(arguments: argparse.Namespace) -> int:
    """Run features that are out of date; returns the exit code."""
    looking = view_options(arguments)
    if arguments.remote:
        from .run_elsewhere import run_elsewhere

        with text_elsewhere(looking):
            return run_elsewhere(arguments, looking)
    _check_needs_remote(arguments)
    project = opened(arguments)
    fault = landing_fault(project) if arguments.merge else ""
    if fault:
        raise UserError(
            _("run --merge lands on the base branch, but {fault}").format(fault=shown(fault)),
            hint=_("rorchestrator run, then rorchestrator merge --into BRANCH"),
        )
    check_can_ask(asking(arguments), project)
    options = run_options(arguments, selection_of(arguments))
    if arguments.rehearse:
        from ..rehearsal.rehearsal import RehearsalOptions
        from .rehearsing import rehearse

        asked = RehearsalOptions(options, arguments.merge, arguments.allow_bypass)
        words = [word for word in arguments.words if not word.startswith(("--reh", "--y", "-y"))]
        then = f"rorchestrator {same_words(words)}"
        return rehearse(project, asked, asking(arguments), display_of(arguments), then=then)
    if not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    landing = LandAfterwards(arguments.resolve) if arguments.merge else None
    with text_elsewhere(looking):
        return run_features(
            *(project, options, asking(arguments), display_of(arguments), landing, looking),
            resolve=arguments.resolve,
        )
