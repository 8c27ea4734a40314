"""Which checks of the list Claude may run itself: the rules for them in ``--allowedTools``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from .feature import Command

SPECIAL = frozenset("$`\\*(){}")
"""Substitutions, and characters that a rule can't hold as they are: `*` is its wildcard."""

OPERATORS = frozenset("();<>|&")

RESERVED = frozenset(
    (
        *("!", "[[", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for"),
        *("function", "if", "in", "select", "then", "time", "until", "while"),
    )
)
"""Words that begin something other than a simple command; see the grammar in sh(1)."""


def check_rules(checks: Iterable[Command]) -> tuple[str, ...]:
    """The rules that allow these checks, alone and with further arguments.

    A check has rules only if it is one simple command, without operators and substitutions.
    """
    return tuple(rule for check in checks for rule in _rules(check.line.strip()))


@cache  # All features have the checks of the project.
def _rules(line: str) -> tuple[str, ...]:
    return (f"Bash({line})", f"Bash({line}:*)") if is_simple(line) else ()


def is_simple(line: str) -> bool:
    """Whether a line for the shell is one simple command that a rule can name."""
    if not line.isprintable() or not SPECIAL.isdisjoint(line):
        return False
    words = _words(line)
    program = next((word for word in words if not _is_assignment(word)), "")
    if not program or program in RESERVED or any(word.startswith("#") for word in words):
        return False
    return not any(OPERATORS.issuperset(word) for word in words if word)


def _words(line: str) -> Sequence[str]:
    """The words of a line, operators as words of their own; none if a quote is not closed."""
    import shlex

    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "", True
    try:
        return list(lexer)
    except ValueError:
        return []


def _is_assignment(word: str) -> bool:
    name, sign, _ = word.partition("=")
    return bool(sign) and name.isidentifier()
