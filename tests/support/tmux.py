"""`Tmux`: a real terminal with a shell in it, whose screen can be read.

Tests that need it are skipped where tmux is missing, unless ``RORCHESTRATOR_TEST_TMUX`` is set.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import unittest
from collections.abc import Callable, Mapping

from tests.support.commands import wait_until

REQUIRED = "RORCHESTRATOR_TEST_TMUX"

needs_tmux = unittest.skipUnless(
    shutil.which("tmux") or os.environ.get(REQUIRED), "tmux is not installed"
)


class Tmux:
    """A terminal of a tmux server of its own, with bash in ``folder``."""

    def __init__(self, folder: str, socket: str, environ: Mapping[str, str]) -> None:
        self._socket = socket
        self._env = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8"}
        shell = ["env", "-i", *(f"{k}={v}" for k, v in environ.items()), "TERM=tmux-256color"]
        started = shlex.join([*shell, "PS1=$ ", "bash", "--norc", "--noprofile", "-i"])
        size = ("-x", "100", "-y", "30")
        self.run("-f", os.devnull, "new-session", "-d", *size, "-c", folder, started)
        self.run("set", "-g", "status", "off")
        self.until(lambda: self.screen and self.screen[0].startswith("$"), "a prompt")

    def run(self, *words: str) -> str:
        """What a tmux command prints."""
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    def close(self) -> None:
        """End the server and what runs in it."""
        self.run("kill-server")

    def type(self, *keys: str) -> None:
        """Press keys, such as ``C-c``, or type words."""
        self.run("send-keys", *keys)

    def enter(self, line: str) -> None:
        """Type a line."""
        self.run("send-keys", "-l", line)
        self.run("send-keys", "Enter")

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        self.run("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def screen(self) -> list[str]:
        """The lines of the screen, without blank ones at its end."""
        return self.run("capture-pane", "-p").rstrip().split("\n")

    @property
    def title(self) -> str:
        """The title that programs set."""
        return self.run("display", "-p", "#{pane_title}").strip()

    def until(self, holds: Callable[[], object], what: str) -> list[str]:
        """The screen once ``holds()``."""
        try:
            wait_until(holds, what)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.screen])) from None
        return self.screen

    def shows(self, text: str) -> list[str]:
        """The screen once it shows ``text``."""
        return self.until(lambda: any(text in line for line in self.screen), text)
