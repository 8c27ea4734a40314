"""Brings one feature from its dependencies to its commit: worktree, Claude, a look, commit."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
import uuid
from collections.abc import Callable, Mapping

from . import claude, events, prompt
from .errors import StateError, UserError
from .events import Event
from .frozen import dataclass, field, replace
from .lines import LineSplitter
from .mask import whole_words
from .model import Action, Config, Decision, Fault, Feature, Outcome, Status, Work
from .process.environment import without_git
from .process.supervisor import BRISK, PATIENT, Child, Killed, Supervisor
from .seal import Seal, Tampered
from .slots import Turn
from .worktree import Conflict, Worktree, WorktreeManager

POLL_SECONDS = 0.2
"""How often Claude's output is read. The end of the process is noticed at once."""

LINGER_SECONDS = 10.0
"""How long Claude may go on after its result without a further word."""

MIB = 1024**2

READ_BYTES = 65536

SLICE_SECONDS = 0.05
"""How long one attempt's output may be read before the other attempts have their turn."""

LOG_BYTES = 2 * 1024**3
"""What an attempt may print in all; one that prints more would fill the disk."""

LEAST_FREE_BYTES = 64 * 1024**2
"""Nothing is started where the worktrees, or our own state, have less room than this."""

STDERR_BYTES = 16384
"""The end of standard error that may become a reason."""

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Job:
    """A feature that is due, and what earlier attempts left of it."""

    feature: Feature
    decision: Decision
    base_commit: str
    results: Mapping[str, str] = field(default_factory=dict)
    """Commit by dependency, of those whose work is not in the base already."""
    start_commit: str = ""
    """Where the feature's branch started, if a run of ours made it."""
    session_id: str = ""
    attempts: int = 0
    claude_is_done: bool = False
    """Whether the last attempt succeeded and only the commit is missing."""


@dataclass(frozen=True)
class Session:
    """Claude's session of one attempt."""

    id: str
    resume: bool = False
    kept_work: bool = False
    """Whether a new session starts on what an earlier one left in the worktree."""


@dataclass(frozen=True)
class Log:
    """The files of one attempt."""

    prompt: str
    stdout: str
    stderr: str


