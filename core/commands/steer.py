"""Asks the current run to pause, resume, stop, skip or retry, and waits for its reply."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from ..journal.control import Requests
from ..journal.journal import Reader
from ..journal.lock import Holder
from ..model import events
from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.event_values import Reply, reply_of
from ..model.state import RunState
from ..model.terminal_text import clean, one_line
from ..model.translate import _, shown
from ..project import lists
from ..project.open import OpenProject
from ..project.selection import check_known
from ..reporter.documents import local_time
from .options import add_common_options, opened_or_recorded

REPLY_SECONDS = 10.0
"""How long a run may take to reply; it looks for requests five times a second."""

POLL_SECONDS = 0.05


def configure(
    parser: argparse.ArgumentParser, description: str, examples: str, *, id: str = ""
) -> None:
    """Declare the options of a command; ``id`` is the help of its feature, if it takes one."""
    parser.description, parser.epilog = description, examples
    if id:
        parser.add_argument("id", metavar="ID", help=id)
    parser.add_argument("--json", action="store_true", help=_("print the reply as one JSON object"))
    add_common_options(parser)


def landing(project: OpenProject, state: RunState) -> str:
    """The id of the landing in progress (``merge``, ``run --merge``); empty if there is none."""
    holder, run = project.lock.holder(), state.run
    if holder is None or not holder.takes_requests:
        return ""
    is_running = run is not None and run.ended_at is None and run.pid == holder.pid
    return "" if is_running else state.merge


def request(arguments: argparse.Namespace, action: ControlAction, feature: str = "") -> int:
    """Ask the current run for something and print its reply; the exit code.

    Raises :class:`UserError` if no run is in progress.
    """
    project, _fault = opened_or_recorded(arguments)
    if feature:
        check_known("", [feature], project.dag.features)
    state = project.state()
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


def running(project: OpenProject, state: RunState) -> str:
    """The id of the current run; empty if there is none.

    Raises :class:`UserError` if the run has not started yet: it may still ask its user.
    """
    holder = project.lock.holder()
    if holder is None or not holder.is_run:
        return ""
    run = state.run
    if landing(project, state):
        raise UserError(
            _("the run of pid {pid} is landing its features; it can only be stopped").format(
                pid=holder.pid
            ),
            hint="rorchestrator stop",
        )
    if run is None or run.ended_at is not None or run.pid != holder.pid:
        raise UserError(
            _("the run of pid {pid} has not started yet, or has just finished").format(
                pid=holder.pid
            ),
            hint=_("answer its question, or try again in a moment"),
        )
    return run.id


def ask(
    project: OpenProject,
    run: str,
    action: ControlAction,
    feature: str = "",
    *,
    force: bool = False,
    reply_seconds: float = REPLY_SECONDS,
) -> Reply:
    """Ask a run, and wait until its reply is in the journal.

    Raises :class:`UserError` if there is no reply in time. The request is withdrawn then.
    """
    if feature:
        lists.check_run(project, action.value, feature)
    reader, requests = Reader(project.journal.path), Requests(project.journal.folder)
    deque(reader.new_events(), maxlen=0)
    request = requests.leave(run, action, feature, force=force)
    deadline, is_running = time.monotonic() + reply_seconds, True
    while True:
        is_running = is_running and project.lock.holder() is not None
        for event in reader.new_events():
            if event.kind == "steered" and reply_of(event).request == request.id:
                return reply_of(event)
            is_running = is_running and event.kind not in ("run_ended", "run_started")
        if (not is_running or time.monotonic() >= deadline) and requests.withdraw(request):
            raise _no_reply(project, is_running, reply_seconds)
        if not is_running or time.monotonic() >= deadline + reply_seconds:
            # The run took the request, and was killed before or while it replied.
            raise UserError(
                _("the run accepted the request but did not reply"),
                hint=_("rorchestrator status shows the features"),
                exit_code=ExitCode.INCOMPLETE,
            )
        time.sleep(POLL_SECONDS)


def _no_reply(project: OpenProject, is_running: bool, seconds: float) -> UserError:
    if not is_running:
        return UserError(
            _("the run ended before it replied; nothing was changed"),
            hint="rorchestrator status",
            exit_code=ExitCode.INCOMPLETE,
        )
    holder = project.lock.holder()
    who = _(" (pid {pid})").format(pid=holder.pid) if holder else ""
    return UserError(
        _("the run{who} did not reply within {seconds:.0f} s; nothing was changed").format(
            who=who, seconds=seconds
        ),
        hint=_("the run may be suspended or the machine overloaded; try again"),
        exit_code=ExitCode.INCOMPLETE,
    )


@contextmanager
def journalling(project: OpenProject, command: str) -> Iterator[RunState]:
    """Hold the lock and open the journal, so that no run starts; gives the state."""
    project.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), command))
    try:
        repaired = project.journal.open()
        if repaired:
            print(one_line(shown(repaired)), file=sys.stderr)
        try:
            yield project.state()
        finally:
            project.journal.close()
    finally:
        project.lock.release()


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


def refusal(reply: Reply) -> UserError:
    """The error of a request that the run refused."""
    return UserError(reply.text, hint=reply.hint, exit_code=ExitCode.INCOMPLETE)
