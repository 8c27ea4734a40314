"""`core.git.door`: queries and changes on real repositories."""

from __future__ import annotations

import unittest
from pathlib import Path

from core.git import (
    checkouts,
    history,
    merged,
)
from core.git.door import TRANSIENT, Git
from core.model.errors import UserError
from core.model.frozen import replace
from core.process.spawner import run_sync
from tests.support.git import MISSING, GitTest, make_worktree


class RefTest(GitTest):
    """Refs, and the commits that they name."""

    def test_refs_are_listed_by_prefix(self) -> None:
        tip = self.repository.branch("feature/a")
        self.repository.branch("other")
        self.repository.git("update-ref", "refs/heads/odd\u2028name", tip)
        self.assertEqual(
            run_sync(self.git.refs("refs/heads/feature/")), {"refs/heads/feature/a": tip}
        )
        self.assertEqual(len(run_sync(self.git.refs("refs/heads/"))), 4)
        self.assertEqual(run_sync(self.git.refs("refs/none/")), {})

    def test_a_revision_names_a_commit_or_nothing(self) -> None:
        tip = self.repository.commit_of("main")
        self.repository.git("tag", "-a", "-m", "x", "v1")
        self.assertEqual(run_sync(self.git.commit_of("v1")), tip)
        for revision in ("none", "", "--all", "-1", "main:README.md"):
            self.assertEqual(run_sync(self.git.commit_of(revision)), "", revision)

    def test_ancestors_and_merge_bases(self) -> None:
        first = self.repository.commit_of("main")
        self.repository.branch("side")
        second = self.repository.commit({"a": "1"})
        self.repository.git("checkout", "-q", "--orphan", "alone")
        alone = self.repository.commit({"b": "2"})
        self.assertTrue(run_sync(self.git.is_ancestor(first, second)))
        self.assertFalse(run_sync(self.git.is_ancestor(second, first)))
        self.assertTrue(run_sync(self.git.is_ancestor("side", second)))
        self.assertFalse(run_sync(self.git.is_ancestor(second, "side")))
        self.assertFalse(run_sync(self.git.is_ancestor(MISSING, first)))
        self.assertEqual(run_sync(self.git.merge_base("side", second)), first)
        self.assertEqual(run_sync(self.git.merge_base(alone, second)), "")
        self.assertEqual(run_sync(history.count_commits(self.git, second, first)), 1)
        self.refused(history.count_commits(self.git, MISSING, first), "list commits")
        self.refused(self.git.tree_of(MISSING), "read the commit")

    def test_a_ref_is_created_once(self) -> None:
        first = self.repository.commit_of("main")
        second = self.repository.commit({"a": "1"})
        self.assertTrue(run_sync(self.git.create_ref("refs/x/a", first)))
        self.assertFalse(run_sync(self.git.create_ref("refs/x/a", second)))
        self.assertEqual(self.repository.commit_of("refs/x/a"), first)
        with self.assertRaises(UserError):
            run_sync(self.git.create_ref("refs/x/a/b", second))
        self.assertEqual(self.spawner.pauses, 0, "a refusal is no reason to try again")

    def test_a_ref_moves_and_goes_only_from_where_we_saw_it(self) -> None:
        first = self.repository.branch("x")
        second = self.repository.commit({"a": "1"})
        ref = "refs/heads/x"
        self.refused(self.git.move_ref(ref, first, second), "move refs/heads/x")
        run_sync(self.git.move_ref(ref, second, first))
        self.assertIn("moved in the meantime", run_sync(self.git.delete_ref(ref, first)))
        self.assertEqual(run_sync(self.git.delete_ref(ref, second)), "")
        self.assertEqual(self.repository.commit_of(ref), "")
        self.assertEqual(self.spawner.pauses, 0)

    def test_a_lock_that_goes_away_delays_and_one_that_stays_fails(self) -> None:
        tip = self.repository.commit_of("main")
        lock = Path(self.repository.path, ".git", "refs", "heads", "x.lock")
        lock.write_text("")
        self.spawner.at_pause = lambda: lock.unlink() if self.spawner.pauses == 3 else None
        self.assertTrue(run_sync(self.git.create_ref("refs/heads/x", tip)))
        self.assertEqual(self.spawner.pauses, 3)
        self.spawner.at_pause = lambda: None
        lock.write_text("")
        self.refused(self.git.move_ref("refs/heads/x", tip, tip), "File exists")
        self.assertEqual(self.spawner.pauses, 3 + 7)
        # It did not move: git's own words tell why it stays.
        said = run_sync(self.git.delete_ref("refs/heads/x", tip))
        self.assertRegex(said, "git could not delete x: .*File exists")

    def test_git_is_retried_if_another_worktree_appears_or_disappears(self) -> None:
        for said in (
            "fatal: Invalid path '/r/.git/worktrees/b': No such file or directory",
            "fatal: failed to read /r/.git/worktrees/b/commondir: Success",
            "fatal: could not open '/r/.git/worktrees/b/HEAD' for writing: No such file",
            "fatal: could not create directory of '/r/.git/worktrees/b': File exists",
        ):
            with self.subTest(said):
                self.spawner.complaints = [said, said]
                self.assertEqual(len(run_sync(checkouts.worktrees(self.git))), 1)
        self.assertEqual(self.spawner.pauses, 8)
        self.spawner.complaints = ["fatal: Invalid path '/r/.git': No such file or directory"] * 2
        self.refused(checkouts.worktrees(self.git), "Invalid path")

    def test_a_question_that_dies_once_is_asked_again_and_a_change_is_not(self) -> None:
        self.spawner.complaints = ["fatal: Out of memory, malloc failed"]
        self.assertEqual(len(run_sync(checkouts.worktrees(self.git))), 1)
        self.assertEqual(self.spawner.pauses, 1)
        self.spawner.complaints = ["fatal: Out of memory, malloc failed"]
        self.refused(checkouts.remove_worktree(self.git, self.beside("w")), "Out of memory")
        self.assertEqual(self.spawner.pauses, 1)

    def test_repositories_with_long_object_names_work(self) -> None:
        path = self.beside("sha256")
        self.repository.git("init", "-q", "--object-format=sha256", path)
        tip = self.repository.commit({"a": "1\n"}, at=path)
        git = self.open(path)
        self.assertEqual(len(tip), 64)
        self.assertTrue(run_sync(git.create_ref("refs/x/a", tip)))
        self.assertFalse(run_sync(git.create_ref("refs/x/a", tip)))
        make_worktree(git, self.beside("w"), "feature/a", tip)
        picked = self.repository.commit({"b": "1\n"}, at=self.beside("w"))
        self.repository.commit({"c": "1\n"}, at=path)
        self.repository.git("cherry-pick", picked, at=path)
        self.assertTrue(run_sync(merged.equivalent(git, picked, "main")))
        self.assertTrue(run_sync(merged.squashed(git, picked, "main")))

    def test_a_commit_is_made_of_a_tree_with_or_without_an_identity(self) -> None:
        tree = run_sync(self.git.tree_of("main"))
        main = self.repository.commit_of("main")
        for config, expected in (
            ("", "Test"),
            ("[user]\n\tuseConfigOnly = true\n", "RoRchestrator"),
        ):
            if config:
                Path(self.repository.config).write_text(config)
            git = self.open(self.repository.path)
            made = [run_sync(git.commit_tree(tree, (main,), "the message")) for _ in range(2)]
            said = self.repository.git("log", "-1", "--format=%an|%cn|%s|%P", made[1])
            self.assertEqual(said, f"{expected}|{expected}|the message|{main}")

    def test_a_committer_without_an_author_is_enough(self) -> None:
        Path(self.repository.config).write_text("[user]\n\tuseConfigOnly = true\n")
        who = {"GIT_COMMITTER_NAME": "CI", "GIT_COMMITTER_EMAIL": "ci@localhost"}
        git = self.open(self.repository.path, **who)
        made = run_sync(git.commit_tree(run_sync(git.tree_of("main")), (), "x"))
        said = self.repository.git("log", "-1", "--format=%an|%cn", made)
        self.assertEqual(said, "RoRchestrator|CI")


