"""`AttemptRunner`: starts Claude, follows its stream, ends its processes; backoff for retries."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Collection, Mapping

from ..claude import command_line, end_of_attempt, prompt, stream, transcript
from ..journal import private_files
from ..model import events
from ..model.errors import unwritable
from ..model.feature import Config, Feature, Retry
from ..model.frozen import dataclass, replace
from ..model.lines import LineSplitter
from ..model.mask import whole_words
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.translate import N_
from ..model.window import Window
from ..process.cancellation import first_of
from ..process.supervisor import BRISK, PATIENT, Child, Supervisor
from .context import RunContext

POLL_SECONDS = 0.2
"""How often Claude's output is read. The end of the process is noticed at once."""

LINGER_SECONDS = 10.0
"""How long Claude may be silent after its result before it is ended."""

READ_BYTES = 65536

SLICE_SECONDS = 0.05
"""How long one attempt's output is read before the others get their turn."""

LOG_BYTES = 2 * 1024**3
"""The output limit of an attempt: one that prints more could fill the disk."""

STDERR_BYTES = 16384
"""The end of standard error that may become a reason."""


@dataclass(frozen=True)
class Session:
    """Claude's session of one attempt."""

    id: str
    resume: bool = False
    kept_work: bool = False
    """Whether a new session starts on the work of an earlier one."""
    feedback: str = ""
    """Feedback in addition to the task: the check that failed, and its output."""
    task: str = ""
    """The whole prompt, if the task is not the feature itself."""


@dataclass(frozen=True)
class Log:
    """The files of one attempt."""

    prompt: str
    stdout: str
    stderr: str


async def wait_for_repetition(
    retry: Retry,
    repetition: int,
    outcome: AttemptOutcome,
    stop: asyncio.Event,
    say: Callable[[str], None],
    seconds_left: float = float("inf"),
) -> bool:
    """Wait before a repetition (from 1 on): a random time whose limit doubles each time.

    Return whether to try again: not after the last attempt, not if the wait would exceed
    ``seconds_left``, and not after a stop.
    """
    if repetition >= retry.attempts or stop.is_set():
        return False
    seconds = random.uniform(0, retry.longest_wait_seconds(repetition))
    if seconds >= seconds_left:
        return False
    again = N_("attempt {number} of {attempts} in {seconds:.0f} s").format(
        number=repetition + 1, attempts=retry.attempts, seconds=seconds
    )
    say(f"{outcome.reason}; {again}")
    return not await first_of(stop, timeout_seconds=seconds)


