"""The command line of `decompose --talk`: Claude in a terminal, with the plugin and its command."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from ...model.feature import ClaudeOptions
from ...model.terminal_text import shell_word
from ...process.own_program import PACKAGE
from ...process.spawner import which

NAME = "rorchestrator"

COMMAND = "/rorchestrator:plan-features"

FREE = (
    *("doctor --json", "plan", "plan --json", "lint --json", "assist --check --json"),
    *("status --json", "schema"),
    *("templates list", "templates show feature"),
)
"""What Claude may type without a question: it changes nothing and costs nothing."""


def typed_command(environ: Mapping[str, str], package: str = PACKAGE) -> str:
    """How to start this program in a shell: by its name if it is on ``PATH``."""
    if which(NAME, environ):
        return NAME
    script = os.path.join(os.path.dirname(package), "orchestrate.py")
    if os.path.isfile(script):
        return f"{shell_word(sys.executable)} {shell_word(script)}"
    return f"{shell_word(sys.executable)} -m {os.path.basename(package)}"


def talk_words(
    options: ClaudeOptions, plugin: str, command: str, spec: str = "", list_file: str = ""
) -> Sequence[str]:
    """The command line; ``spec`` is a file with a specification, ``list_file`` a named list.

    ``command`` is how this program is started. Of the ``options``, program and model count.
    """
    rules = ",".join(f"Bash({command} {words})" for words in FREE)
    said = []
    if command != NAME:
        said.append(f"`rorchestrator` is started here by typing: {command}")
    if list_file:
        said.append(f"The feature list is {list_file}: give it to each command with --config.")
    valued = {
        "--plugin-dir": plugin,
        "--allowedTools": rules,
        "--model": options.model,
        "--append-system-prompt": "\n".join(said),
    }
    words = [f"{name}={value}" for name, value in valued.items() if value]
    return [*options.command, *words, f"{COMMAND} {spec}".rstrip()]
