"""A PATH with git and stand-ins for other programs only."""

from __future__ import annotations

import os
import shutil

from core.model.feature import ClaudeOptions
from core.start.examining.machine import needed_options
from tests.support.workspace import Workspace

SIGNED_IN = '{"loggedIn": true, "authMethod": "claude.ai"}'

PLAIN = {"command": ["claude"]}
"""Of a list: the ``claude`` on PATH."""


def programs(space: Workspace, **scripts: str) -> dict[str, str]:
    """The environment in which git and these scripts are all there is."""
    folder = space.beside("programs")
    os.makedirs(folder, exist_ok=True)
    git = os.path.join(folder, "git")
    if not os.path.lexists(git):
        os.symlink(shutil.which("git") or "", git)
    for name, script in scripts.items():
        space.script(os.path.join(folder, name.replace("_", "-")), f"#!/bin/sh\n{script}\n")
    return {"PATH": folder}


def claude(*, lacks: str = "", auth: str = SIGNED_IN) -> str:
    """A stand-in for Claude's program; without ``auth`` it has no such command."""
    options = needed_options(ClaudeOptions(), ()) - {lacks}
    usage = "\\n".join(f"  {option} <value>" for option in sorted(options))
    usage += "\\n  auth  Manage authentication" if auth else ""
    return (
        "case $1 in\n--version) echo '2.1.330 (Claude Code)' ;;\n"
        f"--help) printf '{usage}\\n' ;;\nauth) echo '{auth}' ;;\n*) exit 9 ;;\nesac"
    )
