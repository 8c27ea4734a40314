"""``run --detach``: after the question, the run goes on in the background."""

from __future__ import annotations

import os
import shlex
import sys
import time
from contextlib import suppress

from ..journal import private_files
from ..journal.lock import Holder
from ..model.errors import ExitCode, unwritable
from ..model.events import Event
from ..model.state import RunState
from ..model.terminal_text import clean
from ..model.translate import _
from ..process.detach import Foreground, detach
from ..project.open import OpenProject
from ..reporter.documents import local_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

LINES = "run.log"
"""The file with the lines of a detached run, in the folder of its logs."""

SHOWN_BYTES = 16_384
"""At most this much of a run's output is shown: its end if it did not start."""


def go_on_in_background(project: OpenProject, run: str) -> Callable[[RunState, Event], None]:
    """Return in the background only, with a listener that tells the foreground of the start.

    The foreground prints where the lines go and ends with exit code 0; if the run ends before it
    has started, with its exit code and its lines. Raises :class:`UserError` if the file of the
    lines can't be written.
    """
    path = os.path.join(project.journal.folder, "logs", run, LINES)
    try:
        private_files.make_folder(os.path.dirname(path), 2)
        output = private_files.open_file(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise unwritable(path, error) from None
    got = detach(output)
    if isinstance(got, Foreground):
        os.close(output)
        project.lock.hand_over(Holder(os.getpid(), str(local_time(time.time())), "run"))
        return _teller(got)
    if got.code is None:
        page = _about_page(os.pread(output, SHOWN_BYTES, 0).decode("utf-8", "replace"))
        sys.stdout.write(started(got.pid, path, page))
        _leave(ExitCode.UP_TO_DATE)
    size = os.fstat(output).st_size
    said = os.pread(output, SHOWN_BYTES, max(0, size - SHOWN_BYTES))
    sys.stderr.write(said.decode("utf-8", "replace"))
    _leave(got.code)


def _teller(foreground: Foreground) -> Callable[[RunState, Event], None]:
    def on_event(_: RunState, event: Event) -> None:
        if event.kind == "run_started":
            foreground.started()

    return on_event


def _about_page(said: str) -> str:
    """The line about the page of the run, which comes before its start; empty without one."""
    from ..views.web.beside import ADDRESS, NO_PAGE

    # As the lines were printed: without no-break spaces.
    beginnings = tuple(clean(_(each)).partition("{")[0] for each in (ADDRESS, NO_PAGE))
    lines = (line for line in said.splitlines() if line.startswith(beginnings))
    return next((f"{line}\n" for line in lines), "")


def started(pid: int, path: str, page: str = "") -> str:
    """What the foreground prints: where the lines go, how to watch and how to stop the run."""
    return _(
        "The run goes on in the background (pid {pid}). Its lines go to\n  "
        "{path}\nTo watch it: rorchestrator watch\nTo stop it: rorchestrator "
        "stop\n{page}"
    ).format(pid=pid, path=shlex.quote(path), page=page)


def _leave(code: int) -> NoReturn:
    """End without cleaning up: the lock and the temporary folders belong to the background now."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)
