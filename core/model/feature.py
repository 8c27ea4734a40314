"""A feature list as values: features, project, retry, options and tools of Claude."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import dataclass, field


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

    def branch_of(self, id: str) -> str:
        """The branch of a feature."""
        return self.project.branch_prefix + id


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
