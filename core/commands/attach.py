"""``attach``: opens a feature's session in its worktree, to continue with Claude by hand."""

from __future__ import annotations

import argparse
import os
import sys

from ..claude import command_line
from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.feature import Feature
from ..model.state import FeatureState
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _, shown
from ..process.environment import without_git
from ..process.spawner import exec_program
from ..project import control_requests
from ..project.claude_program import with_program
from ..project.decisions import check_permissions
from ..project.open import OpenProject
from ..project.selection import check_known
from . import steer
from .ask_consent import check_consent
from .options import (
    NO_LIST,
    add_bypass_option,
    add_common_options,
    asking,
    opened_or_recorded,
    same_words,
)

EXAMPLES = N_("""\
examples:
  rorchestrator attach auth
  rorchestrator attach auth --print
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Open the last session of a feature in its worktree, with the list's "
        "Claude and rules.\nYour changes stay in the worktree; rorchestrator "
        "retry continues from them."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("id", metavar="ID", help=_("the feature"))
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("consent to the list's Claude without asking")
    )
    parser.add_argument(
        "--print", action="store_true", help=_("print the command instead of running it")
    )
    add_bypass_option(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Replace this process by Claude; with ``--print``, print the command."""
    id = arguments.id
    project, fault = opened_or_recorded(arguments)
    if fault:
        print(one_line(_(NO_LIST).format(fault=shown(fault))), file=sys.stderr)
    state = project.state()
    check_known("", [id], {**project.dag.features, **state.features})
    known = state.feature(id)
    _check_session(known, is_listed=id in project.dag.features)
    run = control_requests.running(project, state)
    if run and known.status.active:
        raise UserError(
            _("{id} is running").format(id=id),
            hint=f"rorchestrator stop {id}",
            exit_code=ExitCode.INCOMPLETE,
        )
    words = _command(arguments, project, known)
    if arguments.print:
        print(f"cd {shell_word(known.worktree)} && {' '.join(map(shell_word, words))}")
        return ExitCode.UP_TO_DATE
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError(
            _("a session needs a terminal"),
            hint=f"rorchestrator attach {id} --print",
        )
    check_consent(asking(arguments), project, command_line.own_command(project.config.claude))
    _journal(project, run, id)
    env = command_line.environment(without_git(os.environ), project.config.claude)
    exec_program(words, env, known.worktree)


def _check_session(known: FeatureState, *, is_listed: bool) -> None:
    """Raise :class:`UserError` if there is no session to open."""
    again = f"rorchestrator retry {known.id}" if is_listed else _("it is no longer in the list")
    if not (known.session_id and known.worktree):
        raise UserError(
            _("{id} has no session yet, or it was cleaned up").format(id=known.id), hint=again
        )
    if not os.path.isdir(known.worktree):
        raise UserError(
            _("the worktree of {id} no longer exists: {worktree}").format(
                id=known.id, worktree=known.worktree
            ),
            hint=again,
        )


def _command(arguments: argparse.Namespace, project: OpenProject, known: FeatureState) -> list[str]:
    if not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    options = with_program(project.config).claude
    feature = project.dag.features.get(known.id) or Feature(known.id, known.name)
    checks = project.config.project.verify
    return command_line.interactive(options, feature, known.session_id, checks)


def _journal(project: OpenProject, run: str, id: str) -> None:
    """Record in the journal that the session was opened; the current run does that itself."""
    if not run:
        with control_requests.journalling(project, "attach"):
            steer.record(
                project, ControlAction.ATTACH, id, N_("{id}: its session was opened").format(id=id)
            )
        return
    reply = control_requests.ask(project, run, ControlAction.ATTACH, id)
    if not reply.is_done:
        raise control_requests.refusal(reply)
