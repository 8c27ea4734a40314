"""Commands that a message tells the user to type, with the options that this one was given."""

from __future__ import annotations

import re
from collections.abc import Mapping

ALWAYS = ("config",)
"""Options that every command needs to mean the same list."""

OF_A_RUN = ("base", "only", "tag", "no_deps")
"""Options that a further run, or its plan, needs to mean the same features."""

RUNS = ("run", "plan")

_COMMAND = re.compile(
    r"(?<![\w/.-])rorchestrator "
    r"(plan|run|retry|skip|attach|stop|pause|resume|status|logs|merge|cleanup)\b"
    r"(?! is | \(pid )"  # which tells of a command that somebody has typed
    r"(?=([^\n;,`]*))"
)


def completed(text: str, given: Mapping[str, object]) -> str:
    """``text`` with each command in it completed; ``given`` is what this command was given."""

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
