"""A feature list as values: features, project, retry, options and tools of Claude."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Enum, dataclass, field


@dataclass(frozen=True)
class Command:
    """A command of the feature list: a program with its arguments, or a line for the shell."""

    argv: tuple[str, ...]
    line: str
    """The command as the list spells it, as a line for a shell."""


@dataclass(frozen=True)
class Feature:
    """One entry of the feature list. ``prompt`` is always the text, also if it is in a file."""

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
    """The limit for all attempts of one run together."""
    setup: tuple[Command, ...] = ()
    verify: tuple[Command, ...] = ()


@dataclass(frozen=True)
class Retry:
    """The repetition of attempts after transient faults, with exponential backoff.

    ``attempts`` includes the first one. The wait before the n-th repetition is random, at most
    ``backoff_seconds`` × 2ⁿ⁻¹ and at most ``max_backoff_seconds`` ("full jitter").
    """

    attempts: int = 3
    backoff_seconds: float = 5.0
    max_backoff_seconds: float = 300.0

    def longest_wait_seconds(self, repetition: int) -> float:
        """The longest wait before a repetition. The first one has number 1."""
        return min(self.max_backoff_seconds, self.backoff_seconds * 2.0 ** (repetition - 1))


@dataclass(frozen=True)
class Project:
    """The ``project`` object of the feature list; ``repo_path`` is absolute."""

    name: str
    repo_path: str
    description: str = ""
    base_branch: str = ""
    """Empty for the default branch of the repository."""
    max_parallel: int = 3
    timeout_seconds: float = 1800.0
    worktrees_path: str = "../worktrees"
    branch_prefix: str = "feature/"
    commit_subject: str = "feat({id}): {name}"
    """A template for the subject of our commits; see `core/model/commit_subject.py`."""
    commit_timeout_seconds: float = 600.0
    """The limit of one commit, with the user's hooks, signing program and filters."""
    usd_per_million_tokens: float = 30.0
    max_cost_usd: float | None = None
    stall_seconds: float = 900.0
    """How long Claude may print nothing. Silences of 400 s occur and are harmless."""
    start_interval_seconds: float = 0.5
    """The time between two starts of Claude: ten at once hit the API's burst limit."""
    limit_grace_seconds: float = 60.0
    """The wait between the reset of a usage limit and the next attempt."""
    hold_at_utilization: float | None = None
    """No attempt starts while the window of a usage limit is fuller; 1 is full."""
    retry: Retry = Retry()
    setup: tuple[Command, ...] = ()
    setup_timeout_seconds: float = 600.0
    setup_cache: tuple[str, ...] = ()
    """Patterns of ignored folders that the setup makes and that are kept for later worktrees."""
    setup_inputs: tuple[str, ...] = ()
    """Patterns of the tracked files that decide what the setup makes; empty for the usual ones."""
    setup_cache_max_gib: float = 10.0
    teardown: tuple[Command, ...] = ()
    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    verify: tuple[Command, ...] = ()
    verify_timeout_seconds: float = 1800.0
    verify_attempts: int = 2
    """How often Claude may fix a failing check before the feature fails."""
    verify_clean: bool = False
    verify_base: bool = True
    require_review: bool = False
    """Whether only features that were accepted can land."""
    max_unreviewed: int | None = None
    """How many completed features may wait for a review before no other one starts."""
    keep_awake: bool = True
    """Whether the machine is kept from going to sleep during a run."""
    reload: bool = False
    """Whether a run takes up a changed list by itself."""
    port_variable: str = ""
    """A variable of the user's stack, such as ``PORT``, that gets the first port of a slot."""


