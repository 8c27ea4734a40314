"""``retry``: runs a feature again, in the current run or in a run of its own."""

from __future__ import annotations

import argparse

from ..model.control_action import ControlAction
from ..model.decision import Action
from ..model.errors import ExitCode, UserError
from ..model.translate import N_, _, shown
from ..project import control_requests
from ..project.decisions import apply_skips, check_permissions, decide
from ..project.selection import Selection, check_known
from . import steer
from .ask_consent import check_can_ask
from .options import (
    add_common_options,
    add_progress_option,
    add_running_options,
    asking,
    display_of,
    opened,
    opened_or_recorded,
    run_options,
    same_words,
)
from .running import run_features

EXAMPLES = N_("""\
examples:
  rorchestrator retry auth
  rorchestrator retry auth --yes
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Run a feature again that did not complete, was stopped or was "
        "skipped. A run in progress\nqueues it, and the options below are "
        "ignored. Without a run, this is run --only ID."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("id", metavar="ID", help=_("the feature"))
    parser.add_argument(
        "--json", action="store_true", help=_("print the reply, or the events of the run, as JSON")
    )
    add_progress_option(parser)
    add_running_options(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Ask the current run; without one, start a run."""
    id = arguments.id
    project, fault = opened_or_recorded(arguments)
    check_known("", [id], project.dag.features)
    state = project.state()
    run = control_requests.running(project, state)
    if run:
        return steer.show(arguments, control_requests.ask(project, run, ControlAction.RETRY, id))
    if fault:
        project = opened(arguments)  # raises the fault of the list
    selection = Selection((id,))
    decision = decide(apply_skips(project, state), state, selection)[id]
    if decision.action is Action.SKIP:
        raise UserError(
            _("{id} is {reason}; nothing to retry").format(id=id, reason=shown(decision.reason)),
            hint=f"rorchestrator run --only {id} --fresh",
            exit_code=ExitCode.INCOMPLETE,
        )
    check_can_ask(asking(arguments), project)
    if not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    options = run_options(arguments, selection, retried=id)
    return run_features(project, options, asking(arguments), display_of(arguments))
