"""The `claude` program: found on PATH or missing, and its version."""

from __future__ import annotations

import os

from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.feature import ClaudeOptions, Config
from ..model.frozen import replace
from ..process.spawner import Spawner, which

VERSION_SECONDS = 5.0
"""Time limit for ``claude --version``."""


def claude_version(options: ClaudeOptions) -> str | None:
    """The version of the user's ``claude``; ``None`` if it is missing.

    A command from the list is not executed.
    """
    if options.env or options.command != ClaudeOptions().command:
        is_there = which(options.command[0], {**os.environ, **options.env})
        return (
            f"unknown; the list sets the command: {excerpt(' '.join(options.command))}"
            if is_there
            else None
        )
    return query_version(options)


def query_version(options: ClaudeOptions) -> str | None:
    """Output of ``claude --version``, or why there is none; ``None`` if claude is missing."""
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
    return f"installed, but claude --version failed: {said}"


def with_program(config: Config) -> Config:
    """The list with the path of Claude's program, resolved once before anything starts."""
    name, *rest = config.claude.command
    path = which(name, {**os.environ, **config.claude.env})
    if not path and os.path.isfile(name) and os.sep in name:
        import shlex

        raise UserError(f"{name} is not executable", hint=f"chmod +x {shlex.quote(name)}")
    if not path and os.sep in name:
        what = "is not a program" if os.path.exists(name) else "does not exist"
        raise UserError(f"{name} {what}", hint="correct claude.command in the list")
    if not path:
        raise UserError(
            f"{name} was not found on PATH",
            hint="install Claude Code (https://claude.ai/code), or set claude.command in the list",
        )
    return replace(config, claude=replace(config.claude, command=(os.path.abspath(path), *rest)))
