"""Detects `--dangerously-skip-permissions` and other bypasses of permissions in a feature list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ..model.feature import ClaudeOptions
from ..model.patterns import pattern

_BYPASS = ("dangerously-skip-permissions", "bypasspermissions")
"""Parts of words that turn permission checks off, in lower case."""

GIVES_JSON = ("--settings", "--agents")
"""Options with JSON, which is inspected, or a file, which is not trusted."""

ANSWERS_FOR_THE_USER = (
    "--permission-prompt-tool",
    "--permission-prompts",
    "--plugin-dir",
    "--plugin-url",
)
"""Options that name something that can answer permission prompts, like a plugin's hooks."""

ANSWERING_HOOKS = ("PreToolUse", "PermissionRequest")


def bypasses(options: ClaudeOptions) -> tuple[str, ...]:
    """The paths of list settings that may bypass permission checks.

    These include settings files, whose content at the start is unknown, and variables that
    redirect Claude to other settings or load code into it or its shell.
    """
    mode = {"claude.permission_mode": options.permission_mode}
    command = {f"claude.command[{n}]": word for n, word in enumerate(options.command)}
    extra = {f"claude.extra_args[{n}]": word for n, word in enumerate(options.extra_args)}
    env = {f"claude.env.{name}": value for name, value in options.env.items()}
    named = {**mode, **command, **extra, **env}
    found = [place for place, word in named.items() if _says_bypass(word)]
    for group in (command, extra):
        found += _of_options(list(group), list(group.values()))
    found += [f"claude.env.{name}" for name in _redirecting(options.env)]
    return tuple(dict.fromkeys(found))


def _of_options(places: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    for place, word, following in zip(places, words, [*words[1:], ""]):
        name, given, value = word.partition("=")
        hidden = name in GIVES_JSON and not _is_harmless(value if given else following)
        if hidden or name in ANSWERS_FOR_THE_USER:
            yield place


def _says_bypass(word: str) -> bool:
    return any(sign in word.lower() for sign in _BYPASS)


def _is_harmless(settings: str) -> bool:
    """Whether settings are inline JSON without a bypass."""
    try:
        value = json.loads(settings)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or _says_bypass(json.dumps(value)):
        return False
    hooks, env = value.get("hooks"), value.get("env")
    answered = isinstance(hooks, dict) and not hooks.keys().isdisjoint(ANSWERING_HOOKS)
    names = {name: str(text) for name, text in env.items()} if isinstance(env, dict) else {}
    return not answered and not any(_redirecting(names))


# -- variables ----------------------------------------------------------------------------------

REDIRECTING = pattern(
    # Locations of settings of Claude, git and the shell.
    r"HOME|USERPROFILE|XDG_CONFIG_(HOME|DIRS)|ZDOTDIR"
    r"|CLAUDE_\w*(CONFIG_DIR|SETTINGS|POLICY|PLUGIN|SKILL|MCP_CONFIG|PERMISSION|DANGEROUS|BYPASS"
    r"|TRUST|DEN(Y|IES)|RESTRICT|SHELL|EXEC|ENV_FILE|GIT_BASH)\w*"
    # Code that every program or every shell loads.
    r"|LD_\w+|DYLD_\w+|BASH_ENV|ENV|BASH_FUNC_.*|PROMPT_COMMAND"
    r"|(SSH_ASKPASS|LESSOPEN|LESSCLOSE)"
    r"|GIT_(?!AUTHOR_|COMMITTER_|LFS_|TERMINAL_PROMPT\Z|OPTIONAL_LOCKS\Z|MERGE_AUTOEDIT\Z)\w+",
    re.DOTALL,
)

COMMANDS = pattern(r"SHELL|CLAUDE_CODE_SHELL|(GIT_)?(PAGER|(SEQUENCE_)?EDITOR)|VISUAL|BROWSER")
"""Variables that name a program; well-known programs are harmless."""

KNOWN_COMMAND = pattern(
    r"|:|((/usr(/local)?|/opt/homebrew)?/bin/)?(true|false|cat|less|sh|bash|zsh|dash|fish)"
)

RUNTIME_OPTIONS = ("NODE_OPTIONS", "BUN_OPTIONS")
"""Claude Code runs on Node.js or Bun."""

LOADS_CODE = pattern(
    r"(^|[\s\"'])(-[a-z]\b|--(require|import|preload|loader|experimental-loader|eval|print|config"
    r"|env-file|inspect|conditions|cwd)(?![a-z]))"
)


def _redirecting(env: Mapping[str, str]) -> Iterator[str]:
    """The variables that redirect Claude to other settings or load code into it or its shell.

    Without variables like ``PYTHONPATH``: they only affect allowed commands, which run code of
    the worktree anyway.
    """
    for name, value in env.items():
        if COMMANDS.fullmatch(name):
            redirects = not KNOWN_COMMAND.fullmatch(value)
        elif name in RUNTIME_OPTIONS:
            redirects = bool(LOADS_CODE.search(value))
        elif name == "PATH":
            # In a relative folder, Claude could write programs with allowed names.
            redirects = not all(folder.startswith("/") for folder in value.split(":"))
        else:
            redirects = bool(REDIRECTING.fullmatch(name))
        if redirects:
            yield name
