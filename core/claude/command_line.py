"""Arguments and environment of `claude -p`: allowed tools, --settings, MCP servers, model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from ..model.check_rules import check_rules
from ..model.feature import (
    ALWAYS_DISALLOWED_TOOLS,
    DEFAULT_ALLOWED_TOOLS,
    NO_WORKTREES_BY_AGENTS,
    ClaudeOptions,
    Command,
    Feature,
    Invocation,
    Purpose,
)
from ..model.frozen import replace
from ..model.mask import is_secret
from .permission_bypass import bypasses

ENVIRONMENT = {
    # The CLI's default of ten retries can be silent for three minutes.
    "CLAUDE_CODE_MAX_RETRIES": "3",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # All worktrees of a repository share one memory folder.
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
}
"""Default variables for Claude; ``claude.env`` overrides them."""


def argv(
    options: ClaudeOptions,
    feature: Feature,
    session_id: str,
    *,
    resume: bool,
    checks: Sequence[Command] = (),
) -> list[str]:
    """The command line of one attempt. The prompt goes to standard input.

    Claude may run the simple ones among the ``checks`` of the project and those of the feature.
    Options are written ``--name=value``, because list options consume following words.
    """
    confined = _confined(options)
    valued = {
        **_rules(confined, feature, checks),
        "--resume" if resume else "--session-id": session_id,
    }
    return _words(confined, UNATTENDED, valued)


UNATTENDED = ("-p", "--output-format=stream-json", "--verbose")


def interactive(
    options: ClaudeOptions, feature: Feature, session_id: str, checks: Sequence[Command] = ()
) -> list[str]:
    """The command line that opens a session in a terminal, with the permissions of the attempts.

    Limits that only apply to unattended attempts are left out.
    """
    confined = _confined(options)
    given = _rules(confined, feature, checks).items()
    rules = {name: value for name, value in given if name not in ONLY_UNATTENDED}
    return _words(confined, [], {**rules, "--resume": session_id})


ONLY_UNATTENDED = ("--fallback-model", "--max-turns", "--max-budget-usd")


def allowed_rules(
    options: ClaudeOptions, feature: Feature, checks: Sequence[Command] = ()
) -> tuple[str, ...]:
    """What Claude may do without asking for a feature; ``checks`` are those of the project."""
    ours = check_rules((*checks, *feature.verify))
    rules = (*options.replaced_by(feature), *options.allowed_tools_add, *ours)
    return tuple(dict.fromkeys(rules))


def _rules(
    options: ClaudeOptions, feature: Feature, checks: Sequence[Command]
) -> dict[str, object]:
    allowed = allowed_rules(options, feature, checks)
    denied = (*ALWAYS_DISALLOWED_TOOLS, *options.disallowed_tools)
    return {
        "--permission-mode": options.permission_mode,
        "--allowedTools": ",".join(allowed),
        "--disallowedTools": ",".join(denied),
        "--model": feature.model or options.model,
        "--fallback-model": options.fallback_model,
        "--max-turns": options.max_turns,
        "--max-budget-usd": options.max_budget_usd,
        "--append-system-prompt": options.append_system_prompt,
    }


def _words(options: ClaudeOptions, first: Sequence[str], valued: Mapping[str, object]) -> list[str]:
    words = [f"{name}={value}" for name, value in valued.items() if value not in ("", None)]
    servers = [] if _configures_servers(options) else [NO_SERVERS]
    return [*options.command, *first, *servers, *words, *options.extra_args]


# -- subagents without worktrees --------------------------------------------------------------

NO_WORKTREE_HOOK = {
    "type": "command",
    "command": "echo 'Not in this run: work in the folder that you are in.' >&2; exit 2",
}
"""A hook that refuses worktrees of subagents. Measured with 2.1.197 and 2.1.330: the deny rule
covers calls with isolation, but not agents defined with it (``.claude/agents``, ``--agents``)."""

SETTINGS = "--settings"

NO_HOOKS = ("--bare", "--safe-mode")
"""Options that disable the CLI's hooks."""


def _confined(options: ClaudeOptions) -> ClaudeOptions:
    """The options, extended so that subagents cannot create worktrees.

    The CLI only uses the last ``--settings``, so our hook is merged into the list's settings. If
    these are a file, or hooks are disabled, the Agent tool is denied instead.
    """
    denied = (*NO_WORKTREES_BY_AGENTS, *options.disallowed_tools)
    words = (*options.command, *options.extra_args)
    at = _last_settings(words)
    given = words[at].removeprefix(f"{SETTINGS}=") if at >= 0 else "{}"
    merged = _with_hook(given)
    if not merged or not {*words}.isdisjoint(NO_HOOKS):
        return replace(options, disallowed_tools=("Agent", *denied))
    if at < 0:
        extra = (f"{SETTINGS}={merged}", *options.extra_args)
        return replace(options, disallowed_tools=denied, extra_args=extra)
    # Replaced in place: at the end, a list option might consume it.
    sign = words[at][: len(words[at]) - len(given)]
    words, end = (*words[:at], sign + merged, *words[at + 1 :]), len(options.command)
    return replace(options, disallowed_tools=denied, command=words[:end], extra_args=words[end:])


