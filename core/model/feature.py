"""The values that the whole program speaks of; frozen, and without behaviour of their own."""

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
class Command:
    """A command of the list's own: a program with its arguments, or a line for the shell."""

    argv: tuple[str, ...]
    line: str
    """As it stands in the list; what a shell would be given."""


@dataclass(frozen=True)
class Feature:
    """One entry of the feature list; ``prompt`` is the text itself, wherever it stood."""

    id: str
    name: str
    prompt: str = ""
    prompt_file: str = ""
    description: str = ""
    depends_on: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    estimated_tokens: int | None = None
    priority: int = 0
    timeout_seconds: float | None = None
    model: str = ""
    allowed_tools: tuple[str, ...] | None = None
    allow_empty: bool = False
    max_cost_usd: float | None = None
    """For all attempts of one run together."""
    setup: tuple[Command, ...] = ()
    verify: tuple[Command, ...] = ()


@dataclass(frozen=True)
class Retry:
    """How often, and after how long, an attempt that failed by chance is made again.

    ``attempts`` counts the first one. Before the n-th repetition the wait is chosen at random
    up to ``backoff_seconds`` × 2ⁿ⁻¹, and up to ``max_backoff_seconds`` at most ("full jitter").
    """

    attempts: int = 3
    backoff_seconds: float = 5.0
    max_backoff_seconds: float = 300.0

    def longest_wait_seconds(self, repetition: int) -> float:
        """The most that is waited before a repetition; the first is 1."""
        return min(self.max_backoff_seconds, self.backoff_seconds * 2.0 ** (repetition - 1))


@dataclass(frozen=True)
class Project:
    """The ``project`` object of the feature list; ``repo_path`` is absolute."""

    name: str
    repo_path: str
    description: str = ""
    base_branch: str = ""
    """Empty where the repository's own default is meant."""
    max_parallel: int = 3
    timeout_seconds: float = 1800.0
    worktrees_path: str = "../worktrees"
    branch_prefix: str = "feature/"
    commit_subject: str = "feat({id}): {name}"
    """A template for the commits that we make of a feature's work; fields: :mod:`core.subject`."""
    commit_timeout_seconds: float = 600.0
    """For one commit with the user's hooks, signing program and filters."""
    usd_per_million_tokens: float = 30.0
    max_cost_usd: float | None = None
    stall_seconds: float = 900.0
    """How long Claude may be silent; silences of 400 s are known and mean nothing."""
    start_interval_seconds: float = 0.5
    """From one start of Claude to the next: ten at once meet the API's burst limit."""
    limit_grace_seconds: float = 60.0
    """How long after a usage limit is said to be lifted the first one tries."""
    retry: Retry = Retry()
    setup: tuple[Command, ...] = ()
    setup_timeout_seconds: float = 600.0
    teardown: tuple[Command, ...] = ()
    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    verify: tuple[Command, ...] = ()
    verify_timeout_seconds: float = 1800.0
    verify_attempts: int = 2
    """How often Claude is told of a red check and goes on, before the feature fails."""
    verify_clean: bool = False
    verify_base: bool = True


DEFAULT_ALLOWED_TOOLS = (
    "Read",
    # Every tool that writes, in the worktree only: a bare Write or Edit is the whole disk. The
    # first means the folder that Claude has cd'ed to, the second (2.1.197 and newer) the one that
    # it was started in. Mode acceptEdits needs neither.
    "Edit(./**)",
    "Edit(/**)",
    "Glob",
    "Grep",
    "LS",
    "Task",
    "TodoWrite",
    "Bash(git add:*)",
    "Bash(git commit:*)",
    "Bash(git status:*)",
    "Bash(git diff:*)",
    "Bash(git log:*)",
    "Bash(git show:*)",
    "Bash(python -m unittest:*)",
    "Bash(python3 -m unittest:*)",
    "Bash(python -m pytest:*)",
    "Bash(python3 -m pytest:*)",
    "Bash(pytest:*)",
    "Bash(npm test:*)",
    "Bash(npm run test:*)",
    "Bash(npm run lint:*)",
    "Bash(npm run build:*)",
    "Bash(bundle exec rspec:*)",
    "Bash(bundle exec rake test:*)",
    "Bash(bin/rails test:*)",
    "Bash(go test:*)",
    "Bash(cargo test:*)",
    "Bash(make test:*)",
)
"""Enough to read, write, test and commit; nothing here reaches the network."""

