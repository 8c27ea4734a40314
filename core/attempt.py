"""One attempt: Claude is started in a worktree, followed, and ended with all that it started."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from . import claude, events, prompt
from .errors import unwritable
from .events import Event
from .frozen import dataclass, replace
from .lines import LineSplitter
from .model import Config, Fault, Feature, Outcome
from .process.supervisor import BRISK, PATIENT, Child, Supervisor

POLL_SECONDS = 0.2
"""How often Claude's output is read. The end of the process is noticed at once."""

LINGER_SECONDS = 10.0
"""How long Claude may go on after its result without a further word."""

READ_BYTES = 65536

STDERR_BYTES = 16384
"""The end of standard error that may become a reason."""

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Session:
    """Claude's session of one attempt."""

    id: str
    resume: bool = False
    kept_work: bool = False
    """Whether a new session starts on what an earlier one left in the worktree."""
    told: str = ""
    """What it is told beyond its task: which check is red, and what that printed."""


@dataclass(frozen=True)
class Log:
    """The files of one attempt."""

    prompt: str
    stdout: str
    stderr: str


class AttemptRunner:
    """Runs Claude for the features of one run, each attempt to its :class:`Outcome`.

    ``stop`` is the wish to end: Claude is then interrupted, and the outcome ``cancelled``.
    """

    def __init__(
        self,
        config: Config,
        branches: Mapping[str, str],
        supervisor: Supervisor,
        *,
        run: str,
        log_folder: str,
        emit: Emit,
        clock: Callable[[], float],
        stop: asyncio.Event,
        answered: Callable[[], None] = lambda: None,
        deadline: float = float("inf"),
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self.config = config
        self.features = {feature.id: feature for feature in config.features}
        self.branches = branches
        self.supervisor = supervisor
        self.run_id = run
        self.log_folder = log_folder
        self.emit = emit
        self.clock = clock
        self.stop = stop
        self.linger_seconds = linger_seconds
        self.answered = answered
        self.deadline = deadline
        """When the whole run has to be over, by the monotonic clock."""
        self._introduced = False
        self._next_start = 0.0

    async def run(
        self,
        feature: Feature,
        folder: str,
        number: int,
        session: Session,
        env: Mapping[str, str],
        max_cost_usd: float | None = None,
    ) -> Outcome:
        """Run Claude once in ``folder``, and wait until it is gone.

        ``max_cost_usd`` is what the CLI itself is told to keep to; a turn may go beyond it.

        Raises :class:`~core.errors.StateError` where what happens can't be recorded.
        """
        log = self._write_prompt(feature, number, session)
        await self._keep_interval()
        self.emit(
            events.attempt_started(
                self.clock(),
                self.run_id,
                feature.id,
                attempt=number,
                session_id=session.id,
                resumed=session.resume,
                log=log.stdout,
            )
        )
        options = self.config.claude
        if max_cost_usd is not None:
            cap = min(max_cost_usd, options.max_budget_usd or max_cost_usd)
            options = replace(options, max_budget_usd=round(cap, 4))
        try:
            child = self.supervisor.start(
                claude.argv(options, feature, session.id, resume=session.resume),
                env=claude.environment(env, self.config.claude),
                folder=folder,
                stdin=log.prompt,
                stdout=log.stdout,
                stderr=log.stderr,
                mark=f"{feature.id}/{number}",
            )
        except OSError as error:
            raise unwritable(log.stdout, error) from None
        limit = feature.timeout_seconds or self.config.project.timeout_seconds
        limit = min(limit, self.deadline - time.monotonic())
        outcome = await self._watch(feature.id, child, log, limit)
        # Claude names the session in its result; where there is none, it is the one we chose.
        outcome = replace(outcome, session_id=outcome.session_id or session.id)
        self.emit(events.attempt_ended(self.clock(), self.run_id, feature.id, outcome))
        return outcome

    async def _keep_interval(self) -> None:
        """Wait until the last start is long enough ago."""
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self.config.project.start_interval_seconds
        if start > now:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.stop.wait(), start - now)

    def _write_prompt(self, feature: Feature, number: int, session: Session) -> Log:
        stem = os.path.join(self.log_folder, f"{feature.id}.{number}")
        log = Log(f"{stem}.prompt", f"{stem}.jsonl", f"{stem}.stderr")
        text = self._prompt(feature, session)
        try:
            os.makedirs(self.log_folder, mode=0o700, exist_ok=True)
            descriptor = os.open(log.prompt, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            raise unwritable(log.prompt, error) from None
        return log

    def _prompt(self, feature: Feature, session: Session) -> str:
        if session.resume:
            return prompt.resume(feature, session.told)
        return prompt.assemble(
            self.config,
            feature,
            self.features,
            self.branches,
            kept_work=session.kept_work,
            told=session.told,
        )

    async def _watch(self, id: str, child: Child, log: Log, limit_seconds: float) -> Outcome:
        """Follow Claude's output until it ends, or until it has to be ended."""
        watch = Watch(self.config.project.stall_seconds, limit_seconds, self.linger_seconds)
        stream = Stream(log.stdout)
        ended = Fault.NONE
        try:
            while not await self.supervisor.wait(child, POLL_SECONDS):
                self._read(stream)
                ended = Fault.INTERRUPTED if self.stop.is_set() else watch.reason_to_end(stream)
                if watch.lingered or ended is not Fault.NONE:
                    break
                if watch.is_worried(stream):
                    self._note(f"not a word for {stream.silent_seconds:.0f} s", id)
        finally:
            done = stream.transcript.waiting
            await asyncio.shield(self.supervisor.end(child, BRISK if done else PATIENT))
        self._read(stream, rest=True)
        lingered = watch.lingered
        if not stream.transcript.waiting and self.stop.is_set():
            # The second signal kills before anybody has looked.
            ended = ended if ended is not Fault.NONE else Fault.INTERRUPTED
        elif stream.transcript.waiting and done:
            # Its result had arrived: it was ended after its work, not before.
            ended, lingered = Fault.NONE, lingered or ended is not Fault.NONE
        code = 0 if lingered or child.code is None else child.code
        return claude.outcome(stream.transcript, code=code, ended=ended, stderr=_tail(log.stderr))

    def _read(self, stream: Stream, *, rest: bool = False) -> None:
        stream.read(rest=rest)
        self._introduce(stream.transcript)
        if stream.transcript.answered:
            self.answered()

    def _note(self, text: str, id: str = "") -> None:
        self.emit(events.note(self.clock(), self.run_id, text, id))

    def _introduce(self, transcript: claude.Transcript) -> None:
        """Say once who works here, and who pays: a key in the environment beats a login."""
        if transcript.began and not self._introduced:
            self._introduced = True
            source = transcript.authentication or "unknown"
            version = transcript.version or "of an unknown version"
            text = f"Claude Code {version}, authentication: {source}"
            self._note(text)


class Watch:
    """The times that one attempt has to keep, in seconds."""

    def __init__(self, stall_seconds: float, limit_seconds: float, linger_seconds: float) -> None:
        self.stall_seconds = stall_seconds
        self.limit_seconds = limit_seconds
        self.linger_seconds = linger_seconds
        self.lingered = False
        """Whether it went on after its result without a further word."""
        self._started = time.monotonic()
        self._worried = False

    def reason_to_end(self, stream: Stream) -> Fault:
        """``TIMEOUT`` or ``STALL``, if it has to be ended before its result."""
        silent = stream.silent_seconds
        if stream.transcript.waiting:
            self.lingered = silent >= self.linger_seconds
        if time.monotonic() - self._started >= self.limit_seconds:
            return Fault.TIMEOUT
        stalled = silent >= self.stall_seconds and not stream.transcript.waiting
        return Fault.STALL if stalled else Fault.NONE

    def is_worried(self, stream: Stream) -> bool:
        """Whether half of the time that it may be silent is over; said once a silence."""
        long = stream.silent_seconds >= self.stall_seconds / 2 and not stream.transcript.waiting
        worried, self._worried = long and not self._worried, long
        return worried


class Stream:
    """Reads Claude's output while it grows, and keeps what the outcome depends on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.transcript = claude.Transcript()
        self._splitter = LineSplitter()
        self._offset = 0
        self._last = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """Time since the output last grew."""
        return time.monotonic() - self._last

    def read(self, *, rest: bool = False) -> None:
        """Read what is new; with ``rest`` also a last line without an end."""
        with open(self.path, "rb") as file:
            file.seek(self._offset)
            while True:
                chunk = file.read(READ_BYTES)
                if not chunk:
                    break
                self._offset += len(chunk)
                self._last = time.monotonic()
                self._observe(self._splitter.feed(chunk))
        if rest:
            self._observe(self._splitter.rest())

    def _observe(self, lines: list[bytes]) -> None:
        for line in lines:
            for message in claude.parse(line):
                self.transcript = claude.observe(self.transcript, message)


def _tail(path: str) -> str:
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - STDERR_BYTES))
        return file.read().decode("utf-8", "replace")
