"""Which parts of a feature list let Claude do what nobody allowed: they need the user's consent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ..model.feature import ClaudeOptions

_BYPASS = ("dangerously-skip-permissions", "bypasspermissions")
"""Of the words that let Claude do anything unasked, in lower case."""

GIVES_JSON = ("--settings", "--agents")
"""Options whose value is JSON, which is looked into, or a file, of which nothing is known."""

ANSWERS_FOR_THE_USER = (
    "--permission-prompt-tool",
    "--permission-prompts",
    "--plugin-dir",
    "--plugin-url",
)
"""Options that name who answers Claude's questions; a plugin's hooks may."""

ANSWERING_HOOKS = ("PreToolUse", "PermissionRequest")


def bypasses(options: ClaudeOptions) -> tuple[str, ...]:
    """The settings by which Claude would not ask for permission, by their place in the list.

    A settings file may say so as well, and what it says at the start is known to nobody here. So
    may variables that lead Claude to other settings, or put code into it or into its shell.
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
    """Whether settings are given here and now, and don't bypass."""
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

REDIRECTING = re.compile(
    # Where Claude, git and the shell look for their settings.
    r"HOME|USERPROFILE|XDG_CONFIG_(HOME|DIRS)|ZDOTDIR"
    r"|CLAUDE_\w*(CONFIG_DIR|SETTINGS|POLICY|PLUGIN|SKILL|MCP_CONFIG|PERMISSION|DANGEROUS|BYPASS"
    r"|TRUST|DEN(Y|IES)|RESTRICT|SHELL|EXEC|ENV_FILE|GIT_BASH)\w*"
    # Code that is loaded into every program, or into every shell.
    r"|LD_\w+|DYLD_\w+|BASH_ENV|ENV|BASH_FUNC_.*|PROMPT_COMMAND"
    r"|(SSH_ASKPASS|LESSOPEN|LESSCLOSE)"
    r"|GIT_(?!AUTHOR_|COMMITTER_|LFS_|TERMINAL_PROMPT\Z|OPTIONAL_LOCKS\Z|MERGE_AUTOEDIT\Z)\w+",
    re.DOTALL,
)

COMMANDS = re.compile(r"SHELL|CLAUDE_CODE_SHELL|(GIT_)?(PAGER|(SEQUENCE_)?EDITOR)|VISUAL|BROWSER")
"""Variables that name one program, which may be one that everybody has."""

KNOWN_COMMAND = re.compile(
    r"|:|((/usr(/local)?|/opt/homebrew)?/bin/)?(true|false|cat|less|sh|bash|zsh|dash|fish)"
)

RUNTIME_OPTIONS = ("NODE_OPTIONS", "BUN_OPTIONS")
"""Claude Code is a program of Node.js or of Bun."""

LOADS_CODE = re.compile(
    r"(^|[\s\"'])(-[a-z]\b|--(require|import|preload|loader|experimental-loader|eval|print|config"
    r"|env-file|inspect|conditions|cwd)(?![a-z]))"
)


def _redirecting(env: Mapping[str, str]) -> Iterator[str]:
    """The variables that lead Claude to other settings, or put code into it or its shell.

    Not those that only what Claude is allowed to run heeds, as ``PYTHONPATH``: that is code of the
    worktree anyway.
    """
    for name, value in env.items():
        if COMMANDS.fullmatch(name):
            redirects = not KNOWN_COMMAND.fullmatch(value)
        elif name in RUNTIME_OPTIONS:
            redirects = bool(LOADS_CODE.search(value))
        elif name == "PATH":
            # Claude writes programs into its folder, and calls them by allowed names.
            redirects = not all(folder.startswith("/") for folder in value.split(":"))
        else:
            redirects = bool(REDIRECTING.fullmatch(name))
        if redirects:
            yield name