ALWAYS_DISALLOWED_TOOLS = (
    # All worktrees of a repository share one stash: one agent would pop another's.
    "Bash(git stash:*)",
    # It leaves our worktree, unasked, for one that it makes in the user's checkout.
    "EnterWorktree",
    # They end the turn in the hope of a later one, which an unattended run never has.
    "CronCreate",
    "ScheduleWakeup",
)
"""What no list can allow."""

NO_WORKTREES_BY_AGENTS = (
    # A subagent with a worktree of its own gets it in the user's main checkout, on a branch that
    # no feature has. Without one it works in the feature's folder.
    "Agent(isolation:worktree)",
    # A script that starts up to sixteen agents at once, each in a worktree where it says so.
    "Workflow",
)
"""What no list can allow either."""


@dataclass(frozen=True)
class ClaudeOptions:
    """How Claude Code is started; empty or ``None`` leaves the choice to the CLI."""

    command: tuple[str, ...] = ("claude",)
    permission_mode: str = "acceptEdits"
    allowed_tools: tuple[str, ...] = DEFAULT_ALLOWED_TOOLS
    disallowed_tools: tuple[str, ...] = ()
    model: str = ""
    fallback_model: str = ""
    max_turns: int | None = None
    max_budget_usd: float | None = None
    append_system_prompt: str = ""
    extra_args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """A feature list that was read and checked: ids are unique, dependencies exist."""

    path: str
    workspace: str
    project: Project
    features: tuple[Feature, ...]
    claude: ClaudeOptions = ClaudeOptions()
    context: str = ""
    quality_rules: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Outcome:
    """How an attempt at a feature ended; ``cost_usd`` is ``None`` where nobody knows it."""

    status: Status
    reason: str = ""
    fault: Fault = Fault.NONE
    cost_usd: float | None = None
    usage: Usage = Usage()
    duration_ms: int = 0
    num_turns: int = 0
    session_id: str = ""
    result: str = ""
    denied_tools: tuple[str, ...] = ()
    work: Work | None = None
    resets_at: float | None = None
    """When the usage limit is lifted, in seconds since 1970, if the CLI said so."""
    paid: Mapping[str, Paid] = field(default_factory=dict)
    """By model, what the results reported."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """By model, the input and cache tokens of the messages, where the cost is unknown."""
    session_cost_usd: float | None = None
    """What the session cost over all its processes, where the CLI says so."""


@dataclass(frozen=True)
class Invocation:
    """A command that the list makes ``run`` start, as ``plan`` shows it."""

    purpose: str
    argv: tuple[str, ...]
    brief: tuple[str, ...]
    """Of ``argv`` what is this list's own, without what every list has."""
    features: tuple[str, ...] = ()
    """For which features; empty means for all of them."""
    env: Mapping[str, str] = field(default_factory=dict)
    bypass: tuple[str, ...] = ()
    """The settings by which it may do anything unasked."""


class Action(Enum):
    """What ``run`` does with a feature."""

    SKIP = "skip"
    LEAVE = "leave"
    """It is not done, and not run either: the user skipped it, or something that it needs."""
    RESUME = "resume"
    START = "start"


@dataclass(frozen=True)
class Decision:
    """What ``run`` would do with a feature, and why: ``new``, ``prompt changed``, …"""

    feature: str
    action: Action
    reason: str
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """The hashes that went into ``key``, by name, so that a change can be named."""