class AttemptRunner:
    """Runs the attempts of one run, each to its :class:`AttemptOutcome`.

    After a stop of the run or of a feature, Claude is interrupted, and the outcome is
    ``cancelled``. ``answered`` is called whenever the API has answered an attempt.
    """

    def __init__(
        self,
        config: Config,
        supervisor: Supervisor,
        context: RunContext,
        *,
        answered: Callable[[], None] = lambda: None,
        windows: Callable[[Mapping[str, Window]], None] = lambda windows: None,
        linger_seconds: float = LINGER_SECONDS,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self.config = config
        self.prompts = prompt.PromptWriter(config)
        self._of_begun: dict[str, prompt.PromptWriter] = {}
        """The writers of features that began before the list changed, by id."""
        self.supervisor = supervisor
        self.context = context
        self.linger_seconds = linger_seconds
        self.log_bytes = log_bytes
        self.answered = answered
        self.windows = windows
        self._introduced = False
        self._next_start = 0.0

    def take_up(self, config: Config, begun: Collection[str]) -> None:
        """Write the prompts of a changed list; features that have ``begun`` keep theirs."""
        self._of_begun = {id: self._of_begun.get(id, self.prompts) for id in begun}
        self.prompts = prompt.PromptWriter(config)

    async def run(
        self,
        feature: Feature,
        folder: str,
        number: int,
        session: Session,
        env: Mapping[str, str],
        max_cost_usd: float | None = None,
    ) -> AttemptOutcome:
        """Run Claude once in ``folder``, and wait for its end.

        After a stop, it is not started. ``max_cost_usd`` is the limit for the CLI itself; the
        last turn may exceed it.

        Raises :class:`~core.model.errors.StateError` if the journal or a log can't be written.
        """
        log = self._write_prompt(feature, number, session)
        stop = self.context.stop.of(feature.id)
        await self._keep_interval(stop)
        if stop.is_set():
            return AttemptOutcome(Status.CANCELLED, N_("interrupted"), Fault.INTERRUPTED)
        self.context.record(
            events.attempt_started,
            feature.id,
            attempt=number,
            session_id=session.id,
            resumed=session.resume,
            log=log.stdout,
        )
        options = self.config.claude
        if max_cost_usd is not None:
            cap = min(max_cost_usd, options.max_budget_usd or max_cost_usd)
            options = replace(options, max_budget_usd=round(cap, 4))
        try:
            child = self.supervisor.start(
                command_line.argv(
                    options,
                    feature,
                    session.id,
                    resume=session.resume,
                    checks=self.config.project.verify,
                ),
                env=command_line.environment(env, self.config.claude),
                folder=folder,
                stdin=log.prompt,
                stdout=log.stdout,
                stderr=log.stderr,
                mark=f"{feature.id}/{number}",
            )
        except OSError as error:
            raise unwritable(log.stdout, error) from None
        limit = feature.timeout_seconds or self.config.project.timeout_seconds
        limit = min(limit, self.context.deadline - time.monotonic())
        outcome = await self._watch(feature.id, child, log, limit, stop)
        if session.resume and outcome.fault is Fault.REQUEST and not outcome.usage.output_tokens:
            outcome = replace(outcome, fault=Fault.SESSION)
        # Claude names the session in its result; where there is none, it is the one we chose.
        outcome = replace(outcome, session_id=outcome.session_id or session.id)
        self.context.record(events.attempt_ended, feature.id, outcome)
        return outcome

    async def _keep_interval(self, stop: asyncio.Event) -> None:
        """Wait for ``start_interval_seconds`` after the last start."""
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self.config.project.start_interval_seconds
        if start > now:
            await first_of(stop, timeout_seconds=start - now)

    def _write_prompt(self, feature: Feature, number: int, session: Session) -> Log:
        stem = os.path.join(self.context.log_folder, f"{feature.id}.{number}")
        log = Log(f"{stem}.prompt", f"{stem}.jsonl", f"{stem}.stderr")
        text = self._prompt(feature, session)
        try:
            private_files.make_folder(self.context.log_folder, 2)
            descriptor = private_files.open_file(log.prompt, os.O_WRONLY | os.O_TRUNC)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            raise unwritable(log.prompt, error) from None
        return log

    def _prompt(self, feature: Feature, session: Session) -> str:
        if session.task:
            return session.task
        if session.resume:
            return prompt.resume(feature, session.feedback)
        writer = self._of_begun.get(feature.id, self.prompts)
        return writer.first(feature, kept_work=session.kept_work, feedback=session.feedback)

    async def _watch(
        self, id: str, child: Child, log: Log, limit_seconds: float, stop: asyncio.Event
    ) -> AttemptOutcome:
        """Follow Claude's output until the process ends or has to be ended."""
        watch = Watch(self.config.project.stall_seconds, limit_seconds, self.linger_seconds)
        stream = Stream(log.stdout)
        ended = Fault.NONE
        try:
            while not await self.supervisor.wait(child, 0.001 if stream.behind else POLL_SECONDS):
                stream.read()
                self._hear(stream)
                ended = self._reason_to_end(watch, stream, log, stop)
                if watch.lingered or ended is not Fault.NONE:
                    break
                if watch.is_worried(stream):
                    self.context.note(
                        N_("no output for {seconds:.0f} s").format(seconds=stream.silent_seconds),
                        id,
                    )
        finally:
            done = stream.transcript.waiting
            brisk = done or ended is Fault.OUTPUT
            await asyncio.shield(self.supervisor.end(child, BRISK if brisk else PATIENT))
        await stream.finish()
        self._hear(stream)
        lingered = watch.lingered
        if not stream.transcript.waiting and stop.is_set():
            # The second signal may have killed it between two looks.
            ended = ended if ended is not Fault.NONE else Fault.INTERRUPTED
        elif stream.transcript.waiting and done:
            # Its result had arrived, so it was ended after its work.
            ended, lingered = Fault.NONE, lingered or ended is not Fault.NONE
        code = 0 if lingered or child.code is None else child.code
        return end_of_attempt.outcome(
            stream.transcript, code=code, ended=ended, stderr=_tail(log.stderr)
        )

    def _reason_to_end(self, watch: Watch, stream: Stream, log: Log, stop: asyncio.Event) -> Fault:
        if stop.is_set():
            return Fault.INTERRUPTED
        if os.path.getsize(log.stdout) + os.path.getsize(log.stderr) > self.log_bytes:
            return Fault.OUTPUT
        return watch.reason_to_end(stream)

    def _hear(self, stream: Stream) -> None:
        self._introduce(stream.transcript)
        if stream.transcript.answered:
            self.answered()
        if stream.transcript.windows:
            self.windows(stream.transcript.windows)

    def _introduce(self, transcript: transcript.Transcript) -> None:
        """Note the version and the authentication once: an API key is used before a login."""
        if transcript.began and not self._introduced:
            self._introduced = True
            how = transcript.authentication or N_("unknown")
            version = transcript.version or N_("of an unknown version")
            text = N_("Claude Code {version}, authentication: {how}").format(
                version=version, how=how
            )
            for said in filter(None, (text, stream.old_version(transcript.version))):
                self.context.note(said)


class Watch:
    """The time limits of one attempt, in seconds."""

    def __init__(self, stall_seconds: float, limit_seconds: float, linger_seconds: float) -> None:
        self.stall_seconds = stall_seconds
        self.limit_seconds = limit_seconds
        self.linger_seconds = linger_seconds
        self.lingered = False
        """Whether it was silent for too long after its result."""
        self._started = time.monotonic()
        self._worried = False

    def reason_to_end(self, stream: Stream) -> Fault:
        """``TIMEOUT`` or ``STALL`` if it has to be ended."""
        silent = stream.silent_seconds
        if stream.transcript.waiting:
            self.lingered = silent >= self.linger_seconds
        if time.monotonic() - self._started >= self.limit_seconds:
            return Fault.TIMEOUT
        stalled = silent >= self.stall_seconds and not stream.transcript.waiting
        return Fault.STALL if stalled else Fault.NONE

    def is_worried(self, stream: Stream) -> bool:
        """Whether half of ``stall_seconds`` passed without output; true once for each silence."""
        long = stream.silent_seconds >= self.stall_seconds / 2 and not stream.transcript.waiting
        worried, self._worried = long and not self._worried, long
        return worried


class Stream:
    """Reads Claude's output while it grows, into a transcript for the outcome."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.transcript = transcript.Transcript()
        self._splitter = LineSplitter()
        self._offset = 0
        self._last = time.monotonic()
        self.behind = False
        """Whether more could be read than one slice of time allowed."""

    @property
    def silent_seconds(self) -> float:
        """Time since the output last grew."""
        return time.monotonic() - self._last

    def read(self) -> None:
        """Read new output for one slice of time, because other attempts wait for their turn."""
        until = time.monotonic() + SLICE_SECONDS
        self.behind = False
        with open(self.path, "rb") as file:
            file.seek(self._offset)
            while not self.behind:
                chunk = file.read(READ_BYTES)
                if not chunk:
                    break
                self._offset += len(chunk)
                self._last = time.monotonic()
                self._observe(self._splitter.feed(_worth_reading(chunk)))
                self.behind = self._last >= until

    async def finish(self) -> None:
        """Read the rest, also an incomplete last line."""
        self.read()
        while self.behind:
            await asyncio.sleep(0)
            self.read()
        self._observe(self._splitter.rest())

    def _observe(self, lines: list[bytes]) -> None:
        for line in lines:
            for message in stream.parse(line):
                self.transcript = stream.observe(self.transcript, message)


def _worth_reading(chunk: bytes) -> bytes:
    """A chunk without its whole lines if none of them is a message."""
    if b'"type"' in chunk:
        return chunk
    return chunk[: chunk.find(b"\n") + 1] + chunk[chunk.rfind(b"\n") + 1 :]


def _tail(path: str) -> str:
    """The end of a file."""
    with open(path, "rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - STDERR_BYTES)
        file.seek(start)
        text = file.read().decode("utf-8", "replace")
    return whole_words(text) if start else text
