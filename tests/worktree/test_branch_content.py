"""A finished feature's branch after changes by the user."""

from __future__ import annotations

import unittest
from typing import ClassVar

from core.git.door import Git
from core.git.opening import open_repository
from core.process.spawner import Spawner, run_sync
from core.worktree.branch_content import BranchContent, Change, Origin, branch_content, start_of
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Content, Repository

setUpModule = skip_if_run_elsewhere

TEXT = "".join(f"{number}\n" for number in range(9))


class HoldingTest(unittest.TestCase):
    """One result of two commits; each test has a branch of its own."""

    repository: ClassVar[Repository]
    git: ClassVar[Git]
    start: ClassVar[str]
    first: ClassVar[str]
    result: ClassVar[str]
    target: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.repository = Repository()
        cls.addClassCleanup(cls.repository.close)
        path, environ = cls.repository.path, cls.repository.environ
        cls.git = run_sync(open_repository(Spawner(), path, environ))
        cls.start = cls.repository.commit({"text": TEXT}, "start")
        cls.repository.git("checkout", "--quiet", "-b", "result")
        cls.first = cls.made("first", {"a": "1\n"}, 1000)
        cls.result = cls.made("second", {"text": TEXT + "9\n"}, 2000)
        cls.repository.git("checkout", "--quiet", "main")
        cls.target = cls.made("meanwhile", {"other": "1\n", "text": "top\n" + TEXT}, 3000)

    @classmethod
    def made(cls, subject: str, files: dict[str, Content], at: int, *words: str) -> str:
        """A commit that was written at a time of its own."""
        cls.repository.write(files)
        cls.repository.git("add", "--all")
        when = {"GIT_AUTHOR_DATE": f"@{at} +0000"}
        cls.repository.git("commit", "--quiet", "--allow-empty", "-m", subject, *words, env=when)
        return cls.repository.commit_of("HEAD")

    def on(self, commit: str) -> None:
        self.repository.git("checkout", "--quiet", "--detach", commit)

    def held(self, tip: str, *, start: str | None = None) -> BranchContent:
        origin = Origin("feature/a", self.start if start is None else start)
        return run_sync(branch_content(self.git, origin, tip, self.result, self.target))

    def assert_counts(self, change: Change, tip: str) -> None:
        held = self.held(tip)
        self.assertEqual((held.change, held.tip, held.hint), (change, tip, ""))
        self.assertEqual(bool(held.words), change is not Change.NONE)

    def assert_taken(self, change: Change, tip: str) -> None:
        held = self.held(tip)
        self.assertEqual((held.change, held.tip), (change, ""))
        self.assertIn(self.result[:10], held.words)
        self.assertIn(self.result[:10], held.hint)

    def test_a_branch_at_its_result_says_nothing(self) -> None:
        self.assert_counts(Change.NONE, self.result)

    def test_further_commits_and_fewer_ones_count(self) -> None:
        self.on(self.result)
        self.assert_counts(Change.ADDED, self.made("third", {"b": ""}, 4000))
        self.assert_counts(Change.SHORTENED, self.first)

    def test_an_amended_commit_counts_by_its_author_and_date(self) -> None:
        self.on(self.result)
        self.repository.write({"text": TEXT + "ten\n"})
        self.repository.git("commit", "--quiet", "--all", "--amend", "-m", "another subject")
        self.assert_counts(Change.REWRITTEN, self.repository.commit_of("HEAD"))
        self.repository.git("mv", "a", "b")
        self.repository.git("mv", "text", "words")
        self.repository.git("commit", "--quiet", "--amend", "-m", "second")
        self.assert_counts(Change.REWRITTEN, self.repository.commit_of("HEAD"))

    def test_a_rebased_branch_counts_also_once_the_target_holds_it(self) -> None:
        self.on(self.result)
        self.repository.git("rebase", "--quiet", self.target)
        tip = self.repository.commit_of("HEAD")
        self.assert_counts(Change.REWRITTEN, tip)
        origin = Origin("feature/a", self.start)
        landed = run_sync(branch_content(self.git, origin, tip, self.result, tip))
        self.assertEqual((landed.change, landed.tip), (Change.REWRITTEN, tip))

    def test_rewritten_commits_count_by_their_files(self) -> None:
        self.on(self.result)
        self.repository.git("reset", "--quiet", "--soft", self.start)
        self.assert_counts(Change.REWRITTEN, self.made("all of it", {}, 5000))

    def test_a_branch_that_was_reset_to_its_start_or_to_the_target_holds_nothing(self) -> None:
        for tip in (self.start, f"{self.start}~1", self.target):
            self.assert_taken(Change.EMPTIED, self.repository.commit_of(tip))

    def test_inputs_that_do_not_affect_the_result_do_not_count(self) -> None:
        self.on(self.start)
        self.assert_taken(Change.REPLACED, self.made("something else", {"else": ""}, 6000))
        self.repository.git("checkout", "--quiet", "--orphan", "alone")
        alone = self.made("alone", {"text": "x"}, 7000)
        self.assertIs(self.held(alone, start="").change, Change.REPLACED)

    def test_nothing_is_known_of_a_deleted_result(self) -> None:
        origin = Origin("feature/a", self.start)
        held = run_sync(branch_content(self.git, origin, self.target, "0" * 40, self.start))
        self.assertIs(held.change, Change.REPLACED)

    def test_a_branch_that_is_gone_holds_nothing(self) -> None:
        self.assert_taken(Change.DELETED, "")
        self.assertEqual(
            self.held("").hint, f"to restore it: git branch feature/a {self.result[:10]}"
        )

    def test_own_work_begins_where_the_run_began_or_after_what_it_needs_now(self) -> None:
        def start(tip: str, *below: str, known: str = "") -> str:
            return run_sync(start_of(self.git, known or self.start, below, tip, self.target))

        self.assertEqual(start(self.result), self.start)
        self.assertEqual(start(self.result, self.first), self.first)
        self.assertEqual(start(self.result, self.target), self.start)
        self.on(self.target)
        rebased = self.made("on the target", {}, 8000)
        self.assertEqual(start(rebased, known=self.result), self.target)


if __name__ == "__main__":
    unittest.main()
