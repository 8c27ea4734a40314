"""Which commands the rules of ``allowed_tools`` allow, as Claude Code reads them.

A rule ``Bash`` allows every command, ``Bash(npm test)`` this one, ``Bash(npm test:*)`` those that
begin so; ``*`` elsewhere stands for any text. Each part of a compound command needs a rule.
Source: the page on permissions of Claude Code's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from .prompt_text import without_variables

READS_ONLY = frozenset(
    (
        *("cat", "cd", "cmp", "cut", "date", "diff", "dirname", "echo", "env", "false"),
        *("file", "find", "grep", "head", "id", "ls", "printf", "pwd", "realpath"),
        *("sleep", "sort", "stat", "tail", "test", "tr", "tree", "true", "type", "uname"),
        *("uniq", "wc", "which"),
    )
)
"""Programs that need no rule."""

_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.")
_OPERATOR = re.compile(r"&&|\|\||[;|\n]|(?<![<>&])&(?![>&])")
_SUBSTITUTION = re.compile(r"\$\(|`|<\(|>|<")


def parts_of(command: str) -> list[str]:
    """The simple commands of a compound one."""
    hidden = _QUOTED.sub(lambda found: "_" * len(found[0]), command)
    ends = [found.span() for found in _OPERATOR.finditer(hidden)]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(command)]
    parts = [command[start:stop].strip() for start, stop in zip(starts, stops)]
    return [part for part in parts if part]


def is_simple(command: str) -> bool:
    """Whether a command is a single one, without redirection and substitution."""
    hidden = _QUOTED.sub(lambda found: "_" * len(found[0]), command)
    in_double = any(
        "$(" in found or "`" in found for found in _QUOTED.findall(command) if found[0] == '"'
    )
    return len(parts_of(command)) == 1 and not _SUBSTITUTION.search(hidden) and not in_double


def refused(command: str, allowed: Sequence[str], disallowed: Iterable[str] = ()) -> str:
    """The first part of a command that no rule allows, or that one forbids; empty if none."""
    forbidden = list(disallowed)
    for part in parts_of(command):
        plain = without_variables(part)
        if any(_matches(rule, plain) for rule in forbidden):
            return plain
        if plain.split()[0] not in READS_ONLY and not any(_matches(r, plain) for r in allowed):
            return plain
    return ""


def _matches(rule: str, command: str) -> bool:
    rule = rule.strip()
    if rule in ("Bash", "Bash(*)", "*"):
        return True
    if not (rule.startswith("Bash(") and rule.endswith(")")):
        return False
    what = rule[len("Bash(") : -1]
    if what.endswith(":*"):
        return command.startswith(what[:-2])
    if "*" in what:
        pattern = what.replace("[", "[[]").replace("?", "[?]")
        return fnmatchcase(command, pattern) or fnmatchcase(f"{command} ", pattern)
    return command == what
