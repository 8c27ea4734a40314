"""The keys of a feature list, each with its check and its meaning."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from ..model.feature import ClaudeOptions, Config, Feature, Project, Retry
from ..model.frozen import replace
from ..model.translate import N_
from .dependencies import check_dependencies
from .list_reader import Json, Key, Reader, kind
from .notify_keys import Receivers, VariableName
from .setup_cache_keys import FOLDERS, setup_cache_faults
from .value_checks import (
    ARGUMENTS,
    CONTRACTS,
    GLOBS,
    LABEL,
    PATH,
    PERMISSION_MODES,
    RULES,
    Argv,
    Check,
    Commands,
    ContextFile,
    Flag,
    Id,
    Lines,
    Number,
    OneOf,
    Ref,
    Share,
    Subject,
    Text,
    Texts,
    Variables,
    Whole,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EMPTY = Config("", "", Project("", ""), ())


class Section(Check):
    """An object with known keys; ``build`` makes the value from its fields."""

    words = "object"

    def __init__(
        self, keys: Mapping[str, Key], build: Callable[[Reader, dict[str, Any]], object]
    ) -> None:
        self.keys = keys
        self.build = build

    def check(self, reader: Reader, path: str, value: object) -> object:
        return self.build(reader, reader.fields(path, value, self.keys))

    def schema(self) -> Json:
        needed = [name for name, key in self.keys.items() if key.needed]
        required: Json = {"required": needed} if needed else {}
        return {
            "type": "object",
            "properties": {name: key.schema() for name, key in self.keys.items()},
            **required,
            # Keys for comments.
            "patternProperties": {r"^(_|x-|\$)": {}},
            "additionalProperties": False,
        }


class Features(Check):
    """The list of features."""

    words = "list of features"

    def check(self, reader: Reader, path: str, value: object) -> tuple[Feature, ...] | None:
        if not isinstance(value, list):
            reader.fault(path, N_("expected a list, not {kind}").format(kind=kind(value)))
            return None
        if not value:
            reader.fault(path, N_("contains no feature"))
        features = tuple(
            feature
            for index, item in enumerate(value)
            for feature in _feature(reader, f"{path}[{index}]", item)
        )
        check_dependencies(reader, value)
        return features

    def schema(self) -> Json:
        one = FEATURE_SECTION.schema()
        prompts: list[Json] = [{"required": ["prompt"]}, {"required": ["prompt_file"]}]
        return {"type": "array", "items": {**one, "oneOf": prompts}, "minItems": 1}


def _feature(reader: Reader, path: str, value: object) -> Iterator[Feature]:
    fields = reader.fields(path, value, FEATURE)
    given = value if isinstance(value, dict) else {}
    if ("prompt" in given) == ("prompt_file" in given) and isinstance(value, dict):
        reader.fault(path, N_("needs exactly one of prompt and prompt_file"))
    if "prompt_file" in fields:
        text = reader.text_file(f"{path}.prompt_file", str(fields["prompt_file"]))
        if text is not None and not text.strip():
            name = str(fields["prompt_file"])
            reader.fault(f"{path}.prompt_file", N_("{name} is empty").format(name=name))
        fields["prompt"] = text or ""
    if "id" in fields:
        fields.setdefault("name", fields["id"])
        yield Feature(**fields)  # type: ignore[arg-type]


def _project(reader: Reader, fields: dict[str, Any]) -> Project:
    repo_path = os.path.expanduser(str(fields.get("repo_path", ".")))
    fields["repo_path"] = os.path.normpath(os.path.join(reader.workspace, repo_path))
    for path, fault in setup_cache_faults(fields):
        reader.fault(path, fault)
    return replace(EMPTY.project, **fields)


RETRY: Mapping[str, Key] = {
    "attempts": Key(
        Whole(1),
        "attempts, the first one included",
    ),
    "backoff_seconds": Key(
        Number(zero=True),
        "the wait before the second attempt; it doubles from there",
    ),
    "max_backoff_seconds": Key(
        Number(zero=True),
        "the longest wait between two attempts",
    ),
}

PROJECT: Mapping[str, Key] = {
    "name": Key(
        LABEL,
        "shown in the plan and the reports",
        needed=True,
    ),
    "description": Key(
        Lines(),
        "shown in the plan",
    ),
    "repo_path": Key(
        PATH,
        "the git repository",
    ),
    "base_branch": Key(
        Ref(filled=True),
        "what features start from: see [the base branch](#the-base-branch)",
    ),
    "max_parallel": Key(
        Whole(1),
        "the number of slots",
    ),
    "timeout_seconds": Key(
        Number(),
        "limit for each attempt",
    ),
    "worktrees_path": Key(
        PATH,
        "the folder for worktrees: see [worktrees](#worktrees)",
    ),
    "branch_prefix": Key(
        Ref(),
        "put before each id to form the branch name",
    ),
    "commit_subject": Key(
        Subject(),
        "first line of the commits with a feature's work, and of squash landings. Fields: "
        "`{id}`, `{name}`, `{description}`, `{tags}`",
    ),
    "commit_timeout_seconds": Key(
        Number(),
        "limit for one commit with your hooks, signing program and filters",
    ),
    "usd_per_million_tokens": Key(
        Number(zero=True),
        "price for the estimates",
    ),
    "max_cost_usd": Key(
        Number(),
        "[budget](LIMITS_AND_BUDGETS.md#budgets) of a run",
    ),
    "stall_seconds": Key(
        Number(),
        "an attempt without output for this long is stopped and resumed once",
    ),
    "start_interval_seconds": Key(
        Number(zero=True),
        "minimum time between two starts of Claude",
    ),
    "limit_grace_seconds": Key(
        Number(zero=True),
        "extra wait after the reset of a [usage limit](LIMITS_AND_BUDGETS.md#usage-limits)",
    ),
    "hold_at_utilization": Key(
        Share(),
        "start nothing more while a window of your usage limit is fuller, such as `0.9`: see "
        "[usage limits](LIMITS_AND_BUDGETS.md#usage-limits)",
    ),
    "retry": Key(
        Section(RETRY, lambda reader, fields: Retry(**fields)),
        "attempts in case of [transient faults](LIMITS_AND_BUDGETS.md#transient-faults), "
        "the first one included, and the wait between them",
    ),
    "setup": Key(
        Commands(),
        "[commands](CHECKS.md#commands) run in each new worktree before Claude",
    ),
    "setup_timeout_seconds": Key(
        Number(),
        "limit for each command of setup and teardown",
    ),
    "setup_cache": Key(
        FOLDERS,
        "ignored folders that setup makes, such as `node_modules`, to [keep for later worktrees]"
        "(SETUP_CACHE.md): with a copy of them, setup is skipped",
    ),
    "setup_inputs": Key(
        GLOBS,
        "tracked files that [setup depends on](SETUP_CACHE.md#when-setup-is-skipped); by default, "
        "manifests and lockfiles",
    ),
    "setup_cache_max_gib": Key(
        Number(),
        "limit for the size of the [setup cache](SETUP_CACHE.md#the-store)",
    ),
    "teardown": Key(
        Commands(),
        "[commands](CHECKS.md#commands) run before a worktree is removed",
    ),
    "copy": Key(
        GLOBS,
        "[ignored files of the main checkout](CHECKS.md#copy-and-link) to copy into each worktree",
    ),
    "link": Key(
        GLOBS,
        "[ignored files of the main checkout](CHECKS.md#copy-and-link) to link into each worktree",
    ),
    "verify": Key(
        Commands(),
        "the [checks](CHECKS.md#checks): must exit with 0 on a feature's commit before it "
        "is completed",
    ),
    "verify_timeout_seconds": Key(
        Number(),
        "limit for each check",
    ),
    "verify_attempts": Key(
        Whole(0),
        "how often a failing check is sent back to Claude",
    ),
    "verify_clean": Key(
        Flag(),
        "repeat the checks in a clean checkout of the commit",
    ),
    "verify_base": Key(
        Flag(),
        "run the checks once on the base branch before anything is paid for",
    ),
    "require_review": Key(
        Flag(),
        "land and push only features that you [accepted](commands/merge.md#only-what-you-accepted)",
    ),
    "max_unreviewed": Key(
        Whole(1),
        "while so many completed features wait for [your review]"
        "(LIMITS_AND_BUDGETS.md#features-that-wait-for-your-review), no other one starts",
    ),
    "keep_awake": Key(
        Flag(),
        "keep the machine from going to sleep during a run, where `systemd-inhibit` or "
        "`caffeinate` is installed",
    ),
    "reload": Key(
        Flag(),
        "take up a changed list at the next free slot, as [`reload`](commands/reload.md) does; "
        "read there what is refused",
    ),
    "port_variable": Key(
        VariableName(),
        "a variable of your stack, such as `PORT`, that gets the value of `RORCHESTRATOR_PORT`",
    ),
}

PROMPTS: Mapping[str, Key] = {
    "context_file": Key(
        ContextFile(),
        "put before every prompt",
        field="context",
    ),
    "quality_rules": Key(
        Texts(),
        "put after every prompt as a checklist",
    ),
}

CLAUDE: Mapping[str, Key] = {
    "command": Key(
        Argv(),
        "the executable and its leading arguments",
    ),
    "permission_mode": Key(
        OneOf("mode", PERMISSION_MODES),
        "`acceptEdits`, `auto`, `bypassPermissions` (requires `run --allow-bypass`), "
        "`default`, `dontAsk`, `manual`, `plan`",
    ),
    "allowed_tools": Key(
        RULES,
        "what Claude may do without asking: see [tools](#tools)",
    ),
    "allowed_tools_add": Key(
        RULES,
        "what Claude may do as well as that, for every feature",
    ),
    "disallowed_tools": Key(
        RULES,
        "what Claude may never do",
    ),
    "model": Key(
        Text(filled=True),
        "the model",
    ),
    "fallback_model": Key(
        Text(filled=True),
        "the model while the first one is overloaded",
    ),
    "max_turns": Key(
        Whole(1),
        "limit of turns for each attempt",
    ),
    "max_budget_usd": Key(
        Number(),
        "budget of each attempt",
    ),
    "append_system_prompt": Key(
        Lines(),
        "appended to Claude's system prompt",
    ),
    "extra_args": Key(
        ARGUMENTS,
        "further arguments for Claude. MCP servers start only if `--mcp-config=…` names them here",
    ),
    "env": Key(
        Variables(),
        "environment variables; they override those set by RoRchestrator",
    ),
}

FEATURE: Mapping[str, Key] = {
    "id": Key(
        Id(),
        "unique regardless of case; the end of the branch name",
        needed=True,
    ),
    "name": Key(
        LABEL,
        "shown everywhere; the subject of the commit; at most 500 characters",
    ),
    "description": Key(
        Lines(),
        "part of the prompt",
    ),
    "tags": Key(
        Texts(),
        "for `--tag`",
    ),
    "creates": Key(
        CONTRACTS,
        "[contracts](CHECKS.md#contracts): shown to Claude and to the dependents, some of "
        "them checked",
    ),
    "uses": Key(
        CONTRACTS,
        "[contracts](CHECKS.md#contracts): shown to Claude and to the dependents, some of "
        "them checked",
    ),
    "depends_on": Key(
        Texts(words="list of ids"),
        "features that must be completed first",
    ),
    "prompt_file": Key(
        PATH,
        "the prompt, searched for in `prompts/` and then in the workspace",
    ),
    "prompt": Key(
        Lines(filled=True),
        "the prompt itself, instead of a file",
    ),
    "estimated_tokens": Key(
        Whole(0),
        "for the order and the estimates",
    ),
    "priority": Key(
        Whole(),
        "of features that are equal otherwise, the lowest starts first",
    ),
    "timeout_seconds": Key(
        Number(),
        "overrides project.timeout_seconds for this feature",
    ),
    "model": Key(
        Text(filled=True),
        "overrides claude.model for this feature",
    ),
    "allowed_tools": Key(
        RULES,
        "overrides claude.allowed_tools for this feature",
    ),
    "allow_empty": Key(
        Flag(),
        "the feature may be completed without a change",
    ),
    "max_cost_usd": Key(
        Number(),
        "[budget](LIMITS_AND_BUDGETS.md#budgets) of this feature in one run",
    ),
    "setup": Key(
        Commands(),
        "run after the setup of the project",
    ),
    "verify": Key(
        Commands(),
        "run after the checks of the project",
    ),
}

FEATURE_SECTION = Section(FEATURE, lambda reader, fields: fields)

CLAUDE_SECTION = Section(CLAUDE, lambda reader, fields: ClaudeOptions(**fields))

TOP: Mapping[str, Key] = {
    "project": Key(Section(PROJECT, _project), "the project", needed=True),
    "prompts": Key(Section(PROMPTS, lambda reader, fields: fields), "parts of every prompt"),
    "claude": Key(CLAUDE_SECTION, "how Claude Code is run"),
    "features": Key(Features(), "the features", needed=True),
    "notify": Key(Receivers(), "who gets [notifications](NOTIFICATIONS.md)"),
}
