"""Runs the list's own commands: setup, checks, teardown."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping

from ..journal import private_files
from ..model.errors import unwritable
from ..model.feature import Command
from ..model.frozen import dataclass
from ..model.mask import Mask, whole_words
from ..process.cancellation import Cancellation
from ..process.supervisor import BRISK, Supervisor

POLL_SECONDS = 0.2

LOG_BYTES = 1024**3
"""What one command may print; one that prints more would fill the disk."""

TAIL_LINES = 200
TAIL_BYTES = 64 * 1024


@dataclass(frozen=True)
class Step:
    """How one command ended, and the end of what it printed."""

    command: Command
    code: int
    """Negative where a signal ended it."""
    seconds: float
    tail: str
    timed_out: bool = False
    interrupted: bool = False
    flooded: bool = False
    """Whether it printed more than the log limit."""

    @property
    def passed(self) -> bool:
        """Whether it did what it was to do."""
        return self.code == 0 and not (self.timed_out or self.interrupted or self.flooded)

    def __str__(self) -> str:
        return f"`{self.command.line}` {self.ending}"

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.interrupted:
            return "was interrupted"
        if self.flooded:
            return "printed more than the log limit"
        if self.timed_out:
            return f"did not end within {self.seconds:.0f} s"
        return (
            f"ended with signal {-self.code}" if self.code < 0 else f"ended with exit {self.code}"
        )


class StepRunner:
    """Runs commands one after the other; ``stop`` is the wish to end, all or one feature's.

    ``deadline``, by the monotonic clock, is such a wish as well.
    """

    def __init__(
        self, supervisor: Supervisor, stop: Cancellation, deadline: float = float("inf")
    ) -> None:
        self.supervisor = supervisor
        self.stop = stop
        self.deadline = deadline

    def is_to_end(self, feature: str) -> bool:
        """Whether nothing of a feature's is to be begun, and what goes on is to be ended."""
        return self.stop.is_for(feature) or time.monotonic() >= self.deadline

    async def run(
        self,
        command: Command,
        *,
        folder: str,
        env: Mapping[str, str],
        log: str,
        limit_seconds: float,
        mark: str,
        feature: str = "",
    ) -> Step:
        """Run a command of ``feature`` to its end, with all that it started; it prints to ``log``.

        Once the wish to end is there, nothing is begun. Raises
        :class:`~core.errors.StateError` where ``log`` can't be written.
        """
        if self.is_to_end(feature):
            return Step(command, 0, 0.0, "", interrupted=True)
        begun = time.monotonic()
        start = _open_log(log, Mask(env)(command.line))
        try:
            child = self.supervisor.start(
                command.argv,
                env=env,
                folder=folder,
                stdin=os.devnull,
                stdout=log,
                stderr=log,
                mark=mark,
            )
        except OSError as error:
            raise unwritable(log, error) from None
        timed_out = interrupted = flooded = False
        try:
            while not await self.supervisor.wait(child, POLL_SECONDS):
                interrupted = self.is_to_end(feature)
                timed_out = time.monotonic() - begun >= limit_seconds
                flooded = os.path.getsize(log) - start > LOG_BYTES
                if interrupted or timed_out or flooded:
                    break
        finally:
            await asyncio.shield(self.supervisor.end(child, BRISK))
        code = 0 if child.code is None else child.code
        # The second signal kills before anybody has looked.
        interrupted = interrupted or (code != 0 and self.stop.is_for(feature))
        seconds = time.monotonic() - begun
        tail = Mask(env)(_tail(log, start))  # it goes into the report, and to Claude
        return Step(command, code, seconds, tail, timed_out, interrupted, flooded)


def _open_log(path: str, line: str) -> int:
    """Write a command's line to its log; how long the log is then."""
    try:
        private_files.make_folder(os.path.dirname(path), 2)
        descriptor = private_files.open_file(path, os.O_WRONLY | os.O_APPEND)
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"$ {line}\n")
            file.flush()
            return os.fstat(descriptor).st_size
    except OSError as error:
        raise unwritable(path, error) from None


def _tail(path: str, start: int) -> str:
    with open(path, "rb") as file:
        begin = max(start, os.fstat(file.fileno()).st_size - TAIL_BYTES)
        file.seek(begin)
        text = file.read().decode("utf-8", "replace")
    if begin > start:
        text = whole_words(text)  # else half a secret may be left, which no mask knows
    return "\n".join(text.splitlines()[-TAIL_LINES:])
