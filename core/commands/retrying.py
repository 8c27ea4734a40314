"""Runs features again for ``retry``, ``review --retry`` and ``feedback``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..dag import incremental
from ..model.control_action import ControlAction
from ..model.decision import Action, Decision
from ..model.errors import ExitCode, UserError
from ..model.fold import fold
from ..model.frozen import replace
from ..model.state import RunState
from ..model.translate import _, shown
from ..project import control_requests, retrying
from ..project.decisions import apply_skips, check_permissions, decide
from ..project.open import OpenProject
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
        why = _("this process was started by the run, and may not retry its features")
        control_requests.check_sender(state, why)
        made = retrying.said(project, state.feature(id), message)
        asked = ControlAction.RETRY
        reply = control_requests.ask(project, run, asked, id, made=made, attempts=attempts)
        return steer.show(arguments, reply)
    if fault:
        project = opened(arguments)  # raises the fault of the list
    made = retrying.retried(project, state.feature(id), message, attempts)
    return _run(arguments, project, fold(made, state), (id,), message)


def retry_features(arguments: argparse.Namespace, ids: Sequence[str]) -> int:
    """The same for several features, in one run of their own."""
    project = opened(arguments)
    check_known("", ids, project.dag.features)
    state = project.state()
    if control_requests.running(project, state):
        return max(retry_feature(arguments, id) for id in ids)
    made = [event for id in ids for event in retrying.retried(project, state.feature(id))]
    return _run(arguments, project, fold(made, state), tuple(ids))


def _run(
    arguments: argparse.Namespace,
    project: OpenProject,
    state: RunState,
    ids: tuple[str, ...],
    message: str = "",
) -> int:
    """Run features, in a state in which they go on."""
    selection = Selection(ids)
    decisions = decide(apply_skips(project, state), state, selection)
    for id in ids:
        _check_runs(decisions[id])
    check_can_ask(asking(arguments), project)
    if not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    first, *rest = ids
    options = run_options(arguments, selection, retried=first)
    options = replace(options, message=message, retried_too=tuple(rest))
    return run_features(project, options, asking(arguments), display_of(arguments))


def _check_runs(decision: Decision) -> None:
    """Raise :class:`UserError` if there is nothing to retry."""
    id = decision.feature
    if decision.action is Action.SKIP:
        again = f"rorchestrator run --only {id} --fresh"
        raise UserError(
            _("{id} is {reason}; nothing to retry").format(id=id, reason=shown(decision.reason)),
            hint=again if decision.merged else incremental.nothing_said(id),
            exit_code=ExitCode.INCOMPLETE,
        )
