"""A repository with a worktree manager."""

from __future__ import annotations

import os
import unittest
from collections.abc import Coroutine, Mapping

from core.git.door import Git
from core.git.opening import open_repository
from core.git.output import WorktreeStatus
from core.model.errors import UserError
from core.model.feature import Feature
from core.model.frozen import replace
from core.model.outcome import Work
from core.process.spawner import Spawner, run_sync
from core.worktree import keeping
from core.worktree.manager import WorktreeManager
from core.worktree.worktree import Kept, Worktree
from tests.support.repository import Repository

LINES = [f"{number}\n" for number in range(20)]


OLD_GIT = (2, 30)


def changed(**lines: str) -> str:
    """Twenty lines, some of them changed: ``changed(_3="three")``."""
    new = {int(name[1:]): f"{text}\n" for name, text in lines.items()}
    return "".join(new.get(number, line) for number, line in enumerate(LINES))


class WorktreeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository("the repository")
        self.addCleanup(self.repository.close)
        self.folder = os.path.join(self.repository.root, "work trees")
        self.base = self.repository.commit({"a": changed()})
        self.manager = self.open()
        self.feature = Feature("auth", "Sign in")

    def open(self, path: str = "", folder: str = "") -> WorktreeManager:
        opening = open_repository(Spawner(), path or self.repository.path, self.repository.environ)
        return WorktreeManager(run_sync(opening), folder or self.folder, "feature/")

    def with_old_git(self) -> WorktreeManager:
        git = self.manager.git
        old = Git(git.spawner, replace(git.repository, version=OLD_GIT), self.repository.environ)
        return self.manager.using(old)

    def create(self, feature: str = "auth", start: str = "") -> Worktree:
        return run_sync(self.manager.create(feature, start or self.base))

    def write(self, worktree: Worktree, files: Mapping[str, str | bytes | None]) -> None:
        self.repository.write(files, at=worktree.path)

    def work(self, worktree: Worktree) -> Work:
        status = run_sync(self.manager.inspect(worktree))
        assert isinstance(status, WorktreeStatus), status
        return run_sync(self.manager.commit(worktree, status, self.feature, "run1"))

    def result(self, feature: str, files: Mapping[str, str | bytes | None], start: str = "") -> str:
        """The commit of a feature that changes ``files``."""
        worktree = self.create(feature, start)
        return self.repository.commit(files, feature, at=worktree.path)

    def on(self, branch: str, files: Mapping[str, str | bytes | None], start: str = "") -> str:
        """A commit on a branch of the user's."""
        if start:
            self.repository.git("checkout", "-q", "-b", branch, start)
        else:
            self.repository.git("checkout", "-q", branch)
        return self.repository.commit(files, f"on {branch}")

    def keep(self, path: str = "", start: str = "", run: str = "run1") -> Kept:
        return run_sync(keeping.keep(self.manager, "auth", run, path, start or self.base))

    def keeping(self, path: str) -> Coroutine[None, None, Kept]:
        return keeping.keep(self.manager, "auth", "run1", path, self.base)

    def refused(self, change: Coroutine[None, None, object], pattern: str) -> UserError:
        with self.assertRaisesRegex(UserError, pattern) as caught:
            run_sync(change)
        return caught.exception
