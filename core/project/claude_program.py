"""The `claude` program: found on PATH or missing, and its version."""

from __future__ import annotations

import os

from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.feature import ClaudeOptions, Config
from ..model.frozen import replace
from ..model.translate import N_
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
            N_("unknown; the list sets the command: {command}").format(
                command=excerpt(" ".join(options.command))
            )
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
    said = excerpt(finished.complaint) or N_("no answer")
    return N_("installed, but claude --version failed: {said}").format(said=said)


def with_program(config: Config) -> Config:
    """The list with the path of Claude's program, resolved once before anything starts."""
    name, *rest = config.claude.command
    path = which(name, {**os.environ, **config.claude.env})
    if not path and os.path.isfile(name) and os.sep in name:
        import shlex

        raise UserError(
            N_("{name} is not executable").format(name=name), hint=f"chmod +x {shlex.quote(name)}"
        )
    if not path and os.sep in name:
        what = N_("is not a program") if os.path.exists(name) else N_("does not exist")
        raise UserError(f"{name} {what}", hint=N_("correct claude.command in the list"))
    if not path:
        raise UserError(
            N_("{name} was not found on PATH").format(name=name),
            hint=N_(
                "install Claude Code (https://claude.ai/code), or set claude.command in the list"
            ),
        )
    return replace(config, claude=replace(config.claude, command=(os.path.abspath(path), *rest)))
