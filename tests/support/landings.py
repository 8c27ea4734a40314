"""Finished features as candidates of a landing, in a repository without a run."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping, Sequence

from core.git.door import Git
from core.git.opening import open_repository
from core.landing.layers import Candidate, Held, Stack
from core.landing.stack import Resolve, Stacker
from core.model.feature import Feature
from core.model.frozen import replace
from core.model.strategy import Strategy
from core.process.spawner import Spawner, run_sync
from core.worktree.manager import WorktreeManager
from tests.support.repository import Content, Repository

OLD_GIT = (2, 37)
TEXT = "".join(f"line {number}\n" for number in range(1, 10))


def changed(number: int, words: str, text: str = TEXT) -> str:
    """A text with one line changed."""
    lines = text.splitlines(keepends=True)
    lines[number - 1] = f"{words}\n"
    return "".join(lines)


class LandingTest(unittest.TestCase):
    strategy = Strategy.MERGE

    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.base = self.repository.commit({"text": TEXT}, "text")
        git = run_sync(open_repository(Spawner(), self.repository.path, self.repository.environ))
        folder = os.path.join(self.repository.root, "worktrees")
        self.worktrees = WorktreeManager(git, folder, "feature/")
        self.candidates: list[Candidate] = []
        self.checks: list[str] = []
        self.red: Sequence[frozenset[str]] = ()

    def with_old_git(self) -> None:
        git = self.worktrees.git
        old = Git(git.spawner, replace(git.repository, version=OLD_GIT), self.repository.environ)
        self.worktrees = self.worktrees.using(old)

    def commit(
        self, files: Mapping[str, Content], on: str, message: str = "change", author: str = ""
    ) -> str:
        """A commit on top of another one, on no branch."""
        return self.repository.commit_on(on, files, message, author)

    def finished(
        self, id: str, *changes: Mapping[str, Content], needs: str = "", start: str = ""
    ) -> str:
        """A feature with a commit for each of its changes, each of them its author's own."""
        start = start or (self.tip(needs) if needs else self.base)
        tip = start
        for number, files in enumerate(changes or ({id: id},), start=1):
            tip = self.commit(files, tip, f"{id} {number}\n\nWhy: é", author=f"Author of {id}")
        feature = Feature(id, f"The\n {id}")
        self.candidates.append(Candidate(feature, "run1", tip, start, tuple(filter(None, [needs]))))
        return tip

    def tip(self, id: str) -> str:
        return next(each.tip for each in self.candidates if each.id == id)

    async def check(self, commit: str) -> str:
        """Red where a commit holds all the files of one of the sets that are ``red``."""
        self.checks.append(commit)
        if self.worktrees.git.is_read_only:
            return ""
        files = set(self.repository.files(commit))
        return next((f"{sorted(bad)} fail" for bad in self.red if bad <= files), "")

    resolve: Resolve | None = None

    def stack(self, *, held: Mapping[str, Held] | None = None) -> Stack:
        stacker = Stacker(
            self.worktrees,
            "main",
            self.base,
            self.candidates,
            strategy=self.strategy,
            check=self.check,
            resolve=self.resolve,
        )
        return run_sync(stacker.passing(held or {}))

    def assert_landed(self, stack: Stack, *ids: str) -> None:
        self.assertEqual([layer.candidate.id for layer in stack.layers], list(ids))

    def log(self, stack: Stack, format: str) -> list[str]:
        words = ("log", "--reverse", "--first-parent", f"--format={format}")
        return self.repository.git(*words, f"{self.base}..{stack.tip}").splitlines()
