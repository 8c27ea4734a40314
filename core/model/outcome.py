"""How an attempt or a feature ended: status, fault, tokens, and what was committed."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Enum, dataclass, field
from .translate import N_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .costs import Paid


class Status(Enum):
    """The state of a feature."""

    PENDING = N_("pending")
    PREPARING = N_("preparing")
    RUNNING = N_("running")
    VERIFYING = N_("verifying")
    COMMITTING = N_("committing")
    COMPLETED = N_("completed")
    FAILED = N_("failed")
    TIMED_OUT = "timed_out"
    EMPTY = N_("empty")
    CONFLICT = N_("conflict")
    BLOCKED = N_("blocked")
    CANCELLED = N_("cancelled")
    SKIPPED = N_("skipped")

    @property
    def words(self) -> str:
        """The status in a sentence: ``timed out``."""
        return N_("timed out") if self is Status.TIMED_OUT else self.value

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
    """Why an attempt or a feature did not succeed; this decides what happens next."""

    NONE = "none"
    """It ended by its own result."""
    INTERRUPTED = "interrupted"
    TIMEOUT = "timeout"
    TRANSIENT = "transient"
    """The API or the connection failed, or the process died: another attempt may succeed."""
    LIMIT = "limit"
    """A usage limit: the API answers nobody before the reset."""
    RATE = "rate"
    """Too many requests at once."""
    STALL = "stall"
    """No output for too long."""
    ACCOUNT = "account"
    """Not logged in, key refused, no credit left: every further feature would fail the same way."""
    USAGE = "usage"
    """The CLI refused its arguments: every further feature would fail the same way."""
    PROGRAM = "program"
    """Claude could not be started: every further feature would fail the same way."""
    SESSION = "session"
    """The session to resume is unknown, or the API refuses to continue it."""
    TURNS = "turns"
    """The turns that the list allows are used up (`max_turns`)."""
    ALLOWANCE = "allowance"
    """The money granted to the attempt is used up."""
    COMMIT = "commit"
    """git or one of the user's hooks refused the commit; Claude is done."""
    GIT = "git"
    """git failed before or after Claude ran: the next run resumes with the work."""
    TAMPERED = "tampered"
    """What git executes in the repository changed while agents were running."""
    REQUEST = "request"
    """The API refused this request: the session can't continue, but the work can."""
    SETUP = "setup"
    """The worktree could not be prepared; Claude was not started."""
    BUDGET = "budget"
    """The budget of the run or the feature is used up."""
    CHECK = "check"
    """A check kept failing, or a contract is not kept."""
    OUTPUT = "output"
    """It printed more than the log limit."""
    SPACE = "space"
    """The disk is nearly full: every further feature would fail the same way."""

    @property
    def resumable(self) -> bool:
        """Whether the cause is outside of the work, so that resuming the session makes sense."""
        return self in _RESUMABLE

    @property
    def fatal(self) -> bool:
        """Whether every further feature would fail the same way."""
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
    """Tokens of an attempt, from ``modelUsage`` of the result line, else from ``usage``."""

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
    """The result of a feature: what its branch adds to the commit that it started from."""

    commit: str
    files_changed: int = 0
    insertions: int = 0
    deletions: int = 0
    held_back: tuple[str, ...] = ()
    """New files left uncommitted on purpose: secrets, huge files, nested repositories, build
    products."""


@dataclass(frozen=True)
class Stray:
    """A worktree or branch that appeared during a run, but was not created by one."""

    worktree: str = ""
    branch: str = ""
    commit: str = ""

    def __str__(self) -> str:
        if not self.worktree:
            return N_("the branch {branch} ({commit})").format(
                branch=self.branch, commit=self.commit[:10]
            )
        where = (
            N_("branch {branch}").format(branch=self.branch)
            if self.branch
            else N_("at {commit}").format(commit=self.commit[:10])
        )
        return N_("the worktree {worktree} ({where})").format(worktree=self.worktree, where=where)


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
    """The reset of the usage limit in seconds since 1970, if the CLI reported it."""
    paid: Mapping[str, Paid] = field(default_factory=dict)
    """The cost of each model, as the results reported it."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """The input and cache tokens of each model, if the cost is unknown."""
    session_cost_usd: float | None = None
    """The cost of the session over all its processes, if the CLI reported it."""
    model: str = ""
    """The model, as the CLI reported it."""
    claude_version: str = ""
    """The version of the CLI, as it reported it."""
