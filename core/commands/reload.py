"""``reload``: the current run takes up the changed feature list."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.state import Run, RunState
from ..model.terminal_text import clean, one_line, shell_word
from ..model.translate import N_, _, shown
from ..project import control_requests, running_list
from ..project.list_reload import Reload, as_the_run_reads, places, reload_of
from ..project.open import OpenProject
from ..project.running_list import RunningList
from ..reporter.reload_text import reload_document, reload_lines
from ..reporter.style import style_of
from .ask_consent import is_terminal
from .options import add_common_options, agrees, opened, same_words

EXAMPLES = N_("""\
examples:
  rorchestrator reload --dry-run     show what the run would take up
  rorchestrator reload
  rorchestrator reload --yes         with new commands, without asking
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Let the current run take up the changed feature list: its features and "
        "prompts.\nWhat runs already is left alone. The settings under project "
        "and claude wait for the next run."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--dry-run", action="store_true", help=_("show what would change, and change nothing")
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help=_("do not ask; consent to new commands, tools and limits"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print the change and the reply as one JSON object")
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show what changes, ask, and send the request to the run."""
    project = opened(arguments)
    state = project.state()
    run, running = _run_of(project, state)
    found = _found(project, state, run, running)
    if not (arguments.json or arguments.quiet):
        style = style_of(sys.stdout, arguments.color)
        print("\n".join(reload_lines(found.change, style)))
    if arguments.dry_run or found.change.is_empty:
        return _end(arguments, found)
    why = _("this process was started by the run, and may not change its list")
    control_requests.check_sender(state, why)
    _agree(arguments, found)
    reply = control_requests.ask(project, run.id, ControlAction.RELOAD, listed=found.digest)
    if arguments.json:
        document = {"change": reload_document(found.change), "reply": reply.to_json()}
        print(json.dumps(document))
        return ExitCode.UP_TO_DATE if reply.is_done else ExitCode.INCOMPLETE
    if not reply.is_done:
        raise control_requests.refusal(reply)
    print(clean(shown(reply.text)))
    return ExitCode.UP_TO_DATE


def _run_of(project: OpenProject, state: RunState) -> tuple[Run, RunningList]:
    """The current run and the list that it follows. Raises :class:`UserError` without one."""
    id, run = control_requests.running(project, state), state.run
    if not id or run is None:
        raise UserError(
            _("no run in progress in this repository: nothing to {action}").format(action="reload"),
            hint=_("rorchestrator run reads the list as it is"),
        )
    running = running_list.read(project.journal.folder, id)
    if running is None:
        raise UserError(
            _("the list that the run of pid {pid} follows is unknown").format(pid=run.pid),
            hint=_("try again in a moment; a run of an older version keeps its list"),
        )
    if os.path.realpath(project.config.path) != os.path.realpath(running.path):
        raise UserError(
            _("the current run follows another list, {path}").format(path=running.path),
            hint=f"rorchestrator reload --config {shell_word(running.path)}",
        )
    return run, running


def _found(project: OpenProject, state: RunState, run: Run, running: RunningList) -> Reload:
    """What changes, seen from the commit that the run pinned."""
    config = as_the_run_reads(project.config, running.outline, run.base_option)
    project = replace(project, config=config, base_commit=run.base_commit)
    return reload_of(project, state, running, places(state, run))


def _end(arguments: argparse.Namespace, found: Reload) -> int:
    if arguments.json:
        print(json.dumps({"change": reload_document(found.change), "reply": None}))
    return ExitCode.UP_TO_DATE


def _agree(arguments: argparse.Namespace, found: Reload) -> None:
    """Ask, and remember the consent. Raises :class:`UserError` unless the answer is yes."""
    asked = found.change.widenings
    if not arguments.yes and is_terminal():
        if not agrees(_("Let the run take up these changes?")):
            raise UserError(_("you did not agree; nothing was changed"))
    elif not arguments.yes and asked:
        raise UserError(
            _("something new in the list needs your consent"),
            details=tuple(one_line(shown(each.text)) for each in asked),
            hint=_("read them, then: rorchestrator {asking} --yes").format(
                asking=same_words(arguments.words)
            ),
        )
    why = found.project.consents.give(each.command for each in asked)
    if why:
        raise UserError(
            _("your consent could not be saved, so the run can't know it: {why}").format(why=why)
        )
