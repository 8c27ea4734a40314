"""A repository and a `Git` for tests of git's room."""

from __future__ import annotations

import os
import unittest
from collections.abc import Coroutine, Sequence
from typing import Any, Callable

from core.git import (
    checkouts,
)
from core.git.door import Git, GitError
from core.git.opening import open_repository
from core.process.spawner import Finished, Spawner, run_sync
from tests.support.repository import Repository

MISSING = "1" * 40


def make_worktree(git: Git, path: str, branch: str, commit: str) -> None:
    """A worktree with its files on a new branch, as :mod:`core.worktree` makes it."""
    run_sync(checkouts.add_worktree(git, path, commit))
    run_sync(checkouts.check_out(git, path, branch))
    os.unlink(os.path.join(run_sync(checkouts.admin_dir(git, path)), "locked"))


class Impatient(Spawner):
    """Does not sleep between two tries; counts the commands and the pauses."""

    def __init__(self) -> None:
        self.commands: list[Sequence[str]] = []
        self.pauses = 0
        self.at_pause: Callable[[], object] = lambda: None
        self.complaints: list[str] = []
        """What git says instead of doing its work, the next times."""

    async def run(self, argv: Sequence[str], **options: Any) -> Finished:
        self.commands.append(argv)
        if self.complaints:
            return Finished(128, b"", self.complaints.pop().encode())
        return await super().run(argv, **options)

    async def pause(self, seconds: float) -> None:
        self.pauses += 1
        self.at_pause()


class GitTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = self.make()
        self.spawner = Impatient()
        self.git = self.open(self.repository.path)

    def make(self, name: str = "repository", **how: bool) -> Repository:
        repository = Repository(name, **how)
        self.addCleanup(repository.close)
        return repository

    def open(self, path: str, **more: str) -> Git:
        environ = {**self.repository.environ, **more}
        return run_sync(open_repository(self.spawner, path, environ))

    def beside(self, name: str) -> str:
        return os.path.join(self.repository.root, name)

    def refused(self, change: Coroutine[None, None, object], pattern: str) -> GitError:
        with self.assertRaisesRegex(GitError, pattern) as caught:
            run_sync(change)
        return caught.exception
