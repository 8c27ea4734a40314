"""What steers a run has in common: a request is left for it, and the journal has its answer."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..journal.control import Requests
from ..journal.journal import Reader
from ..journal.lock import Holder
from ..model import events
from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.state import RunState
from ..model.terminal_text import clean, one_line
from ..project import lists
from ..project.open import OpenProject
from ..project.selection import check_known
from ..reporter.documents import local_time
from .options import add_common_options, opened_or_recorded

ANSWER_SECONDS = 10.0
"""How long a run may take to answer; it looks five times a second."""

POLL_SECONDS = 0.05


def configure(
    parser: argparse.ArgumentParser, description: str, examples: str, *, id: str = ""
) -> None:
    """Tell argparse of a command that steers; ``id`` is the help of its feature, if it has one."""
    parser.description, parser.epilog = description, examples
    if id:
        parser.add_argument("id", metavar="ID", help=id)
    parser.add_argument("--json", action="store_true", help="print the reply as one JSON object")
    add_common_options(parser)


def landing(project: OpenProject, state: RunState) -> str:
    """The id of the landing that is in progress, by ``merge`` or by ``run --merge``; else empty."""
    holder, run = project.lock.holder(), state.run
    if holder is None or holder.command not in ("run", "merge"):
        return ""
    is_running = run is not None and run.ended_at is None and run.pid == holder.pid
    return "" if is_running else state.merge


def wish(arguments: argparse.Namespace, action: ControlAction, feature: str = "") -> int:
    """Ask the run that is on for something; the exit code. There has to be one."""
    project, _ = opened_or_recorded(arguments)
    if feature:
        check_known("", [feature], project.dag.features)
    state = project.state()
    run = landing(project, state) or running(project, state)
    if not run:
        holder = project.lock.holder()
        if holder is not None:
            raise UserError(
                f"rorchestrator {holder.command} (pid {holder.pid}) is in progress, and no run: "
                f"there is nothing to {action.value}",
                hint="wait for it, or press Ctrl-C in its terminal",
            )
        raise UserError(
            f"no run in progress in this repository: nothing to {action.value}",
            hint="rorchestrator status shows the features, rorchestrator run starts a run",
        )
    return told(arguments, ask(project, run, action, feature))


def running(project: OpenProject, state: RunState) -> str:
    """The id of the run that is on; empty where there is none.

    Raises :class:`UserError` for one that has not begun: it may still ask its user.
    """
    holder = project.lock.holder()
    if holder is None or holder.command != "run":
        return ""
    run = state.run
    if landing(project, state):
        raise UserError(
            f"the run of pid {holder.pid} is landing its features: it can only be stopped",
            hint="rorchestrator stop",
        )
    if run is None or run.ended_at is not None or run.pid != holder.pid:
        raise UserError(
            f"the run of pid {holder.pid} has not started yet, or has just finished",
            hint="answer its question, or type this again in a moment",
        )
    return run.id


def ask(
    project: OpenProject,
    run: str,
    action: ControlAction,
    feature: str = "",
    *,
    force: bool = False,
    answer_seconds: float = ANSWER_SECONDS,
) -> Event:
    """Ask a run, and wait for its answer, as the journal has it.

    Raises :class:`UserError` where there is none in time; the run has then not heard of it.
    """
    if feature:
        lists.check_run(project, action.value, feature)
    reader, requests = Reader(project.journal.path), Requests(project.journal.folder)
    for _ in reader.new_events():
        pass
    request = requests.leave(run, action, feature, force=force)
    deadline, is_on = time.monotonic() + answer_seconds, True
    while True:
        is_on = is_on and project.lock.holder() is not None
        for event in reader.new_events():
            if event.kind == "steered" and event.data.get("request") == request.id:
                return event
            is_on = is_on and event.kind not in ("run_ended", "run_started")
        if (not is_on or time.monotonic() >= deadline) and requests.withdraw(request):
            raise _silence(project, is_on, answer_seconds)
        if not is_on or time.monotonic() >= deadline + answer_seconds:
            # It has taken the request, and was killed before, or while, it answered.
            raise UserError(
                "the run accepted the request but did not reply",
                hint="rorchestrator status shows where everything stands",
                exit_code=ExitCode.INCOMPLETE,
            )
        time.sleep(POLL_SECONDS)


def _silence(project: OpenProject, is_on: bool, seconds: float) -> UserError:
    if not is_on:
        return UserError(
            "the run ended before it replied; nothing was changed",
            hint="rorchestrator status",
            exit_code=ExitCode.INCOMPLETE,
        )
    holder = project.lock.holder()
    who = f" (pid {holder.pid})" if holder else ""
    return UserError(
        f"the run{who} did not answer within {seconds:.0f} s: nothing was changed",
        hint="the run may be suspended or the machine overloaded; try again",
        exit_code=ExitCode.INCOMPLETE,
    )


@contextmanager
def journalling(project: OpenProject, command: str) -> Iterator[RunState]:
    """Hold the lock for a moment, in which no run is on; what the journal tells then."""
    project.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), command))
    try:
        repaired = project.journal.open()
        if repaired:
            print(one_line(repaired), file=sys.stderr)
        try:
            yield project.state()
        finally:
            project.journal.close()
    finally:
        project.lock.release()


def note(
    project: OpenProject, action: ControlAction, id: str, text: str, *, force: bool = False
) -> Event:
    """Journal what was done without a run."""
    return project.journal.append(
        events.steered(
            time.time(),
            *("", id),
            action=action,
            request="",
            done=True,
            text=text,
            force=force,
            owner=project.owner,
        )
    )


def told(arguments: argparse.Namespace, answer: Event) -> int:
    """Show what came of it; the exit code."""
    done = answer.data.get("done") is True
    text, hint = str(answer.data.get("text", "")), str(answer.data.get("hint", ""))
    if arguments.json:
        document = {
            "action": answer.data.get("action"),
            "feature": answer.feature or None,
            "done": done,
            "text": text,
            "hint": hint or None,
            "run": answer.run or None,
        }
        print(json.dumps(document))
    elif done:
        print(clean(text))
    else:
        raise UserError(text, hint=hint, exit_code=ExitCode.INCOMPLETE)
    return ExitCode.UP_TO_DATE if done else ExitCode.INCOMPLETE
