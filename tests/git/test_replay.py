"""Commits made twice are the same commits."""

from __future__ import annotations

from core.git import replay
from core.process.spawner import run_sync
from tests.support.git import GitTest


class ReplayTest(GitTest):
    def test_a_copy_keeps_people_dates_and_message(self) -> None:
        first = self.repository.commit_of("main")
        who = {
            "GIT_AUTHOR_NAME": "Élise",
            "GIT_AUTHOR_EMAIL": "elise@localhost",
            "GIT_AUTHOR_DATE": "1700000000 +0200",
            "GIT_COMMITTER_DATE": "1700000001 -0500",
        }
        message = "subject\n\nbody\n\nTrailer: x"
        commit = ("commit", "--quiet", "--allow-empty", "-m", message)
        self.repository.git(*commit, env=who)
        second = self.repository.commit_of("main")
        tree = run_sync(self.git.tree_of(second))
        copies = {run_sync(replay.copied(self.git, second, tree, first)) for _ in range(2)}
        self.assertEqual(copies, {second})  # the same parent, so the same commit

    def test_a_merge_is_of_the_moment_of_its_last_side(self) -> None:
        first = self.repository.commit_of("main")
        second = self.repository.commit({"a": "1"})
        tree = run_sync(self.git.tree_of(second))
        made = {run_sync(replay.joined(self.git, tree, (first, second), "both")) for _ in range(2)}
        self.assertEqual(len(made), 1)
        shown = self.repository.git("show", "-s", "--format=%P|%an|%ct|%B", *made)
        dates = self.repository.git("show", "-s", "--format=%ct", second)
        self.assertEqual(shown, f"{first} {second}|Test|{dates}|both")