class ClaudeRunner:
    """Runs features of one run, each to its :class:`Outcome`; a failed one is a value.

    ``stop`` is the wish to end: Claude is then interrupted, and the outcome ``cancelled``.
    """

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        supervisor: Supervisor,
        seal: Seal,
        *,
        run: str,
        log_folder: str,
        emit: Emit,
        clock: Callable[[], float],
        stop: asyncio.Event,
        environ: Mapping[str, str],
        linger_seconds: float = LINGER_SECONDS,
        log_bytes: int = LOG_BYTES,
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self.config = config
        self.features = {feature.id: feature for feature in config.features}
        self.branches = {id: worktrees.branch(id) for id in self.features}
        self.worktrees = worktrees
        self.supervisor = supervisor
        self.seal = seal
        self.run_id = run
        self.log_folder = log_folder
        self.emit = emit
        self.clock = clock
        self.stop = stop
        self.linger_seconds = linger_seconds
        self.log_bytes = log_bytes
        self.least_free_bytes = least_free_bytes
        self._introduced = False
        self.environment = claude.environment(without_git(environ), config.claude)

    async def run(self, job: Job, turn: Turn) -> Outcome:
        """Work on a feature until it has a result, or can't have one now.

        Its worktree is made before its turn comes, so that no slot waits for git.
        Raises :class:`StateError` where what happens can't be recorded.
        """
        id = job.feature.id
        path, branch = self.worktrees.path(id), self.branches[id]
        name = job.feature.name
        no_room = self._no_room()
        if no_room is not None:
            return no_room
        self.emit(
            events.preparing(
                self.clock(), self.run_id, job.decision, branch=branch, worktree=path, name=name
            )
        )
        try:
            return await self._run(job, turn)
        except StateError:
            raise
        except Killed:
            return Outcome(Status.CANCELLED, "interrupted", Fault.INTERRUPTED)
        except UserError as error:
            hint = f"\n{error.hint}" if error.hint else ""
            fault = Fault.TAMPERED if isinstance(error, Tampered) else Fault.NONE
            return Outcome(Status.FAILED, error.message + hint, fault)

    async def _run(self, job: Job, turn: Turn) -> Outcome:
        await self.seal.check(self.worktrees.git)
        worktree, resumed = await self._prepare(job)
        if isinstance(worktree, Conflict):
            return Outcome(Status.CONFLICT, self._conflict_reason(worktree))
        admin = self.worktrees.admin_folder(worktree.path)
        await self.seal.watch(self.worktrees.git, os.path.join(admin, "config.worktree"))
        refused = await turn.begin()
        if refused:
            return Outcome(Status.CANCELLED, refused, Fault.INTERRUPTED)
        no_room = self._no_room()
        if no_room is not None:
            return no_room
        outcome = Outcome(Status.COMPLETED)
        if not (resumed and job.claude_is_done):
            outcome = await self._attempts(job, worktree, resumed)
        # Before any git command that would execute it: nobody knows who else is at work.
        await self.seal.check(self.worktrees.git)
        if outcome.status is not Status.COMPLETED:
            return outcome
        return await self._finish(job.feature, worktree, outcome)

    def _no_room(self) -> Outcome | None:
        """How a feature ends that is not even begun, because the disk is nearly full."""
        for folder in (self.log_folder, self.worktrees.folder):
            place, free = free_bytes(folder)
            if free < self.least_free_bytes:
                least = f"{self.least_free_bytes / MIB:.0f} MiB are the least to start with"
                reason = f"only {free / MIB:.0f} MiB are free in {place}, and {least}"
                hint = "free some space, then run again: what is done stays done"
                return Outcome(Status.CANCELLED, f"{reason}\n{hint}", Fault.SPACE)
        return None

    def _conflict_reason(self, conflict: Conflict) -> str:
        """Names the files and both features, and the command that mends it by hand."""
        folder = shlex.quote(self.worktrees.path(conflict.other))
        branch = self.branches.get(conflict.one, conflict.one)
        return f"{conflict}\nmerge them by hand, then run again: cd {folder} && git merge {branch}"

    # -- the worktree ---------------------------------------------------------------------

    async def _prepare(self, job: Job) -> tuple[Worktree | Conflict, bool]:
        """The feature's worktree, and whether it holds an earlier attempt's work."""
        id = job.feature.id
        if job.decision.action is Action.RESUME:
            kept = await self.worktrees.reopen(id, job.start_commit)
            if kept is not None:
                return kept, True
        if job.start_commit:
            await self._clear(job)
        start = await self.worktrees.start_commit(job.base_commit, job.results)
        if isinstance(start, Conflict):
            return start, False
        self._based(job, start)
        worktree = await self.worktrees.create(id, start)
        if self.worktrees.git.merges_without_worktree or len(job.results) < 2:
            return worktree, False
        merged = await self.worktrees.merge_rest(worktree, job.results)
        if isinstance(merged, Conflict):
            return merged, False
        self._based(job, merged)
        return replace(worktree, start_commit=merged), False

    def _based(self, job: Job, start_commit: str) -> None:
        self.emit(
            events.based(
                self.clock(),
                self.run_id,
                job.decision,
                start_commit=start_commit,
                base_commit=job.base_commit,
            )
        )

    async def _clear(self, job: Job) -> None:
        """Make room for a new start; what stands there is kept under a ref first."""
        id = job.feature.id
        if not job.attempts:
            await self.worktrees.repair(id)
        entry = await self.worktrees.entry(id)
        path = entry.path if entry is not None else ""
        kept = await self.worktrees.keep(id, self.run_id, path, job.start_commit)
        if kept.ref:
            self._note(id, f"its earlier work is kept as {kept.ref}")
        problem = await self.worktrees.remove(id, path, kept.tip)
        if problem:
            raise UserError(problem, hint="rename that branch, or switch away from it")

    def _note(self, id: str, text: str) -> None:
        self.emit(events.note(self.clock(), self.run_id, text, id))

    # -- Claude ---------------------------------------------------------------------------

    async def _attempts(self, job: Job, worktree: Worktree, resumed: bool) -> Outcome:
        """One attempt; a second where the session to be resumed turns out to be unknown."""
        number = job.attempts + 1 if resumed else 1
        if resumed and job.session_id:
            known = Session(job.session_id, resume=True)
            outcome = await self._attempt(job.feature, worktree, number, known)
            if outcome.fault is not Fault.SESSION or self.stop.is_set():
                return outcome
            number += 1
        fresh = Session(str(uuid.uuid4()), kept_work=resumed)
        return await self._attempt(job.feature, worktree, number, fresh)

    async def _attempt(
        self, feature: Feature, worktree: Worktree, number: int, session: Session
    ) -> Outcome:
        log = self._write_prompt(feature, number, session)
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
        try:
            child = self.supervisor.start(
                claude.argv(self.config.claude, feature, session.id, resume=session.resume),
                env=self.environment,
                folder=worktree.path,
                stdin=log.prompt,
                stdout=log.stdout,
                stderr=log.stderr,
                mark=f"{feature.id}/{number}",
            )
        except OSError as error:
            raise _unwritable(log.stdout, error) from None
        limit = feature.timeout_seconds or self.config.project.timeout_seconds
        outcome = await self._watch(child, log, limit)
        # Claude names the session in its result; where there is none, it is the one we chose.
        outcome = replace(outcome, session_id=outcome.session_id or session.id)
        self.emit(events.attempt_ended(self.clock(), self.run_id, feature.id, outcome))
        return outcome

    def _write_prompt(self, feature: Feature, number: int, session: Session) -> Log:
        stem = os.path.join(self.log_folder, f"{feature.id}.{number}")
        log = Log(f"{stem}.prompt", f"{stem}.jsonl", f"{stem}.stderr")
        text = (
            prompt.resume(feature)
            if session.resume
            else prompt.assemble(
                self.config, feature, self.features, self.branches, kept_work=session.kept_work
            )
        )
        try:
            # One by one: makedirs gives its mode to the last folder only.
            for folder in (os.path.dirname(self.log_folder), self.log_folder):
                os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor = os.open(log.prompt, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            raise _unwritable(log.prompt, error) from None
        return log

    async def _watch(self, child: Child, log: Log, limit_seconds: float) -> Outcome:
        """Follow Claude's output until it ends, or until it has to be ended."""
        started = time.monotonic()
        stream = Stream(log.stdout)
        ended = Fault.NONE
        lingered = False
        try:
            while not await self.supervisor.wait(child, 0.001 if stream.behind else POLL_SECONDS):
                stream.read()
                self._introduce(stream.transcript)
                silent = stream.silent_seconds >= self.linger_seconds
                lingered = stream.transcript.waiting and silent
                late = time.monotonic() - started >= limit_seconds
                ended = self._reason_to_end(log, late=late)
                if lingered or ended is not Fault.NONE:
                    break
        finally:
            done = stream.transcript.waiting
            brisk = done or ended is Fault.OUTPUT
            await asyncio.shield(self.supervisor.end(child, BRISK if brisk else PATIENT))
        await stream.finish()
        self._introduce(stream.transcript)
        if not stream.transcript.waiting and self.stop.is_set():
            # The second signal kills before anybody has looked.
            ended = ended if ended is not Fault.NONE else Fault.INTERRUPTED
        elif stream.transcript.waiting and done:
            # Its result had arrived: it was ended after its work, not before.
            ended, lingered = Fault.NONE, lingered or ended is not Fault.NONE
        code = 0 if lingered or child.code is None else child.code
        return claude.outcome(stream.transcript, code=code, ended=ended, stderr=_tail(log.stderr))

    def _introduce(self, transcript: claude.Transcript) -> None:
        """Say once who works here, and who pays: a key in the environment beats a login."""
        if transcript.began and not self._introduced:
            self._introduced = True
            source = transcript.authentication or "unknown"
            version = transcript.version or "of an unknown version"
            text = f"Claude Code {version}, authentication: {source}"
            for said in filter(None, (text, claude.old_version(transcript.version))):
                self.emit(events.note(self.clock(), self.run_id, said))

    def _reason_to_end(self, log: Log, *, late: bool) -> Fault:
        if self.stop.is_set():
            return Fault.INTERRUPTED
        if os.path.getsize(log.stdout) + os.path.getsize(log.stderr) > self.log_bytes:
            return Fault.OUTPUT
        return Fault.TIMEOUT if late else Fault.NONE

    # -- the result -----------------------------------------------------------------------

    async def _finish(self, feature: Feature, worktree: Worktree, outcome: Outcome) -> Outcome:
        """Look at what Claude left, commit it, and publish it as the feature's result."""
        self.emit(events.verifying(self.clock(), self.run_id, feature.id))
        try:
            status = await self.worktrees.look(worktree)
            if isinstance(status, str):
                return replace(outcome, status=Status.FAILED, reason=status)
            self.emit(events.committing(self.clock(), self.run_id, feature.id))
            work = await self.worktrees.commit(worktree, status, feature, self.run_id)
        except (Killed, StateError):
            raise
        except UserError as error:
            reason = "\n".join(filter(None, (error.message, error.hint)))
            return replace(outcome, status=Status.FAILED, reason=reason, fault=Fault.COMMIT)
        if not work.files_changed and not feature.allow_empty:
            return replace(outcome, status=Status.EMPTY, reason=_empty_reason(work, outcome))
        await self.worktrees.publish(feature.id, self.run_id, work.commit)
        return replace(outcome, work=work)


def _empty_reason(work: Work, outcome: Outcome) -> str:
    reason = "Claude reported success, but changed nothing"
    if work.held_back:
        reason += f" but files that are never committed unasked: {', '.join(work.held_back)}"
    if outcome.denied_tools:
        reason += f"; it was denied {', '.join(sorted(set(outcome.denied_tools)))}"
    return reason


class Stream:
    """Reads Claude's output while it grows, and keeps what the outcome depends on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.transcript = claude.Transcript()
        self._splitter = LineSplitter(worth=claude.may_hold_result)
        self._offset = 0
        self._last = time.monotonic()
        self.behind = False
        """Whether there was more to read than one slice of time allowed."""

    @property
    def silent_seconds(self) -> float:
        """Time since the output last grew."""
        return time.monotonic() - self._last

    def read(self) -> None:
        """Read what is new, for a slice of time: the others are waiting for their turn."""
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
        """Read all that is left, also a last line without an end."""
        self.read()
        while self.behind:
            await asyncio.sleep(0)
            self.read()
        self._observe(self._splitter.rest())

    def _observe(self, lines: list[bytes]) -> None:
        for line in lines:
            for message in claude.parse(line):
                self.transcript = claude.observe(self.transcript, message)


def _worth_reading(chunk: bytes) -> bytes:
    """A piece of the output, less the whole lines in it where none of them is a message."""
    if b'"type"' in chunk:
        return chunk
    return chunk[: chunk.find(b"\n") + 1] + chunk[chunk.rfind(b"\n") + 1 :]


def _unwritable(path: str, error: OSError) -> StateError:
    return StateError(
        f"{path} can't be written: {error.strerror}",
        hint="free some space or mend the permissions, then run again",
    )


def free_bytes(folder: str) -> tuple[str, int]:
    """How much room there is where ``folder`` is or would be made, and what stands there."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    info = os.statvfs(folder)
    return folder, info.f_bavail * info.f_frsize


def _tail(path: str) -> str:
    """The end of a file."""
    with open(path, "rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - STDERR_BYTES)
        file.seek(start)
        text = file.read().decode("utf-8", "replace")
    return whole_words(text) if start else text
