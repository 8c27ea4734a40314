"""Asks the current run for something by a control request, and waits for its reply."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..journal.control import Requests
from ..journal.lock import Holder
from ..journal.reader import Reader
from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.event_values import Reply, reply_of
from ..model.events import Event
from ..model.state import RunState
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..reporter.documents import local_time
from . import lists
from .open import OpenProject

REPLY_SECONDS = 10.0
"""How long a run may take to reply; it looks for requests five times a second."""

POLL_SECONDS = 0.05


def landing(project: OpenProject, state: RunState) -> str:
    """The id of the landing in progress (``merge``, ``run --merge``); empty if there is none."""
    holder, run = project.lock.holder(), state.run
    if holder is None or not holder.takes_requests:
        return ""
    is_running = run is not None and run.ended_at is None and run.pid == holder.pid
    return "" if is_running else state.merge


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
    made: Sequence[Event] = (),
    attempts: int | None = None,
    listed: str = "",
    reply_seconds: float = REPLY_SECONDS,
) -> Reply:
    """Ask a run, and wait until its reply is in the journal.

    ``made`` is what it is to record, ``listed`` the digest of the list that it is to take up.

    Raises :class:`UserError` if there is no reply in time. The request is withdrawn then.
    """
    if feature:
        lists.check_run(project, action.value, feature)
    reader, requests = Reader(project.journal.path), Requests(project.journal.folder)
    deque(reader.new_events(), maxlen=0)
    request = requests.leave(
        run, action, feature, force=force, events=made, attempts=attempts, listed=listed
    )
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


def refusal(reply: Reply) -> UserError:
    """The error of a request that the run refused."""
    return UserError(reply.text, hint=reply.hint, exit_code=ExitCode.INCOMPLETE)


@contextmanager
def journalling(project: OpenProject, command: str) -> Iterator[RunState]:
    """Hold the lock and open the journal, so that no run starts; gives the state."""
    with _journal_of(project, command):
        yield project.state()


@contextmanager
def _journal_of(project: OpenProject, command: str) -> Iterator[None]:
    project.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), command))
    try:
        repaired = project.journal.open()
        if repaired:
            print(one_line(shown(repaired)), file=sys.stderr)
        try:
            yield
        finally:
            project.journal.close()
    finally:
        project.lock.release()


def check_sender(state: RunState, may_not: str, *, of: str = "") -> None:
    """Raise :class:`UserError` in a process that a run started, such as an agent's.

    That is the last run, and the last one of the feature ``of``. ``may_not`` is the error.
    """
    from ..process.supervisor import MARK

    mark = os.environ.get(MARK, "")
    runs = {state.run.id if state.run is not None else "", state.feature(of).run} - {""}
    if any(f"{run}/" in mark for run in runs):
        raise UserError(may_not, hint=_("type the command in a terminal of your own"))


def record(project: OpenProject, command: str, made: Sequence[Event]) -> None:
    """Record events of ``command``: the current run does it, or we hold the lock for a moment.

    To record them twice must change nothing: a run that is killed may have recorded them. Raises
    :class:`UserError` if another command holds the lock for longer than a reply may take.
    """
    deadline = time.monotonic() + REPLY_SECONDS
    while made:
        try:
            return _record_once(project, command, made)
        except UserError:
            # The run may have just ended, or is about to start.
            if time.monotonic() >= deadline:
                raise
        time.sleep(POLL_SECONDS)


def _record_once(project: OpenProject, command: str, made: Sequence[Event]) -> None:
    # `push` of hundreds of features records each: without a run, nobody reads the whole journal.
    run = running(project, project.state()) if project.lock.holder() is not None else ""
    if not run:
        with _journal_of(project, command):
            for event in made:
                project.journal.append(event)
        return
    reply = ask(project, run, ControlAction.RECORD, made=made)
    if not reply.is_done:
        raise refusal(reply)
