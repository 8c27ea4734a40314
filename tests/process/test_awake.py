"""The machine stays awake during a run, as long as the run lives."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import unittest
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest import mock

from core.process import awake
from core.process.awake import inhibitor, kept_awake
from core.process.supervisor import Supervisor
from tests.support.processes import (
    DEADLINE_SECONDS,
    ROOT,
    ProcessTest,
    living,
    soon,
    tearDownModule,  # noqa: F401
    until,
)

INHIBITS = """#!/bin/sh
# Stands in for systemd-inhibit: takes its lock, and runs the command after its options.
cd "$(dirname "$0")/.."
echo $$ >>pids
while case $1 in -*) ;; *) false ;; esac; do shift; done
"$@"
echo released >>log
"""

DRIVER = """
import asyncio, os, sys
from core.process.awake import kept_awake
from core.process.supervisor import Supervisor

async def main(run):
    async with Supervisor(run) as supervisor:
        async with kept_awake(supervisor, os.environ, lambda words: print(words, flush=True)):
            await asyncio.sleep(3600)

asyncio.run(main(sys.argv[1]))
"""


class AwakeTest(ProcessTest):
    def setUp(self) -> None:
        super().setUp()
        self.said: list[str] = []
        patch = mock.patch.object(awake, "SYSTEMD", self.folder)
        patch.start()
        self.addCleanup(patch.stop)

    def install(self, name: str, script: str) -> None:
        """Put a program on PATH, before all others."""
        programs = Path(self.folder, "bin")
        programs.mkdir(exist_ok=True)
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
        self.environ = {"PATH": f"{programs}:/usr/bin:/bin"}

    def stay(self, until: Callable[[Supervisor], Awaitable[object]]) -> None:
        async def body(supervisor: Supervisor) -> None:
            async with kept_awake(supervisor, self.environ, self.said.append):
                await asyncio.wait_for(until(supervisor), DEADLINE_SECONDS)

        self.supervise(body)

    async def answered(self, _: Supervisor) -> None:
        while not self.said:
            await asyncio.sleep(0.005)

    def test_a_program_of_the_system_holds_it_awake_and_ends_with_the_run(self) -> None:
        self.install("systemd-inhibit", INHIBITS)
        self.stay(self.answered)
        self.assertEqual(self.said, ["The machine stays awake during the run (systemd-inhibit)."])
        self.assertEqual(Path(self.folder, "log").read_text(), "released\n")
        self.assertEqual(living(self.pids()), [])

    def test_a_program_that_fails_is_said_once_and_nothing_else_fails(self) -> None:
        self.install(
            "systemd-inhibit", "#!/bin/sh\necho first >&2; echo 'Access denied' >&2; exit 1"
        )
        self.stay(self.answered)
        said = "The machine may go to sleep during the run: systemd-inhibit: Access denied"
        self.assertEqual(self.said, [said])
        self.said.clear()
        self.install("systemd-inhibit", "#!/bin/sh\n")
        self.stay(self.answered)
        self.assertIn("systemd-inhibit did not start", self.said[0])

    def test_a_program_that_says_nothing_is_ended_with_the_run(self) -> None:
        self.install(
            "systemd-inhibit", f"#!/bin/sh\necho $$ >>'{self.folder}/pids'\nexec sleep 1000"
        )
        with mock.patch.object(awake, "END_SECONDS", 0.01):
            self.stay(lambda supervisor: soon(lambda: self.has(1)))
        self.assertEqual((self.said, living(self.pids())), ([], []))

    def test_other_children_are_swept_as_without_it(self) -> None:
        self.install("systemd-inhibit", INHIBITS)

        async def swept(supervisor: Supervisor) -> None:
            await self.answered(supervisor)
            child = self.start(supervisor, "(setsid sleep 1000 & echo $! >>others)", mark="f")
            await supervisor.wait(child)
            await supervisor.end(child)
            other = int(Path(self.folder, "others").read_text())
            self.assertEqual(living([other]), [])
            self.assertTrue(living(self.pids()), "the program itself")

        self.stay(swept)

    def test_it_ends_when_the_run_is_killed(self) -> None:
        for name in ("caffeinate", "systemd-inhibit"):
            self.install(name, INHIBITS)
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, self.run_id],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            said = process.stdout.readline()
            self.assertIn(b"The machine stays awake during the run", said)
            os.kill(process.pid, signal.SIGKILL)
        self.assertTrue(until(lambda: not living(self.pids())))

    def test_macos_has_another_program(self) -> None:
        self.install("caffeinate", INHIBITS)
        with mock.patch.object(awake, "SYSTEMD", "/nowhere"):
            self.stay(self.answered)
        self.assertEqual(self.said, ["The machine stays awake during the run (caffeinate)."])

    def test_without_a_program_or_without_systemd_nothing_starts(self) -> None:
        self.assertEqual(inhibitor({"PATH": "/nowhere"}), ())
        self.install("systemd-inhibit", "")
        with mock.patch.object(awake, "SYSTEMD", "/nowhere"):
            self.assertEqual(inhibitor({"PATH": f"{self.folder}/bin"}), ())
        self.environ = {"PATH": "/nowhere"}
        self.stay(lambda supervisor: asyncio.sleep(0))
        self.assertEqual(self.said, [])


if __name__ == "__main__":
    unittest.main()
