"""Whole runs of the command."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import time
from collections.abc import Mapping

from tests.support.commands import CommandResult, Running, wait_until
from tests.support.workspace import WorkspaceTest, feature

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


FULL_LIFE = [
    "preparing",
    "based",
    "attempt_started",
    "attempt_ended",
    "verifying",
    "committing",
    "ended",
]


class RunTest(WorkspaceTest):
    def held(self, id: str, *does: Mapping[str, object], **more: object) -> dict[str, object]:
        """A feature whose agent makes the file ``<id>.began`` and waits for ``<id>.go``."""
        path = self.workspace.beside
        hold = ({"write": path(f"{id}.began")}, {"wait": path(f"{id}.go")})
        return feature(id, *hold, *(does or ({"write": f"{id}.md"},)), **more)

    def wait_for(self, name: str) -> None:
        path = self.workspace.beside(name)
        wait_until(lambda: os.path.exists(path), f"{name} is there")

    def start_held(self, *ids: str) -> Running:
        """A run whose agents are all at work."""
        running = self.workspace.start("run", "--yes")
        for id in ids:
            self.wait_for(f"{id}.began")
        return running

    def reasons(self) -> dict[str, str]:
        """What ``plan`` says of each feature that would run, or not."""
        done = self.workspace.main("plan", "--json")
        self.assertEqual(done.code, 0, done.err)
        found = json.loads(done.out)["features"]
        return {f["id"]: f"{f['action']}: {f['reason']}" for f in found}

    def assert_code(self, done: CommandResult, code: int) -> None:
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        self.assertNotIn("Traceback", done.err)

    def run_to(self, code: int, *argv: str) -> CommandResult:
        done = self.workspace.whole_run(*argv)
        self.assert_code(done, code)
        return done

    def nothing_runs(self) -> None:
        wait_until(lambda: not self.workspace.processes(), "nothing runs any more")


ENDS = ("ended", "run_ended")


def read_until(descriptor: int, words: str) -> str:
    """What a terminal shows until ``words``, or until it closes."""
    shown = b""
    deadline = time.monotonic() + 20
    while not words or words.encode() not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([descriptor], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                chunk = os.read(descriptor, 65536)
                if chunk:
                    shown += chunk
                    continue
            break
    return re.sub("\r\n", "\n", shown.decode("utf-8", "replace"))
