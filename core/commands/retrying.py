"""Runs a feature again for ``retry`` and ``review --retry``."""

from __future__ import annotations

import argparse

from ..dag import incremental
from ..model.control_action import ControlAction
from ..model.decision import Action
from ..model.errors import ExitCode, UserError
from ..model.fold import fold
from ..model.frozen import replace
from ..model.translate import _, shown
from ..project import control_requests, retrying
from ..project.decisions import apply_skips, check_permissions, decide
from ..project.selection import Selection, check_known
from . import steer
from .ask_consent import check_can_ask
from .options import asking, display_of, opened, opened_or_recorded, run_options, same_words
from .running import run_features


def retry_feature(
    arguments: argparse.Namespace, id: str, message: str = "", attempts: int | None = None
) -> int:
    """Ask the current run to run a feature again; without one, start a run. The exit code.

    ``message`` is said to its session. ``arguments`` has the options of every command that starts
    Claude.
    """
    project, fault = opened_or_recorded(arguments)
    check_known("", [id], project.dag.features)
    state = project.state()
    run = control_requests.running(project, state)
    if run:
        made = retrying.said(project, id, message)
        asked = ControlAction.RETRY
        reply = control_requests.ask(project, run, asked, id, made=made, attempts=attempts)
        return steer.show(arguments, reply)
    if fault:
        project = opened(arguments)  # raises the fault of the list
    selection = Selection((id,))
    state = fold(retrying.retried(project, id, message, attempts), state)
    decision = decide(apply_skips(project, state), state, selection)[id]
    if decision.action is Action.SKIP:
        again = f"rorchestrator run --only {id} --fresh"
        raise UserError(
            _("{id} is {reason}; nothing to retry").format(id=id, reason=shown(decision.reason)),
            hint=again if decision.merged else incremental.nothing_said(id),
            exit_code=ExitCode.INCOMPLETE,
        )
    check_can_ask(asking(arguments), project)
    if not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    options = replace(run_options(arguments, selection, retried=id), message=message)
    return run_features(project, options, asking(arguments), display_of(arguments))
