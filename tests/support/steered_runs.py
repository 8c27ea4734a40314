"""A run that is held, for tests that steer it."""

from __future__ import annotations

import threading
import time

from core.journal.control import Request, Requests
from core.model import events
from tests.support.workspace import Workspace


def started(run: str, pid: int) -> events.Event:
    """That a run began."""
    return events.run_started(
        time.time(),
        run,
        pid=pid,
        base_branch="main",
        base_commit="c0ffee",
        features=["auth"],
        max_parallel=1,
    )


class Run(threading.Thread):
    """A run that answers the first request, or only takes it."""

    def __init__(self, space: Workspace, *, answers: bool = True, done: bool = True) -> None:
        super().__init__()
        self.space = space
        self.answers = answers
        self.done = done
        self.over = threading.Event()

    def run(self) -> None:
        """Wait for it."""
        requests = Requests(self.space.state_folder)
        while not self.over.wait(0.01):
            for asked in requests.take("r1"):
                if self.answers:
                    self._answer(asked)

    def _answer(self, asked: Request) -> None:
        for event in asked.events:
            self.space.record(event)
        for id in ("another", asked.id):
            answer = events.steered(
                *(time.time(), "r1", asked.feature),
                action=asked.action,
                request=id,
                done=self.done,
                text=f"{asked.action.value} of {id == asked.id}",
                hint="try again",
            )
            self.space.record(answer)
