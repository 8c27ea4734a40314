"""Completes the commands in a message with the options of the current command (`--config`)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .patterns import pattern

ALWAYS = ("config",)
"""Options that every command needs, to use the same list."""

OF_A_RUN = ("base", "only", "tag", "no_deps")
"""Options that a further run or plan needs, to select the same features."""

RUNS = ("run", "plan")

_COMMAND = pattern(
    r"(?<![\w/.-])rorchestrator "
    r"(plan|run|retry|skip|reload|attach|stop|pause|resume|status|why|watch|logs"
    r"|review|diff|report|history|web|merge|undo|push|pr|feedback|cleanup|export|submit|notify"
    r"|templates|lint|import)\b"
    r"(?! is | \(pid )"  # a sentence about a running command, not one to type
    r"(?=([^\n;,`]*))"
)


def completed(text: str, given: Mapping[str, object]) -> str:
    """``text`` with its commands completed; ``given`` are the options of the current command."""
    if "rorchestrator " not in text:
        return text  # most do not need the pattern, which takes half a millisecond to compile

    def with_options(found: re.Match[str]) -> str:
        command, rest = found[1], found[2]
        names = (*ALWAYS, *(OF_A_RUN if command in RUNS else ()))
        words = [word for name in names for word in _words(name, given.get(name), rest)]
        return " ".join((found[0], *words))

    return _COMMAND.sub(with_options, text)


def _words(name: str, value: object, rest: str) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if not value or option in rest:
        return []
    if value is True:
        return [option]
    import shlex

    return [option, shlex.quote(",".join(value) if isinstance(value, list) else str(value))]
