"""`doctor` on the programs that setup, checks and teardown of a list start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from ...model.check_rules import is_simple
from ...model.feature import Config
from ...model.translate import N_
from ...process.spawner import which
from ..prompt_text import without_variables
from ..tool_rules import parts_of
from .diagnosis import Line, warning

OF_THE_SHELL = frozenset(
    (
        *(".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval"),
        *("exec", "exit", "export", "false", "fg", "getopts", "hash", "jobs", "kill", "printf"),
        *("pwd", "read", "readonly", "return", "set", "shift", "source", "test", "times", "trap"),
        *("true", "type", "ulimit", "umask", "unalias", "unset", "wait"),
    )
)
"""Commands that a shell has itself."""


def program_lines(config: Config, environ: Mapping[str, str]) -> Iterator[Line]:
    """The programs of commands that are not on PATH; a path may exist in worktrees only."""
    for program, line in _programs(config).items():
        if not which(program, environ):
            said = N_("{program} is not on PATH, and the list runs it: {line}").format(
                program=program, line=line
            )
            yield warning("programs", said, N_("install it, or correct the command in the list"))


def _programs(config: Config) -> dict[str, str]:
    """The programs of the simple commands of a list, each with the first line that has it."""
    found: dict[str, str] = {}
    project = config.project
    of_features = (line for each in config.features for line in (*each.setup, *each.verify))
    for command in (*project.setup, *project.verify, *project.teardown, *of_features):
        for part in filter(is_simple, parts_of(command.line)):
            program = without_variables(part).split()[0]
            if program not in OF_THE_SHELL and os.sep not in program:
                found.setdefault(program, command.line)
    return found
