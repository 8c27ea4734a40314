"""A board of the web page over a journal, for tests."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from collections.abc import Sequence
from typing import Any

from core.journal.journal import Journal
from core.journal.lock import Holder
from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.views.run_view import NO_EXTRAS, Extras
from core.views.web.board import Board
from core.views.web.run_story import Known
from tests.support.run_views import RUN
from tests.support.story import AT

NAMES = {"auth": ("Sign-in", ()), "api": ("REST", ("auth",)), "app": ("App", ("api",))}


def running(id: str, at: float = AT, log: str = "", number: int = 1) -> list[Event]:
    """A feature whose Claude is at work."""
    decision = Decision(id, Action.START, "new", "key")
    return [
        events.preparing(at, RUN, decision, branch=f"feature/{id}", worktree=f"/w/{id}", name=id),
        events.based(at, RUN, decision, start_commit="57a7" * 10, base_commit="ba5e" * 10),
        again(id, at, log, number),
    ]


def again(id: str, at: float, log: str, number: int) -> Event:
    """A further attempt."""
    return events.attempt_started(
        at, RUN, id, attempt=number, session_id=f"s{number}", resumed=number > 1, log=log
    )


def says(text: str) -> bytes:
    """A line of Claude's stream."""
    block = {"type": "text", "text": text}
    return json.dumps({"type": "assistant", "message": {"content": [block]}}).encode() + b"\n"


def told(messages: Sequence[bytes]) -> list[tuple[str, Any]]:
    """Kind and data of server-sent events."""
    found = []
    for said in b"".join(messages).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in said.split("\n") if line and line[0] != ":")
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


class BoardTest(unittest.TestCase):
    """A board over the journal in a temporary folder; nothing runs at first."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.journal = Journal(os.path.join(self.folder, "state"))
        self.holder: Holder | None = None
        self.known = Known("Shop", NAMES, "main", "ba5e" * 10, extras=self.extras)
        self.reads = 0
        """How often the list was read."""
        self.asked_for: list[tuple[str, ...]] = []
        """The features whose extras were asked for."""
        self.found = NO_EXTRAS
        self.now = AT + 60
        self.failures: list[BaseException] = []
        self.fail = self.failures.append
        self.board = Board(
            self.journal.path,
            self._know,
            lambda: self.holder,
            lambda command: f"{command} --config x.json",
            lambda: self.now,
        )

    def _know(self) -> Known:
        self.reads += 1
        return self.known

    def extras(self, report: Any, about: Sequence[Event]) -> Extras:
        self.asked_for.append(report.run.features)
        return self.found

    def write(self, *story: Event) -> None:
        """Append events to the journal."""
        self.journal.open()
        for event in story:
            self.journal.append(event)
        self.journal.close()

    def runs(self, pid: int = 1) -> None:
        """The process of the stories is there, and holds the lock."""
        self.holder = Holder(pid, "now", "run")
