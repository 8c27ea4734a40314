"""The completion scripts, in the shells that are installed: a word, a tab, and what comes of it."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from core.start.completion import SCRIPTS
from tests.support.commands import CONDITION_SECONDS, run_in_process
from tests.support.once import once
from tests.support.paths import ORCHESTRATE, ROOT

FEATURES = [
    {"id": "auth", "name": "Sign: in", "tags": ["my tag", "x$(touch broken)"]},
    {"id": "search", "tags": ["team:data"]},
]

STARTS = {
    "bash": ("bash", "--noprofile", "--norc", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}

BEGINS = {
    "bash": "PS1='> '; . ./script; rorchestrator() { printf '<%s>' \"$@\"; echo .; }\n",
    "zsh": "PS1='> '; autoload -Uz compinit && compinit -u -D; . ./script; "
    "rorchestrator() { printf '<%s>' \"$@\"; echo . }\n",
    "fish": "source ./script; function rorchestrator; printf '<%s>' $argv; echo .; end\n",
}
"""Loads the script; the function shows the words of the line instead of the program."""

LINES = (
    ("pla", "<plan>."),
    ("run --reh", "<run><--rehearse>."),
    ("run --progress=li", "<run><--progress=live>."),
    ("run --color ne", "<run><--color><never>."),
    ("run --only auth,s", "<run><--only><auth,search>."),
    ("logs au", "<logs><auth>."),
    ("run --tag my", "<run><--tag><my tag>."),
    ('run --tag "my', "<run><--tag><my tag>."),
    ("run --tag x", "<run><--tag><x$(touch broken)>."),
    ("run --tag team:d", "<run><--tag><team:data>."),
    ("run --junit a-fi", "<run><--junit><a-file.xml>."),
    ("run --junit=a-fi", "<run><--junit=a-file.xml>."),
)


class Shell:
    """An interactive shell at a terminal of its own."""

    def __init__(self, name: str, folder: str) -> None:
        self.ours, theirs = os.openpty()
        environ = {
            "PATH": os.pathsep.join((os.path.join(folder, "bin"), os.environ["PATH"])),
            "HOME": folder,
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
        }
        self.process = subprocess.Popen(
            STARTS[name],
            cwd=folder,
            env=environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.said = ""

    def types(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def wait_for(self, expected: str) -> str:
        """What it printed until then; all of it, in vain, if that takes too long."""
        deadline = time.monotonic() + CONDITION_SECONDS
        while expected not in self.said and time.monotonic() < deadline:
            if select.select([self.ours], [], [], 0.1)[0]:
                self.said += os.read(self.ours, 65536).decode("utf-8", "replace")
        said, self.said = self.said, ""
        return said

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.ours)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@once
class InTheShells(unittest.TestCase):
    folder: str

    @classmethod
    def setUpClass(cls) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = temporary.name
        for name in ("config", "bin"):
            os.mkdir(os.path.join(cls.folder, name))
        path = os.path.join(cls.folder, "bin", "rorchestrator")
        cls.write("bin/rorchestrator", f'#!/bin/sh\nexec {sys.executable} {ORCHESTRATE} "$@"\n')
        os.chmod(path, 0o755)
        cls.write("config/feature_list.json", json.dumps({"features": FEATURES}))
        cls.write("a-file.xml", "")

    @classmethod
    def write(cls, name: str, text: str) -> None:
        with open(os.path.join(cls.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def completes(self, name: str) -> None:
        if not shutil.which(name):
            self.skipTest(f"{name} is not installed")
        said = run_in_process(["completion", name], ROOT, {})
        self.assertEqual((said.code, said.out, said.err), (0, SCRIPTS[name], ""))
        self.write("script", said.out)
        shell = Shell(name, self.folder)
        self.addCleanup(shell.close)
        shell.types(BEGINS[name])
        for typed, expected in LINES:
            with self.subTest(typed):
                shell.types(f"rorchestrator {typed}\t\n")
                self.assertIn(expected, shell.wait_for(expected))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "broken")))

    def test_bash(self) -> None:
        self.completes("bash")

    def test_zsh(self) -> None:
        self.completes("zsh")

    def test_fish(self) -> None:
        self.completes("fish")


if __name__ == "__main__":
    unittest.main()
