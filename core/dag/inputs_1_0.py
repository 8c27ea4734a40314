"""The prompt and options exactly as version 1.0 hashed them, for its journals.

Do not change: with any other text, every feature that 1.0 completed would run again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model.feature import ClaudeOptions, Config, Feature

STANDING = """\
## How you work here
- You run unattended: nobody can answer, so do not ask. Decide, and say in your closing
  message what you decided.
- Work only in this folder. It is a git worktree of its own, already on branch `{branch}`:
  do not switch branches, do not rebase, do not touch other worktrees, do not use `git stash`.
- Finish the whole feature before you stop. What you leave uncommitted is committed for you."""

DENIED = ("Bash(git stash:*)", "EnterWorktree", "CronCreate", "ScheduleWakeup")

OPTIONS = ("-p", "--output-format=stream-json", "--verbose")


def prompt(config: Config, feature: Feature, features: Mapping[str, Feature]) -> str:
    """The whole prompt of a feature's first attempt."""
    parts = [
        f'Task: bring the feature "{feature.id}" ({feature.name}) to completion.',
        config.context.strip(),
        feature.description.strip(),
        feature.prompt.strip(),
        _dependencies(config, [features[id] for id in feature.depends_on]),
        _bullets("## What this feature uses", feature.uses),
        _bullets("## What this feature has to create", feature.creates),
        _bullets("## Before you finish, check each of these", config.quality_rules, "- [ ] "),
        STANDING.format(branch=config.branch_of(feature.id)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _dependencies(config: Config, needed: Sequence[Feature]) -> str:
    entries = [
        f"- {feature.id} ({feature.name}), from branch `{config.branch_of(feature.id)}`"
        + (f": {', '.join(feature.creates)}" if feature.creates else "")
        for feature in needed
    ]
    return _bullets("## What is already done, and merged into this folder", entries, "")


def _bullets(title: str, items: Sequence[str], bullet: str = "- ") -> str:
    return "\n".join([title, *(bullet + item for item in items)]) if items else ""


def options(options: ClaudeOptions, feature: Feature) -> list[str]:
    """The command line without program, session and limits, and the model variables."""
    allowed = feature.allowed_tools if feature.allowed_tools is not None else options.allowed_tools
    valued = {
        "--permission-mode": options.permission_mode,
        "--allowedTools": ",".join(allowed),
        "--disallowedTools": ",".join((*DENIED, *options.disallowed_tools)),
        "--model": feature.model or options.model,
        "--fallback-model": options.fallback_model,
        "--append-system-prompt": options.append_system_prompt,
    }
    given = {word.split("=", 1)[0] for word in options.extra_args}
    own_servers = not given.isdisjoint({"--mcp-config", "--strict-mcp-config"})
    return [
        *OPTIONS,
        *([] if own_servers else ["--strict-mcp-config"]),
        *(f"{name}={value}" for name, value in valued.items() if value),
        *options.extra_args,
        *sorted(f"{name}={value}" for name, value in options.env.items() if "MODEL" in name),
    ]
