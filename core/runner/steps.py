"""`StepRunner`: runs one command of the feature list: a setup, check or teardown command."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress

from ..journal import private_files
from ..model.english import duration
from ..model.errors import unwritable
from ..model.feature import Command
from ..model.frozen import dataclass
from ..model.mask import Mask, whole_words
from ..model.moments import moment
from ..model.outcome import Stage
from ..model.translate import N_
from ..process.supervisor import BRISK, Supervisor
from ..worktree.names import feature_of
from .context import RunContext

POLL_SECONDS = 0.2

LOG_BYTES = 1024**3
"""The log limit of one command: one that prints more could fill the disk."""

TAIL_LINES = 200
TAIL_BYTES = 64 * 1024

LOGS = {Stage.SETUP: "setup", Stage.CHECK: "verify", Stage.TEARDOWN: "teardown"}
"""The names of the logs, after the keys of the feature list."""


@dataclass(frozen=True)
class Step:
    """How one command ended, and the end of its output."""

    command: Command
    stage: Stage
    code: int
    """Negative if a signal ended it."""
    seconds: float
    tail: str
    timed_out: bool = False
    interrupted: bool = False
    flooded: bool = False
    """Whether it printed more than the log limit."""

    @property
    def passed(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.code == 0 and not (self.timed_out or self.interrupted or self.flooded)

    def __str__(self) -> str:
        return self._filled(self._how[1])

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        return self._filled(self._how[0])

    @property
    def _how(self) -> tuple[str, str]:
        """How it ended, as the end of a sentence and as a whole one."""
        if self.interrupted:
            return N_("was interrupted"), N_("`{command}` was interrupted")
        if self.flooded:
            log = N_("printed more than the log limit")
            return log, N_("`{command}` printed more than the log limit")
        if self.timed_out:
            late = N_("did not end within {seconds:.0f} s")
            return late, N_("`{command}` did not end within {seconds:.0f} s")
        if self.code < 0:
            return N_("ended with signal {code}"), N_("`{command}` ended with signal {code}")
        return N_("ended with exit {code}"), N_("`{command}` ended with exit {code}")

    def _filled(self, text: str) -> str:
        return text.format(command=self.command.line, code=abs(self.code), seconds=self.seconds)


class StepRunner:
    """Runs the commands of one run, each to its end with all processes that it started.

    A command is ended when the run or its feature is stopped, or at the deadline of the run.
    """

    def __init__(self, supervisor: Supervisor, context: RunContext) -> None:
        self.supervisor = supervisor
        self.context = context
        self.deadline = context.deadline

    def is_to_end(self, name: str) -> bool:
        """Whether a worktree, or its feature, was stopped, or the time of the run is over."""
        is_late = time.monotonic() >= self.deadline
        return is_late or any(map(self.context.stop.is_for, (name, feature_of(name))))

    async def run(
        self,
        command: Command,
        stage: Stage,
        *,
        name: str,
        folder: str,
        env: Mapping[str, str],
        limit_seconds: float,
    ) -> Step:
        """Run a command in the worktree ``folder``, which is called ``name``.

        After a stop, nothing is started. Raises :class:`~core.model.errors.StateError` if the log
        can't be written.
        """
        if self.is_to_end(name):
            return Step(command, stage, 0, 0.0, "", interrupted=True)
        log = os.path.join(self.context.log_folder, f"{name}.{LOGS[stage]}.log")
        begun = time.monotonic()
        head = f"[in {folder}, {moment(self.context.clock())}]"
        start = _open_log(log, Mask(env)(f"$ {command.line}\n{head}\n"))
        try:
            child = self.supervisor.start(
                command.argv,
                env=env,
                folder=folder,
                stdin=os.devnull,
                stdout=log,
                stderr=log,
                mark=f"{name}/{LOGS[stage]}",
            )
        except OSError as error:
            raise unwritable(log, error) from None
        timed_out = interrupted = flooded = False
        try:
            while not await self.supervisor.wait(child, POLL_SECONDS):
                interrupted = self.is_to_end(name)
                timed_out = time.monotonic() - begun >= limit_seconds
                flooded = os.path.getsize(log) - start > LOG_BYTES
                if interrupted or timed_out or flooded:
                    break
        finally:
            await asyncio.shield(self.supervisor.end(child, BRISK))
        code = 0 if child.code is None else child.code
        # The second signal may have killed it between two looks.
        interrupted = interrupted or (code != 0 and self.context.stop.is_for(feature_of(name)))
        seconds = time.monotonic() - begun
        tail = Mask(env)(_tail(log, start))  # The report and Claude get it.
        step = Step(command, stage, code, seconds, tail, timed_out, interrupted, flooded)
        _close_log(log, f"[{step.ending} after {duration(seconds)}]")
        return step


def _open_log(path: str, head: str) -> int:
    """Write the command, its place and its time to the log, and return the size of the log."""
    try:
        private_files.make_folder(os.path.dirname(path), 2)
        descriptor = private_files.open_file(path, os.O_WRONLY | os.O_APPEND)
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(head)
            file.flush()
            return os.fstat(descriptor).st_size
    except OSError as error:
        raise unwritable(path, error) from None


def _close_log(path: str, ending: str) -> None:
    """Write to the log how the command ended, on a line of its own."""
    with suppress(OSError), open(path, "rb+") as file:
        file.seek(-1, os.SEEK_END)
        file.write((b"" if file.read() == b"\n" else b"\n") + f"{ending}\n".encode())


def _tail(path: str, start: int) -> str:
    with open(path, "rb") as file:
        begin = max(start, os.fstat(file.fileno()).st_size - TAIL_BYTES)
        file.seek(begin)
        text = file.read().decode("utf-8", "replace")
    if begin > start:
        text = whole_words(text)  # The mask would not recognise half a secret.
    return "\n".join(text.splitlines()[-TAIL_LINES:])
