"""The program of Claude Code: found on PATH (or missing), and the version that it tells."""

from __future__ import annotations

import os

from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.feature import ClaudeOptions, Config
from ..model.frozen import replace
from ..process.spawner import Spawner, which

VERSION_SECONDS = 5.0
"""How long Claude may take to tell its version."""


def told_version(options: ClaudeOptions) -> str | None:
    """What the user's ``claude --version`` says; ``None`` if there is no claude."""
    if options.env or options.command != ClaudeOptions().command:
        is_there = which(options.command[0], {**os.environ, **options.env})
        return (
            f"not asked, the list names it: {excerpt(' '.join(options.command))}"
            if is_there
            else None
        )
    return ask_version(options)


def ask_version(options: ClaudeOptions) -> str | None:
    """What ``claude --version`` says, or why it says nothing; ``None`` if there is no claude."""
    name, *rest = options.command
    env = {**os.environ, **options.env}
    path = which(name, env)
    if not path:
        return None
    try:
        finished = Spawner().run_limited(
            [path, *rest, "--version"], env=env, timeout_seconds=VERSION_SECONDS
        )
    except UserError as error:
        return error.message
    if finished.code == 0 and finished.text:
        return excerpt(finished.text)
    said = excerpt(finished.complaint) or "no answer"
    return f"there, but it does not tell its version: {said}"


def with_program(config: Config) -> Config:
    """The list with Claude's program as a path, found once and before anything is started."""
    name, *rest = config.claude.command
    path = which(name, {**os.environ, **config.claude.env})
    if not path and os.path.isfile(name) and os.sep in name:
        import shlex

        raise UserError(f"{name} is not executable", hint=f"chmod +x {shlex.quote(name)}")
    if not path and os.sep in name:
        what = "is no program" if os.path.exists(name) else "does not exist"
        raise UserError(f"{name} {what}", hint="correct claude.command in the list")
    if not path:
        raise UserError(
            f"{name} was not found on PATH",
            hint="install Claude Code (https://claude.ai/code), or set claude.command in the list",
        )
    return replace(config, claude=replace(config.claude, command=(os.path.abspath(path), *rest)))
