"""Children of every kind for tests of the process room."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
from collections.abc import Awaitable
from pathlib import Path
from typing import Callable

from core.process import table
from core.process.supervisor import (
    Child,
    Supervisor,
)

ROOT = Path(__file__).resolve().parent.parent.parent


LINUX = sys.platform == "linux"


DEADLINE_SECONDS = 20.0


LADDER = ((signal.SIGINT, 0.2), (signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0))


# Each process of these trees writes its id into the folder's file `pids`.
STUBBORN = "trap '' INT TERM; echo $$ >>pids; exec sleep 1000"


GRANDCHILD = "sh -c 'echo $$ >>pids; exec sleep 1000' & "


SETSID = "setsid sh -c 'echo $$ >>pids; exec sleep 1000' & "


DOUBLE_FORK = "(setsid sh -c 'echo $$ >>pids; exec sleep 1000' &) ; "


UNMARKED = "(env -i setsid sh -c 'echo $$ >>pids; exec sleep 1000' &) ; "


DEAF = "(setsid sh -c 'trap \"\" TERM; echo $$ >>pids; exec sleep 1000' &) ; "


LONG = "echo $$ >>pids; exec sleep 1000"


DRIVER = """
import asyncio, os, sys
from core.process.supervisor import Supervisor

async def main(run, folder, number, script):
    async with Supervisor(run) as supervisor:
        print("entered", flush=True)
        for each in range(int(number)):
            supervisor.start(
                ["/bin/sh", "-c", script], env=os.environ, folder=folder, stdin=os.devnull,
                stdout=f"{folder}/out", stderr=f"{folder}/err", mark=f"f.{each}",
            )
            await asyncio.sleep(0)
        await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


_numbers = itertools.count(1)


def tearDownModule() -> None:
    # A sub-reaper inherits every orphan of the tests that follow.
    if LINUX:
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


def until(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def living(pids: list[int]) -> list[int]:
    """Those of the processes that run."""
    rows = table.snapshot()
    return [pid for pid in pids if pid in rows and not rows[pid].zombie]


class ProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror process ")
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.realpath(temporary.name)
        self.run_id = f"test{os.getpid()}.{next(_numbers)}"
        self.environ = {"PATH": os.environ["PATH"]}
        self.addCleanup(self.kill_leftovers)

    def kill_leftovers(self) -> None:
        folders = [entry.path for entry in os.scandir(self.folder) if entry.is_dir()]
        for folder in (self.folder, *folders):
            for pid in living(self.pids(folder)):
                os.kill(pid, signal.SIGKILL)

    def pids(self, folder: str = "") -> list[int]:
        path = os.path.join(folder or self.folder, "pids")
        if not os.path.exists(path):
            return []
        return [int(line) for line in Path(path).read_text().split()]

    def has(self, number: int, folder: str = "") -> bool:
        """Whether so many processes said that they run."""
        return len(self.pids(folder)) >= number

    def read(self, name: str) -> str:
        return Path(self.folder, name).read_text()

    def supervise(self, body: Callable[[Supervisor], Awaitable[None]]) -> None:
        async def main() -> None:
            async with Supervisor(self.run_id) as supervisor:
                await body(supervisor)

        asyncio.run(main())

    def start(
        self, supervisor: Supervisor, script: str, folder: str = "", mark: str = "f.1"
    ) -> Child:
        folder = folder or self.folder
        return supervisor.start(
            ["/bin/sh", "-c", script],
            env=self.environ,
            folder=folder,
            stdin=os.devnull,
            stdout=os.path.join(folder, "out"),
            stderr=os.path.join(folder, "err"),
            mark=mark,
        )

    def driver(self, number: int, script: str, **more: str) -> subprocess.Popen[str]:
        folder = more.pop("folder", self.folder)
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, self.run_id, folder, str(number), script],
            cwd=ROOT,
            env={**self.environ, **more},
            stdout=subprocess.PIPE,
            text=True,
        )


async def soon(condition: Callable[[], object]) -> None:
    """Let the loop run until the condition is true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.005)
