"""Which commands Claude may run by the rules of `allowed_tools`, and which ones a prompt names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

BASH = "Bash("

EVERYTHING = ("Bash", "Bash(*)", "Bash(:*)")
"""Rules that allow every command."""

WITHOUT_RULE = ("echo",)
"""Programs that Claude Code runs in every mode (seen with 2.1.197)."""

PROGRAMS = frozenset(
    {
        *("npm", "npx", "pnpm", "yarn", "bun", "node", "deno", "tsc", "eslint", "jest", "vitest"),
        *("python", "python3", "pytest", "uv", "poetry", "pip", "pip3", "tox", "nox", "ruff"),
        *("mypy", "black", "go", "cargo", "rustc", "make", "just", "cmake", "ninja", "bazel"),
        *("bundle", "rake", "rails", "rspec", "gem", "mvn", "gradle", "dotnet", "composer"),
        *("docker", "docker-compose", "git", "gh", "glab", "curl", "bash", "sh"),
    }
)
"""First words that make a piece of code in a prompt a command."""

ALONE = frozenset({"pytest", "make", "tox", "nox", "jest", "vitest", "rspec"})
"""Those of them that are commands without an argument, too; ``go`` may be a word."""

_FENCED = re.compile(
    r"^```(?:bash|sh|shell|zsh|console)[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL
)
_SPAN = re.compile(r"`([^`\n]+)`")
_PART = re.compile(r"""(?:'[^']*'|"[^"]*"|>&|[^'";&|\n])+""")
"""A simple command in a line for the shell."""

_MERGED = re.compile(r"\s*\d?>&\d")
"""Standard error that goes where the output goes; a rule for the command covers it."""


def unallowed(command: str, rules: Collection[str]) -> list[str]:
    """The simple commands in a line for the shell that no rule allows.

    Claude Code matches each part of ``a && b`` by itself.
    """
    parts = (_MERGED.sub("", part).strip() for part in _PART.findall(command))
    return [part for part in parts if part and not _is_allowed(part, rules)]


def _is_allowed(command: str, rules: Collection[str]) -> bool:
    return command.split()[0] in WITHOUT_RULE or any(_allows(rule, command) for rule in rules)


def _allows(rule: str, command: str) -> bool:
    """Whether a rule allows a simple command: ``Bash(npm test)``, ``Bash(npm test:*)``."""
    if rule in EVERYTHING:
        return True
    if not (rule.startswith(BASH) and rule.endswith(")")):
        return False
    pattern = rule[len(BASH) : -1]
    if pattern.endswith((":*", " *")):
        begin = pattern[:-2]
        return command == begin or command.startswith(f"{begin} ")
    return command == pattern


def rule_for(command: str) -> str:
    """The rule to add for a simple command."""
    return f"{BASH}{command}:*)"


def commands_in(prompt: str) -> Iterator[str]:
    """The commands that a prompt names in blocks for the shell and in pieces of code."""
    for block in _FENCED.findall(prompt):
        for line in block.splitlines():
            if _is_command(line.strip().removeprefix("$ ")):
                yield line.strip().removeprefix("$ ")
    for piece in _SPAN.findall(_FENCED.sub("", prompt)):
        if _is_command(piece.strip()):
            yield piece.strip()


def _is_command(text: str) -> bool:
    words = text.split()
    return bool(words) and words[0] in PROGRAMS and (len(words) > 1 or words[0] in ALONE)
