"""Files of commits: listed, searched, compared."""

from __future__ import annotations

from core.git import (
    commits,
    worktree_status,
)
from core.git.door import GitError
from core.process.spawner import run_sync
from tests.support.git import MISSING, GitTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class ContentTest(GitTest):
    """What a commit holds, and what a worktree ignores."""

    def test_a_path_is_in_a_commit_or_not_however_it_is_spelled(self) -> None:
        commit = self.repository.commit({"src/a b.py": "x", "-f": "x"})
        for path in ("src", "src/", "./src/a b.py", "src//a b.py", "src/../src", "-f"):
            with self.subTest(path):
                self.assertTrue(run_sync(commits.has_path(self.git, commit, path)))
        for path in ("other", "src/a", "../src", "src/a b.py/x", "/src", "SRC"):
            with self.subTest(path):
                self.assertFalse(run_sync(commits.has_path(self.git, commit, path)))

    def test_a_line_is_searched_in_text_files_and_not_in_excluded_ones(self) -> None:
        commit = self.repository.commit({"a.py": "one\n", "b/c.md": "two\n", "d": b"\0three\n"})
        cases = {"one": True, "^one$": True, "tw+o": False, "three": False, "-x": False}
        for pattern, expected in cases.items():
            with self.subTest(pattern):
                found = run_sync(commits.has_line(self.git, commit, pattern, exclude=["*.md"]))
                self.assertEqual(found, expected)
        self.assertTrue(run_sync(commits.has_line(self.git, commit, "two")))

    def test_a_search_that_git_cannot_make_is_no_answer(self) -> None:
        with self.assertRaises(GitError):
            run_sync(commits.has_line(self.git, MISSING, "one"))

    def test_lines_are_found_by_whole_words(self) -> None:
        text = "class Task:\nclass Tasks:\n# Task\n-x\n"
        commit = self.repository.commit({"a.py": text, "b.md": "Task\n", "c": b"\0Task\n"})
        found = run_sync(commits.lines_with(self.git, commit, ["Task", "-x"], ["*.md"]))
        self.assertEqual(found, "class Task:\n# Task\n-x\n")
        self.assertEqual(run_sync(commits.lines_with(self.git, commit, ["None"], [])), "")
        self.assertEqual(run_sync(commits.lines_with(self.git, commit, [], [])), "")
        with self.assertRaises(GitError):
            run_sync(commits.lines_with(self.git, MISSING, ["Task"], []))

    def test_the_latest_commits_tell_the_files_that_they_changed(self) -> None:
        self.repository.commit({"a": "1", "b": "1"})
        self.repository.commit({"b": "2", "c/d é": "2"})
        last = self.repository.commit({"a": "3"})
        found = run_sync(commits.latest_changes(self.git, last, 2))
        self.assertEqual(found, [{"a"}, {"b", "c/d é"}])

    def test_commits_that_are_gone_are_told_from_those_that_exist(self) -> None:
        commit = self.repository.commit({"a": "1"})
        found = run_sync(commits.existing(self.git, [commit, MISSING]))
        self.assertEqual(found, {commit})
        self.assertEqual(run_sync(commits.existing(self.git, [])), set())

    def test_an_ignored_file_of_a_worktree_may_be_missing(self) -> None:
        self.repository.commit({".gitignore": ".env\nlib/\n", "tracked.env": ""})
        asked = [".env", "lib/", "lib", "deep/.env", "tracked.env", "lib/é"]
        found = run_sync(worktree_status.ignored_of(self.git, self.repository.path, asked))
        self.assertEqual(found & set(asked), {".env", "lib/", "deep/.env", "lib/é"})
        nothing = run_sync(
            worktree_status.ignored_of(self.git, self.repository.path, ["tracked.env"])
        )
        self.assertEqual(nothing & {"tracked.env"}, set())