class TransientTest(unittest.TestCase):
    def test_transient_failures_are_distinguished_from_permanent_ones(self) -> None:
        texts = {
            b"fatal: Unable to create '/r/.git/index.lock': File exists.": True,
            b"fatal: failed to read .git/worktrees/x/commondir": True,
            b"fatal: bad object worktrees/x/HEAD": True,
            b"error: could not lock config file .git/config: File exists": True,
            b"fatal: could not open 'worktrees/x/gitdir' for writing: No such file": True,
            b"fatal: could not create directory of 'worktrees/x': File exists": True,
            b"error: unable to create temporary file: No such file or directory": True,
            b"error: unable to create temporary file: Permission denied": False,
            b"error: cannot lock ref 'refs/x': reference already exists": False,
            b"fatal: could not open 'notes' for reading: No such file": False,
        }
        for text, expected in texts.items():
            with self.subTest(text):
                self.assertEqual(bool(TRANSIENT.search(text)), expected)


class VersionTest(GitTest):
    def test_an_older_git_merges_in_the_worktree(self) -> None:
        old = replace(self.git.repository, version=(2, 30))
        git = Git(self.spawner, old, self.repository.environ)
        self.assertFalse(git.merges_without_worktree)


if __name__ == "__main__":
    unittest.main()
