"""``retry``: another go at a feature, in the run that is on or in one of its own."""

from __future__ import annotations

import argparse

from ..model.decision import Action
from ..model.errors import ExitCode, UserError
from ..project.workplace import add_common_options, as_steered, check_known, decide, open_workplace
from . import run
from . import steer as wishes

EXAMPLES = """\
examples:
  rorchestrator retry auth
  rorchestrator retry auth --yes
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    parser.description = (
        "Run a feature again that did not complete, was stopped or was skipped. A run in progress\n"
        "queues it, and the options below are ignored. Without a run, this is run --only ID."
    )
    parser.epilog = EXAMPLES
    parser.add_argument("id", metavar="ID", help="the feature")
    parser.add_argument(
        "--json", action="store_true", help="print the reply, or the events of the run, as JSON"
    )
    run.add_running_options(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Ask the run that is on, or run it."""
    place, id = open_workplace(arguments), arguments.id
    check_known("", [id], place.dag.features)
    state = place.state()
    on = wishes.running(place, state)
    if on:
        return wishes.told(arguments, wishes.ask(place, on, "retry", id))
    vars(arguments).update(
        only=[id],
        tag=None,
        no_deps=False,
        fresh=None,
        max_parallel=None,
        sequential=False,
        fail_fast=False,
        merge=False,
        resolve=False,
        rehearse=False,
    )
    decision = decide(as_steered(place, state), state, arguments)[id]
    if decision.action is Action.SKIP:
        raise UserError(
            f"{id} is {decision.reason}: there is nothing to retry",
            hint=f"rorchestrator run --only {id} --fresh",
            exit_code=ExitCode.INCOMPLETE,
        )
    return run.execute(arguments, retried=id)
