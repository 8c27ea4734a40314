"""The TODO application built with the real `claude`: docs/QUICKSTART.md, typed block by block.

The repository is the reader's own: everything is in the home of a workspace, and the model is the
stand-in for the Messages API.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import real_claude, todo_project
from tests.support.messages_api import PRICED_MODEL, MessagesApi
from tests.support.paths import ROOT
from tests.support.workspace import Workspace

PAGE = Path(ROOT, "docs", "QUICKSTART.md")

STEPS = ("begin", "plan", "rehearsal", "run", "logs", "look", "use", "merge")
"""What the blocks of the page do, in its order."""

USE = """\
python3 -m src.cli add 'Call home' --file ~/tasks.json
python3 -m src.cli done 1 --file ~/tasks.json
python3 -m src.cli list --file ~/tasks.json
"""
"""The reader uses what was merged, after the page's own use of it; two lines are listed."""


def marker(id: str) -> str:
    """What is in the prompt of this feature only: those of its dependents name it too."""
    return f'Task: bring the feature "{id}" ('


def model() -> MessagesApi:
    """The stand-in that answers as a model that builds the application."""
    return MessagesApi({marker(id): todo_project.turns(id) for id in todo_project.FEATURES})


@dataclass(frozen=True)
class Typed:
    """A block that was typed: what it printed, how long it took, and what was asked by its end."""

    said: str
    seconds: float
    calls: int


class TodoBuild:
    """A reader of the quick start, whose `claude` knows no other model than the stand-in."""

    def __init__(self, workspace: Workspace, api: MessagesApi) -> None:
        self.workspace = workspace
        self.api = api
        self.path = Path(workspace.home, "todo")
        environ = workspace.environ
        environ.update(real_claude.environment(Path(workspace.home), api.url))
        programs = workspace.beside("programs")
        os.mkdir(programs)
        workspace.script(
            "programs/rorchestrator",
            f'#!/bin/sh\nexec {sys.executable} {ROOT}/orchestrate.py "$@"\n',
        )
        workspace.script("programs/python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        workspace.script("programs/claude", f'#!/bin/sh\nexec {real_claude.executable()} "$@"\n')
        environ.update(PATH=f"{programs}:{environ['PATH']}", RORCHESTRATOR=ROOT)
        environ["ANTHROPIC_MODEL"] = PRICED_MODEL

    def play(self, *steps: str) -> dict[str, Typed]:
        """Type these blocks of the page, or all."""
        blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
        chosen = dict(zip(STEPS, blocks))
        return {step: self.types(chosen[step]) for step in steps or STEPS}

    def types(self, block: str) -> Typed:
        """Type a block, which has to succeed."""
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-ec", block],
            cwd=self.path if self.path.exists() else self.workspace.root,
            env=self.workspace.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{block}\n{done.stdout}{done.stderr}")
        seconds = time.monotonic() - began
        return Typed(done.stdout + done.stderr, seconds, len(self.api.charges))

    def report(self, kind: str) -> Any:
        """The report of the one run: ``report`` or ``results``."""
        (path,) = Path(self.path, "reports").glob(f"{kind}_*.json")
        return json.loads(path.read_text("utf-8"))

    def git(self, *words: str) -> list[str]:
        """Lines that git prints in the reader's repository."""
        return self.workspace.git(*words, at=str(self.path)).split("\n")
