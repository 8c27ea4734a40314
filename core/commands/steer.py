"""Asks the current run to pause, resume, stop, skip or retry, and waits for its reply."""

from __future__ import annotations

import argparse
import json
import time

from ..model import events
from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.event_values import Reply, reply_of
from ..model.state import RunState
from ..model.terminal_text import clean
from ..model.translate import _, shown
from ..project.control_requests import ask, landing, refusal, running
from ..project.open import OpenProject
from ..project.selection import check_known
from .options import add_common_options, opened_or_recorded


def configure(
    parser: argparse.ArgumentParser, description: str, examples: str, *, id: str = ""
) -> None:
    """Declare the options of a command; ``id`` is the help of its feature, if it takes one."""
    parser.description, parser.epilog = description, examples
    if id:
        parser.add_argument("id", metavar="ID", help=id)
    parser.add_argument("--json", action="store_true", help=_("print the reply as one JSON object"))
    add_common_options(parser)


def features_of(project: OpenProject, state: RunState) -> dict[str, object]:
    """The features that a command may name: those of the list, and of the last run of it."""
    run = state.run
    of_run = run.features if run is not None and run.owner in ("", project.owner) else ()
    return {**project.dag.features, **dict.fromkeys(of_run)}


def request(arguments: argparse.Namespace, action: ControlAction, feature: str = "") -> int:
    """Ask the current run for something and print its reply; the exit code.

    Raises :class:`UserError` if no run is in progress.
    """
    project, _fault = opened_or_recorded(arguments)
    state = project.state()
    if feature:
        check_known("", [feature], features_of(project, state))
    run = landing(project, state) or running(project, state)
    if not run:
        holder = project.lock.holder()
        if holder is not None:
            raise UserError(
                _(
                    "rorchestrator {command} (pid {pid}) is in progress, but no run: "
                    "nothing to {action}"
                ).format(command=holder.command, pid=holder.pid, action=action.value),
                hint=_("wait until it has finished, or press Ctrl-C in its terminal"),
            )
        raise UserError(
            _("no run in progress in this repository: nothing to {action}").format(
                action=action.value
            ),
            hint=_("rorchestrator status shows the features, rorchestrator run starts a run"),
        )
    return show(arguments, ask(project, run, action, feature))


def record(
    project: OpenProject, action: ControlAction, id: str, text: str, *, force: bool = False
) -> Reply:
    """Record in the journal what was done without a run."""
    event = events.steered(
        time.time(),
        *("", id),
        action=action,
        request="",
        done=True,
        text=text,
        force=force,
        owner=project.owner,
    )
    return reply_of(project.journal.append(event))


def show(arguments: argparse.Namespace, reply: Reply) -> int:
    """Print a reply; the exit code. Raises :class:`UserError` for a refusal, unless as JSON."""
    if arguments.json:
        print(json.dumps(reply.to_json()))
    elif reply.is_done:
        print(clean(shown(reply.text)))
    else:
        raise refusal(reply)
    return ExitCode.UP_TO_DATE if reply.is_done else ExitCode.INCOMPLETE
