"""Commands that a plan plainly names as checks: "Run `npm test`", "`pytest -q` passes"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..prompt_text import is_command

CHECKING = frozenset(
    (
        *("eslint", "jest", "mypy", "nox", "phpunit", "pytest", "rspec", "rubocop", "ruff"),
        *("tox", "tsc", "vitest"),
    )
)
"""Programs that check whatever their arguments are."""

_WORDS = frozenset(
    (
        *("build", "check", "clippy", "lint", "spec", "specs", "test", "tests", "typecheck"),
        *("vet", "validate", "verify"),
    )
)
"""Words of other commands that make them checks."""

_EFFECTS = frozenset(
    (
        *("add", "apply", "commit", "create", "deploy", "destroy", "dev", "down", "fix", "init"),
        *("install", "migrate", "publish", "push", "release", "reset", "rm", "run-server"),
        *("serve", "start", "up", "update", "upgrade", "watch", "write", "--fix", "--watch"),
        *("--write", "curl", "-u", "--update", "-c", "-e", "eval"),
    )
)
"""Words of commands that do more than check."""

_SHELL = re.compile(r"[|&;<>$`\\\n*?(){}~#!%]")

_LABEL = r"(?:acceptance|checks?|tests?|test strategy|validation|verification|verify)"
_PASSES = (
    r"(?:must |should )?(?:pass|passes|succeed|succeeds|is green|is clean|exits (?:with )?"
    r"(?:code )?0|(?:runs|completes|passes|succeeds) without (?:any )?errors)"
)
_SAID = re.compile(
    rf"(?P<label>(?:\*\*)?{_LABEL}(?:\*\*)?\s*:(?:\*\*)?\s*)?(?P<run>(?:run|running|execute)\s+)?"
    rf"`(?P<command>[^`\n]+)`(?P<passes>,?\s+(?:and (?:it )?)?{_PASSES})?\s*[.!]?\Z",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\A(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?")

LONGEST = 300
"""Characters of a line that is looked at."""


def checks_of(lines: Iterable[str]) -> tuple[str, ...]:
    """The commands of lines that say nothing but that this command is to pass."""
    return tuple(dict.fromkeys(_checks(lines)))


def _checks(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        text = line.strip()
        if "`" not in text or len(text) > LONGEST:
            continue
        said = _SAID.match(_MARKER.sub("", text, count=1))
        if said and (said["label"] or said["run"] or said["passes"]):
            command = said["command"].strip()
            if is_check(command):
                yield command


def is_check(command: str) -> bool:
    """Whether a command is plain enough to be run unasked: one program that only checks."""
    if not is_command(command) or _SHELL.search(command) or "=" in command.split()[0]:
        return False
    words = command.lower().split()
    parts = {part for word in words for part in (word, *re.split(r"[:/]", word))}
    if parts & _EFFECTS:
        return False
    return words[0] in CHECKING or bool(set(words[:4]) & CHECKING) or bool(parts & _WORDS)