DEFAULT_ALLOWED_TOOLS = (
    "Read",
    # Writing is allowed in the worktree only: a bare Write or Edit allows the whole disk. The
    # first entry is the folder that Claude has changed to, the second (2.1.197 and newer) the one
    # that it was started in. Mode acceptEdits needs neither.
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
"""The default allowed tools: read, write, test and commit; none of them uses the network."""

ALWAYS_DISALLOWED_TOOLS = (
    # All worktrees share one stash: an agent would pop the entries of another.
    "Bash(git stash:*)",
    # It leaves our worktree for one that it creates in the user's checkout.
    "EnterWorktree",
    # They end the turn and rely on a later one, which an unattended run never has.
    "CronCreate",
    "ScheduleWakeup",
)
"""Tools that no list can allow."""

NO_WORKTREES_BY_AGENTS = (
    # A subagent's own worktree is in the user's main checkout, on a branch of no feature. Without
    # one, it works in the worktree of the feature.
    "Agent(isolation:worktree)",
    # A script that starts up to sixteen agents at once, each in its own worktree on request.
    "Workflow",
)
"""More tools that no list can allow."""


@dataclass(frozen=True)
class ClaudeOptions:
    """The options of Claude Code; empty or ``None`` leaves the choice to the CLI."""

    command: tuple[str, ...] = ("claude",)
    permission_mode: str = "acceptEdits"
    allowed_tools: tuple[str, ...] = DEFAULT_ALLOWED_TOOLS
    allowed_tools_add: tuple[str, ...] = ()
    """Allowed as well, whether ``allowed_tools`` are the list's, a feature's or the defaults."""
    disallowed_tools: tuple[str, ...] = ()
    model: str = ""
    fallback_model: str = ""
    max_turns: int | None = None
    max_budget_usd: float | None = None
    append_system_prompt: str = ""
    extra_args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def replaced_by(self, feature: Feature) -> tuple[str, ...]:
        """The ``allowed_tools`` that count for a feature."""
        return self.allowed_tools if feature.allowed_tools is None else feature.allowed_tools


class ReceiverType(Enum):
    """Where the notifications of an entry of ``notify`` go."""

    SLACK = "slack"
    DISCORD = "discord"
    WEBHOOK = "webhook"
    COMMAND = "command"
    DESKTOP = "desktop"


class Occasion(Enum):
    """What a notification can be about."""

    STARTED = "started"
    FEATURE_COMPLETED = "feature_completed"
    FEATURE_FAILED = "feature_failed"
    PAUSED = "paused"
    """The user paused the run."""
    LIMIT = "limit"
    """A usage limit was reached."""
    BUDGET = "budget"
    """The budget is used up."""
    REVIEW = "review"
    """Nothing new starts, because too many completed features wait for a review."""
    FAILED = "failed"
    """The run ended, and not all of its features completed."""
    FINISHED = "finished"
    """The run ended, however."""


NEEDS_YOU = (Occasion.PAUSED, Occasion.LIMIT, Occasion.BUDGET, Occasion.REVIEW, Occasion.FAILED)
"""The occasions that a list calls ``needs_you``."""


@dataclass(frozen=True)
class Receiver:
    """An entry of ``notify``: where notifications go, and about what."""

    type: ReceiverType
    url_env: str = ""
    """The environment variable with the URL, which is a secret."""
    secret_env: str = ""
    """The environment variable with the key of the signature; empty for no signature."""
    command: Command | None = None
    on: tuple[Occasion, ...] = (*NEEDS_YOU, Occasion.FINISHED)


@dataclass(frozen=True)
class Config:
    """A valid feature list: ids are unique, and dependencies exist."""

    path: str
    workspace: str
    project: Project
    features: tuple[Feature, ...]
    claude: ClaudeOptions = ClaudeOptions()
    context: str = ""
    quality_rules: tuple[str, ...] = ()
    notify: tuple[Receiver, ...] = ()
    files: tuple[str, ...] = ()
    """The files with prompts, by their real paths."""

    @property
    def notify_variables(self) -> set[str]:
        """The environment variables with the secrets of ``notify``."""
        given = ((receiver.url_env, receiver.secret_env) for receiver in self.notify)
        return {name for names in given for name in names if name}

    def branch_of(self, id: str) -> str:
        """The branch of a feature."""
        return self.project.branch_prefix + id


class Purpose(Enum):
    """What a command is for, by the key of the list that has it."""

    CLAUDE = "claude"
    SETUP = "setup"
    VERIFY = "verify"
    TEARDOWN = "teardown"
    CREATES = "creates"
    USES = "uses"
    NOTIFY = "notify"


@dataclass(frozen=True)
class Invocation:
    """A command that ``run`` starts because of the list, as ``plan`` shows it."""

    purpose: Purpose
    argv: tuple[str, ...]
    brief: tuple[str, ...]
    """``argv`` without the arguments that every list has."""
    features: tuple[str, ...] = ()
    """The features that it is for; empty means all."""
    env: Mapping[str, str] = field(default_factory=dict)
    bypass: tuple[str, ...] = ()
    """The settings that bypass all permission checks."""
