"""The page of ``run --web``: a process that starts before the run and ends after it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from unittest import mock

from core.process.supervisor import MARK
from core.views.web import beside
from core.views.web.beside import WebBeside
from tests.support.commands import wait_until


class WebBesideTest(unittest.TestCase):
    def setUp(self) -> None:
        self.said: list[str] = []
        self.companions: set[int] = set()
        self.view = WebBeside(
            "r1", self.companions, ["--config=a b"], self.said.append, self.said.append
        )
        self.addCleanup(self.view.close)

    def starts(self, script: str) -> None:
        argv = ["/bin/sh", "-c", script]
        with mock.patch.object(beside, "_command", return_value=argv):
            self.view.at_start()

    def test_its_address_is_said_and_it_is_a_companion_of_the_run(self) -> None:
        self.starts(f'echo \'{{"url": "http://here/"}}\'; echo ${MARK}; read -r line')
        self.assertEqual(self.said, ["Web page: http://here/"])
        self.assertEqual(len(self.companions), 1)
        self.view.on_tick()
        self.view.close()
        self.assertEqual((self.companions, len(self.said)), (set(), 1))
        self.view.close()

    def test_the_guard_knows_it_by_the_mark_of_the_run(self) -> None:
        with mock.patch.dict(os.environ, {MARK: "outer/"}):
            self.starts(f'echo "{{\\"url\\": \\"${MARK}\\"}}"; read -r line')
        self.assertEqual(self.said, ["Web page: outer/r1/~web;"])

    def test_why_there_is_no_page_is_said(self) -> None:
        for script, why in {
            "echo 'rorchestrator: no port is free' >&2": "no port is free",
            "echo '[]'; echo more": "[]",
            "echo '{}'": "{}",
            "exit 3": "it did not start in time",
        }.items():
            self.starts(script)
            self.assertEqual(self.said.pop(), f"There is no web page: {why}")
            self.view.on_tick()
        self.assertEqual((self.said, self.companions), ([], set()))

    def test_a_page_that_ends_by_itself_is_said_once(self) -> None:
        self.starts('echo \'{"url": "http://here/"}\'; exit 1')

        def said() -> bool:
            self.view.on_tick()
            return len(self.said) > 1

        wait_until(said, "its end is said")
        self.view.on_tick()
        self.assertEqual(len(self.said), 2)
        self.assertIn("the run goes on", self.said[1])

    def test_its_command_is_the_same_program(self) -> None:
        *_, program, command, _, _, config = beside._command(["--config=a b"])
        self.assertEqual((command, config), ("web", "--config=a b"))
        self.assertIn("core.cli", program)
        self.assertTrue(os.path.isdir(program.split("'")[1] + "/core"))

    def test_its_command_runs_no_code_of_the_current_folder(self) -> None:
        start = beside._command([])
        start = start[: start.index("web")]
        with tempfile.TemporaryDirectory() as folder:
            for name in ("argparse", "sys", "encodings", "core"):
                with open(os.path.join(folder, f"{name}.py"), "w", encoding="utf-8") as file:
                    file.write("raise SystemExit(99)\n")
            argv = [*start, "--version"]
            done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
