"""Opening an address in the browser: which program, and whether it could."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.process.browser import open_in_browser
from tests.support.commands import read_text, wait_until


class BrowserTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.environ = {"PATH": self.folder}

    def program(self, name: str, script: str) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)
        return path

    def opens(self, platform: str = "linux", **environ: str) -> bool:
        return open_in_browser("http://a/?b=c", {**self.environ, **environ}, platform)

    @property
    def opened(self) -> str:
        return read_text(os.path.join(self.folder, "opened"))

    def test_the_program_of_the_platform_gets_the_address(self) -> None:
        for name, platform in (("open", "darwin"), ("xdg-open", "linux")):
            self.program(name, f'echo "{name} $1" >"${{0%/*}}/opened"')
            self.assertTrue(self.opens(platform))
            self.assertEqual(self.opened, f"{name} http://a/?b=c\n")

    def test_browser_goes_first_and_one_that_fails_is_passed_over(self) -> None:
        mine = self.program("mine", 'echo "mine $*" >"${0%/*}/opened"')
        self.program("xdg-open", 'echo "theirs $*" >"${0%/*}/opened"')
        self.assertTrue(self.opens(BROWSER=f"'unclosed:{mine} -new %s:xdg-open"))
        self.assertEqual(self.opened, "mine -new http://a/?b=c\n")
        self.program("mine", "exit 3")
        self.assertTrue(self.opens(BROWSER=mine))
        self.assertEqual(self.opened, "theirs http://a/?b=c\n")

    def test_without_a_program_nothing_opens(self) -> None:
        self.assertFalse(self.opens())
        self.program("xdg-open", "exit 4")
        self.assertFalse(self.opens())

    def test_a_browser_that_goes_on_running_is_left_alone(self) -> None:
        beside = os.path.join(self.folder, "go")
        self.program(
            "xdg-open",
            f"until [ -e {beside} ]; do PATH=/usr/bin:/bin sleep 0.05; done\n"
            'echo "$1" >"${0%/*}/opened"',
        )
        self.assertTrue(self.opens())
        with open(beside, "w", encoding="utf-8"):
            pass
        wait_until(lambda: os.path.exists(os.path.join(self.folder, "opened")), "it opened")
        os.wait()


if __name__ == "__main__":
    unittest.main()
