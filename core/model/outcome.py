"""How an attempt or a feature ended: status, fault, tokens, and what was committed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from .costs import Paid
from .frozen import dataclass, field


class Status(Enum):
    """Where a feature is in its life (DESIGN: life of a feature)."""

    PENDING = "pending"
    PREPARING = "preparing"
    RUNNING = "running"
    VERIFYING = "verifying"
    COMMITTING = "committing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    EMPTY = "empty"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def words(self) -> str:
        """The status in a sentence: ``timed out``."""
        return self.value.replace("_", " ")

    @property
    def active(self) -> bool:
        """Whether a run is working on the feature right now."""
        return self in _ACTIVE

    @property
    def unsuccessful(self) -> bool:
        """Whether the feature ended without a result."""
        return self is not Status.PENDING and self is not Status.COMPLETED and not self.active


_ACTIVE = frozenset({Status.PREPARING, Status.RUNNING, Status.VERIFYING, Status.COMMITTING})


class Fault(Enum):
    """Why an attempt did not succeed, as far as it decides what happens next."""

    NONE = "none"
    """The attempt ended by its own result."""
    INTERRUPTED = "interrupted"
    TIMEOUT = "timeout"
    TRANSIENT = "transient"
    """The API or the connection failed, or the process died: another try may succeed."""
    LIMIT = "limit"
    """A usage limit: nobody gets an answer before it is lifted."""
    RATE = "rate"
    """Too many requests at once."""
    STALL = "stall"
    """Not a word for too long."""
    ACCOUNT = "account"
    """Not logged in, key refused, credit used up: every further feature would meet it."""
    USAGE = "usage"
    """The command line was refused: every further feature would meet it."""
    PROGRAM = "program"
    """Claude could not be started: every further feature would meet it."""
    SESSION = "session"
    """The session that was to be resumed is unknown, or the API refuses to continue it."""
    TURNS = "turns"
    """The turns that the list allows are used up."""
    ALLOWANCE = "allowance"
    """The money that the attempt was given is used up."""
    COMMIT = "commit"
    """git, or a hook of the user's, refused the commit; Claude's part is done."""
    GIT = "git"
    """git failed before or after Claude's part: the kept work is worth another try."""
    TAMPERED = "tampered"
    """What git would execute in the repository was changed while agents were at work."""
    REQUEST = "request"
    """The API refused this request: the session can't go on, the kept work can."""
    SETUP = "setup"
    """The worktree could not be made ready: no word was said to Claude."""
    BUDGET = "budget"
    """What the run, or the feature, may cost is used up."""
    CHECK = "check"
    """A check stayed red, or something promised is not there."""
    OUTPUT = "output"
    """It printed more than we keep."""
    SPACE = "space"
    """There is too little room on the disk: every further feature would meet it."""

    @property
    def resumable(self) -> bool:
        """Whether the attempt ended from outside, so that its session is worth resuming."""
        return self in _RESUMABLE

    @property
    def fatal(self) -> bool:
        """Whether every further feature would meet the same fault."""
        return self in (
            Fault.ACCOUNT,
            Fault.USAGE,
            Fault.PROGRAM,
            Fault.TAMPERED,
            Fault.SPACE,
        )


_RESUMABLE = frozenset(
    {
        Fault.INTERRUPTED,
        Fault.TIMEOUT,
        Fault.TRANSIENT,
        Fault.LIMIT,
        Fault.RATE,
        Fault.STALL,
        Fault.BUDGET,
        Fault.ACCOUNT,
        Fault.TURNS,
        Fault.ALLOWANCE,
        Fault.USAGE,
        Fault.PROGRAM,
        Fault.SESSION,
        Fault.REQUEST,
        Fault.COMMIT,
        Fault.GIT,
        Fault.TAMPERED,
        Fault.SPACE,
    }
)


@dataclass(frozen=True)
class Usage:
    """Tokens of an attempt, as the result line's ``modelUsage`` (else ``usage``) counts them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_creation_input_tokens + other.cache_creation_input_tokens,
            self.cache_read_input_tokens + other.cache_read_input_tokens,
        )


@dataclass(frozen=True)
class Work:
    """What a feature's branch holds beyond the commit that it started from."""

    commit: str
    files_changed: int = 0
    insertions: int = 0
    deletions: int = 0
    held_back: tuple[str, ...] = ()
    """New files that were left uncommitted on purpose: secrets, huge files, nested repositories,
    build products."""


@dataclass(frozen=True)
class Stray:
    """A worktree, a branch or both that came up during a run and that no run made."""

    worktree: str = ""
    branch: str = ""
    commit: str = ""

    def __str__(self) -> str:
        if not self.worktree:
            return f"the branch {self.branch} ({self.commit[:10]})"
        where = f"branch {self.branch}" if self.branch else f"at {self.commit[:10]}"
        return f"the worktree {self.worktree} ({where})"


class Stage(Enum):
    """The commands of the list among which one failed."""

    NONE = ""
    SETUP = "setup"
    CHECK = "check"
    TEARDOWN = "teardown"


@dataclass(frozen=True)
class FeatureOutcome:
    """How a feature ended in a run."""

    status: Status
    reason: str = ""
    fault: Fault = Fault.NONE
    work: Work | None = None
    """Its result, if it has one."""
    stage: Stage = Stage.NONE
    """Where a command of the list failed."""


@dataclass(frozen=True)
class AttemptOutcome:
    """How one process of Claude ended, and what it used."""

    status: Status
    reason: str = ""
    fault: Fault = Fault.NONE
    cost_usd: float | None = None
    """``None`` if it ended without reporting its cost."""
    usage: Usage = Usage()
    duration_ms: int = 0
    num_turns: int = 0
    session_id: str = ""
    result: str = ""
    denied_tools: tuple[str, ...] = ()
    resets_at: float | None = None
    """When the usage limit is lifted, in seconds since 1970, if the CLI said so."""
    paid: Mapping[str, Paid] = field(default_factory=dict)
    """By model, what the results reported."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """By model, the input and cache tokens of the messages, where the cost is unknown."""
    session_cost_usd: float | None = None
    """What the session cost over all its processes, where the CLI says so."""
