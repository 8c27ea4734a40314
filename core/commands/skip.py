"""``skip``: leaves a feature out of all runs until ``retry``."""

from __future__ import annotations

import argparse

from ..git.refs import RESULTS
from ..model.control_action import ControlAction
from ..model.decision import Action
from ..model.errors import ExitCode, UserError
from ..model.state import RunState
from ..model.translate import N_, _, shown
from ..project import control_requests, lists
from ..project.decisions import apply_skips, decide
from ..project.open import OpenProject
from ..project.selection import Selection, check_known
from . import steer
from .options import opened, opened_or_recorded

EXAMPLES = N_("""\
examples:
  rorchestrator skip search          its dependents do not run either
  rorchestrator skip search --force  its dependents run without it
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    about = _(
        "Leave out a feature, in the current run and in later ones, until "
        "rorchestrator retry.\nIts dependents do not run either."
    )
    steer.configure(parser, about, _(EXAMPLES), id=_("the feature"))
    parser.add_argument("--force", action="store_true", help=_("let its dependents run without it"))


def execute(arguments: argparse.Namespace) -> int:
    """Ask the current run; without one, record it in the journal."""
    id = arguments.id
    project, fault = opened_or_recorded(arguments)
    check_known("", [id], project.dag.features)
    run = control_requests.running(project, project.state())
    if run:
        reply = control_requests.ask(project, run, ControlAction.SKIP, id, force=arguments.force)
        return steer.show(arguments, reply)
    if fault:
        project = opened(arguments)  # raises the fault of the list
    with control_requests.journalling(project, "skip") as state:
        _check(arguments, project, state)
        for event in lists.takeovers(project, project.whole_state(), [id]):
            project.journal.append(event)
        how = (
            N_("its dependents run without it")
            if arguments.force
            else N_("its dependents do not run")
        )
        text = N_("{id} is skipped until rorchestrator retry {id}; {how}").format(id=id, how=how)
        reply = steer.record(project, ControlAction.SKIP, id, text, force=arguments.force)
        return steer.show(arguments, reply)


def _check(arguments: argparse.Namespace, project: OpenProject, state: RunState) -> None:
    """Raise :class:`UserError` if there is nothing to skip."""
    id, known = arguments.id, state.feature(arguments.id)
    decision = decide(apply_skips(project, state), state, Selection())[id]
    reason = decision.reason if decision.action is Action.SKIP else ""
    if known.status.active and f"{RESULTS}{id}/{known.result_name(known.run)}" in project.refs:
        reason = N_("completed, although its run was killed before it recorded that")
    if reason:
        raise UserError(
            _("{id} is {reason}; nothing to skip").format(id=id, reason=shown(reason)),
            hint="rorchestrator status",
            exit_code=ExitCode.INCOMPLETE,
        )