def _last_settings(words: Sequence[str]) -> int:
    """The index of the word with the value of the last ``--settings``; else -1."""
    joined = [at for at, word in enumerate(words) if word.startswith(f"{SETTINGS}=")]
    apart = [at for at, word in enumerate(words[1:], 1) if words[at - 1] == SETTINGS]
    return max((*joined, *apart), default=-1)


def _with_hook(settings: str) -> str:
    """The settings as JSON with our hook added; empty if that is impossible."""
    try:
        value = json.loads(settings)
    except (ValueError, RecursionError):
        return ""
    hooks = value.get("hooks", {}) if isinstance(value, dict) else None
    if not isinstance(hooks, dict) or value.get("disableAllHooks"):
        return ""
    # Replaces the list's own hook: a success of one outweighs a failure of the other.
    ours = {**hooks, "WorktreeCreate": [{"hooks": [NO_WORKTREE_HOOK]}]}
    return json.dumps({**value, "hooks": ours})


NO_SERVERS = "--strict-mcp-config"
"""Without it, Claude starts the servers of the repository's ``.mcp.json``."""


def _configures_servers(options: ClaudeOptions) -> bool:
    """Whether the list configures MCP servers itself."""
    given = {word.split("=", 1)[0] for word in options.extra_args}
    return not given.isdisjoint({"--mcp-config", NO_SERVERS})


def commands(
    options: ClaudeOptions, features: Iterable[Feature], checks: Sequence[Command] = ()
) -> tuple[Invocation, ...]:
    """The commands that start Claude for the features, one per distinct command line."""
    groups: dict[tuple[object, ...], list[Feature]] = {}
    for feature in features:
        rules = allowed_rules(options, feature, checks)
        groups.setdefault((feature.model, rules), []).append(feature)
    env = _shown(options.env)
    return tuple(
        Invocation(
            purpose=Purpose.CLAUDE,
            argv=tuple(_of_plan(options, group[0], checks)),
            brief=_brief(options, group[0], checks),
            features=tuple(f.id for f in group) if len(groups) > 1 else (),
            env=env,
            bypass=bypasses(options),
        )
        for group in groups.values()
    )


def own_command(options: ClaudeOptions) -> tuple[Invocation, ...]:
    """The list's own command for Claude; empty for plain ``claude``.

    Permissions and models do not count: they only restrict the user's own program.
    """
    plain = ClaudeOptions()
    words = (*options.command, *options.extra_args)
    if words == plain.command and not options.env:
        return ()
    bypass, env = bypasses(options), _shown(options.env)
    return (Invocation(Purpose.CLAUDE, words, brief=words, env=env, bypass=bypass),)


def _shown(env: Mapping[str, str]) -> dict[str, str]:
    return {n: "[masked]" if is_secret(n) else value for n, value in env.items()}


def _of_plan(options: ClaudeOptions, feature: Feature, checks: Sequence[Command] = ()) -> list[str]:
    return argv(options, feature, "SESSION", resume=False, checks=checks)


DEFAULT_RULES = ",".join((f"--allowedTools={DEFAULT_ALLOWED_TOOLS[0]}", *DEFAULT_ALLOWED_TOOLS[1:]))


def _brief(options: ClaudeOptions, feature: Feature, checks: Sequence[Command]) -> tuple[str, ...]:
    """The command line without the words that are the same for every list.

    Dots stand for the default rules.
    """
    plain = {*_of_plan(replace(ClaudeOptions(), command=()), Feature("", ""))}
    begin, rest = len(options.command), _of_plan(options, feature, checks)
    end = len(rest) - len(options.extra_args)
    own = [
        word.replace(f"{DEFAULT_RULES},", "--allowedTools=...,")
        for word in rest[begin:end]
        if word not in plain
    ]
    return (*options.command, "-p", *own, *options.extra_args)


def environment(base: Mapping[str, str], options: ClaudeOptions) -> dict[str, str]:
    """The environment of an attempt, based on ``base``."""
    inherited = {name: value for name, value in base.items() if name != "CLAUDECODE"}
    return {**inherited, **ENVIRONMENT, **options.env}
