"""A repository that knows nothing of us yet, with Claude's stand-in as ``claude`` on PATH."""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Mapping

from core import cli
from tests.support.commands import CommandResult, Terminal, standing_in, streams
from tests.support.paths import AGENT
from tests.support.workspace import Workspace


class Fresh(Workspace):
    """A repository with these files in one commit, and without a list."""

    def __init__(self, files: Mapping[str, str], *, name: str = "shop") -> None:
        super().__init__(apart=True, name=name)
        self.folder = self.path
        self.list_file = os.path.join(self.path, "config", "feature_list.json")
        self.worktrees = self.beside(f"{name}-worktrees")
        if files:
            self.commit(dict(files), "a fresh tree")
        self.programs = self.beside("programs")
        os.mkdir(self.programs)
        self.program("claude", f'exec {shlex.join(AGENT)} "$@"')
        self.environ["PATH"] = f"{self.programs}{os.pathsep}{self.environ['PATH']}"

    def program(self, name: str, script: str) -> None:
        """Put a program on PATH."""
        self.script(os.path.join(self.programs, name), f"#!/bin/sh\n{script}\n")

    def answered(self, *words: str, answer: str, at: str = "") -> CommandResult:
        """Run the command in this process, on a terminal on which somebody answers."""
        with standing_in(at or self.path, self.environ):
            out, err = (Terminal(io.BytesIO(), encoding="utf-8") for _ in range(2))
            with streams(out, err, Terminal(io.BytesIO(answer.encode()), encoding="utf-8")):
                code = cli.main(words)
        return CommandResult(code, *(_content(stream) for stream in (out, err)))


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode()
