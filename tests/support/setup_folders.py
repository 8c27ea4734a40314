"""A folder as a package manager leaves it, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest


class SetupFolderTest(unittest.TestCase):
    """``worktree`` has ``node_modules`` with a link, a program and a read-only folder."""

    def setUp(self) -> None:
        self.root = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(self._remove)
        self.worktree = os.path.join(self.root, "worktree")
        self.write("node_modules/left/index.js", "module.exports = 1\n")
        self.write("node_modules/left/cli.js", "#!/usr/bin/env node\n")
        self.write("packages/own/index.js", "own\n")
        os.chmod(self.path("node_modules/left/cli.js"), 0o755)
        os.mkdir(self.path("node_modules/.bin"))
        os.symlink("../left/cli.js", self.path("node_modules/.bin/left"))
        os.symlink("../packages/own", self.path("node_modules/own"))
        for name in ("node_modules/left/index.js", "node_modules/left"):
            os.utime(self.path(name), (1_000_000, 1_000_000))
        os.chmod(self.path("node_modules/left"), 0o555)

    def path(self, name: str, worktree: str = "") -> str:
        return os.path.join(worktree or self.worktree, name)

    def write(self, name: str, content: str | bytes) -> None:
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def read(self, name: str, worktree: str = "") -> str:
        with open(self.path(name, worktree), encoding="utf-8") as file:
            return file.read()

    def _remove(self) -> None:
        for folder, _, _ in os.walk(self.root):
            os.chmod(folder, 0o700)
        shutil.rmtree(self.root)
