"""A runner whose features have setups and checks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from core.model.decision import Action
from core.model.outcome import Fault, Status
from tests.support.runner import RunnerTest, run_id
from tests.support.workspace import feature

PAUSE: Mapping[str, object] = {"linger": 0}
"""The agent reports success here; told of something, it goes on behind it."""


VARIABLES = ("FEATURE", "BRANCH", "RUN", "SLOT", "PORT")


SHOW = "echo $RORCHESTRATOR_FEATURE $RORCHESTRATOR_BRANCH $RORCHESTRATOR_RUN"


SHOW_ALL = f"{SHOW} $RORCHESTRATOR_SLOT $RORCHESTRATOR_PORT"


_PLACES = re.compile(r"^\[(in .*|.* after .*)\]\n", re.MULTILINE)


def without_places(logged: str) -> str:
    """A log of commands without where and when they ran, and how they ended."""
    return _PLACES.sub("", logged)


class ChecksTest(RunnerTest):
    def lists(self, *does: Mapping[str, object], project: Any = (), **more: object) -> None:
        """One feature, which writes ``a.md`` where nothing else is said."""
        self.workspace.features(feature("a", *does, **more), **dict(project))

    def ignore(self, *patterns: str, **files: str) -> None:
        """Commit a .gitignore and, beside it, write files that may be ignored."""
        self.workspace.commit({".gitignore": "".join(f"{p}\n" for p in patterns)})
        self.workspace.write(files)

    def supply(self, name: str, content: str = "secret\n") -> None:
        self.workspace.write({name: content})

    def here(self, *parts: str) -> str:
        return os.path.join(self.workspace.worktree("a"), *parts)

    def read(self, *parts: str) -> str:
        with open(self.here(*parts), encoding="utf-8") as file:
            return file.read()

    def log(self, kind: str, feature: str = "a", run: int = 0) -> str:
        """What was logged in this run, without places and times; empty where nothing was."""
        name = f"{feature}.{kind}.log"
        path = self.workspace.beside("logs", run_id(run or self.runs), name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as file:
            return without_places(file.read())

    def completes(self, action: Action = Action.START) -> None:
        outcome = self.run_feature(action=action)
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)

    def fails(self, fault: Fault, *reasons: str, action: Action = Action.START) -> None:
        outcome = self.run_feature(action=action)
        for reason in reasons:
            self.assert_failed(outcome, fault, reason)

    def count(self, kind: str) -> int:
        return self.kinds().count(kind)
