"""Which commands the rules of ``allowed_tools`` allow, as Claude Code reads them.

``Bash`` allows every command, ``Bash(npm test)`` this one, ``Bash(npm test:*)`` also with further
arguments; ``*`` elsewhere stands for any text. Each part of a compound command needs a rule.
Source: the page on permissions of Claude Code's documentation.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatchcase

from ..claude.command_line import allowed_rules
from ..model.feature import ALWAYS_DISALLOWED_TOOLS, Config, Feature
from ..model.frozen import dataclass
from .prompt_text import without_variables

EVERYTHING = ("Bash", "Bash(*)", "Bash(:*)")

READS_ONLY = frozenset(
    (
        *("cat", "cd", "diff", "du", "echo", "find", "grep", "head", "ls", "pwd", "stat"),
        *("tail", "wc", "which"),
    )
)
"""Programs that need no rule."""

BYPASS = "bypassPermissions"

_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.")
_OPERATOR = re.compile(r"&&|\|\||[;|\n]|(?<![<>&])&(?![>&])")
_MERGED = re.compile(r"\s*\d?>&\d\s*$")
"""Standard error that goes where the output goes: a rule for the command covers it."""


@dataclass(frozen=True)
class ToolRules:
    """The rules for a feature."""

    allowed: Collection[str]
    disallowed: Collection[str] = ()
    is_free: bool = False
    """Whether Claude asks for nothing, so that only what is disallowed is refused."""

    def refused(self, command: str) -> list[str]:
        """The parts of a command that no rule allows, or that one forbids."""
        parts = (_MERGED.sub("", without_variables(part)) for part in parts_of(command))
        return [part for part in parts if not self._allow(part)]

    def forbid(self, command: str) -> bool:
        """Whether a rule forbids a simple command: no other rule can allow it."""
        return any(_matches(rule, command) for rule in self.disallowed)

    def _allow(self, command: str) -> bool:
        if self.forbid(command):
            return False
        is_harmless = self.is_free or command.split()[0] in READS_ONLY
        return is_harmless or any(_matches(rule, command) for rule in self.allowed)


def rules_of(config: Config, feature: Feature) -> ToolRules:
    """The rules that Claude gets for a feature."""
    return ToolRules(
        allowed_rules(config.claude, feature, config.project.verify),
        (*ALWAYS_DISALLOWED_TOOLS, *config.claude.disallowed_tools),
        config.claude.permission_mode == BYPASS,
    )


def parts_of(command: str) -> list[str]:
    """The simple commands of a compound one."""
    hidden = _QUOTED.sub(lambda found: "_" * len(found[0]), command)
    ends = [found.span() for found in _OPERATOR.finditer(hidden)]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(command)]
    parts = [command[start:stop].strip() for start, stop in zip(starts, stops)]
    return [part for part in parts if part]


def rule_for(command: str) -> str:
    """The rule to add for a simple command."""
    return f"Bash({command}:*)"


def _matches(rule: str, command: str) -> bool:
    rule = rule.strip()
    if rule in EVERYTHING:
        return True
    if not (rule.startswith("Bash(") and rule.endswith(")")):
        return False
    pattern = rule[len("Bash(") : -1]
    if pattern.endswith((":*", " *")):
        begin = pattern[:-2]
        return command == begin or command.startswith(f"{begin} ")
    if "*" in pattern:
        return fnmatchcase(command, pattern.replace("[", "[[]").replace("?", "[?]"))
    return command == pattern
