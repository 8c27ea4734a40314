"""Opening a file with the desktop's program."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.model.errors import UserError
from core.process.opener import OPENERS, open_file
from tests.support.commands import read_text, wait_until


class Opening(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.env = {"PATH": f"{self.folder}:/usr/bin:/bin"}

    def opener(self, script: str) -> None:
        path = os.path.join(self.folder, OPENERS[0])
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def test_the_program_gets_the_path(self) -> None:
        said = os.path.join(self.folder, "said")
        self.opener(f'printf %s "$1" > {said}')
        open_file("/a page.html", self.env)
        self.assertEqual(read_text(said), "/a page.html")

    def test_a_program_that_becomes_the_browser_is_left_alone(self) -> None:
        said, gone = (os.path.join(self.folder, name) for name in ("said", "gone"))
        self.opener(f"echo $$ > {said}; while [ -e {said} ]; do sleep 0.01; done; echo > {gone}")
        open_file("/page.html", self.env, wait_seconds=0.05)
        wait_until(lambda: os.path.exists(said) and read_text(said).strip(), "it runs")
        pid = int(read_text(said))
        os.kill(pid, 0)
        os.unlink(said)
        wait_until(lambda: os.path.exists(gone), "it ended by itself")
        os.waitpid(pid, 0)

    def test_what_the_program_says_is_passed_on(self) -> None:
        self.opener("echo no browser >&2; exit 3")
        with self.assertRaises(UserError) as raised:
            open_file("/page.html", self.env)
        self.assertIn("could not open the page: no browser", raised.exception.message)
        self.assertIn("open /page.html in a browser", raised.exception.hint)

    def test_a_system_without_one_says_what_to_open(self) -> None:
        with self.assertRaises(UserError) as raised:
            open_file("/page.html", {"PATH": self.folder})
        self.assertEqual(raised.exception.message, f"{OPENERS[0]} was not found")
        self.assertEqual(raised.exception.hint, "open /page.html in a browser")
