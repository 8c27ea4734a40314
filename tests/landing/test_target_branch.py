"""The branch that features land on: what forbids to move it, and how its checkout moves along."""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest
from collections.abc import Sequence
from unittest import mock

from core.git import commits, merging
from core.git.opening import open_repository
from core.landing.target_branch import TargetBranch
from core.model.errors import ExitCode, UserError
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class TargetTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.path = self.repository.path
        self.old = self.repository.commit({"a": "1\n", "dir/gone": "1\n", ".gitignore": "secret\n"})
        self.new = self.repository.commit({"a": "2\n", "dir/gone": None, "new": "2\n"})
        self.git("reset", "--quiet", "--hard", self.old)
        self.target = self.open("main")

    def git(self, *words: str, at: str = "", fails: bool = False) -> str:
        return self.repository.git(*words, at=at, fails=fails)

    def open(self, name: str) -> TargetBranch:
        environ = self.repository.environ
        git = run_sync(open_repository(Spawner(), self.path, environ))
        return TargetBranch(git, name, self.repository.commit_of(name))

    def away(self) -> None:
        """Check another branch out, so that main is checked out nowhere."""
        self.git("checkout", "--quiet", "-b", "elsewhere")

    def move(self) -> None:
        run_sync(self.target.move(self.new))

    def refused(self, *words: str) -> UserError:
        """Looking at it and moving it both are refused, and nothing has moved."""
        with self.assertRaises(UserError) as looked:
            run_sync(self.target.check())
        with self.assertRaises(UserError) as moved:
            self.move()
        for error in (looked.exception, moved.exception):
            for word in words:
                self.assertIn(word, error.message)
        self.assertTrue(looked.exception.hint)
        self.assertEqual(looked.exception.exit_code, ExitCode.CANNOT_START)
        self.assertEqual(moved.exception.exit_code, ExitCode.INCOMPLETE)
        self.assertEqual(self.repository.commit_of("refs/heads/main"), self.old)
        return looked.exception

    def refused_move(self) -> UserError:
        with self.assertRaises(UserError) as caught:
            self.move()
        self.assertEqual(caught.exception.exit_code, ExitCode.INCOMPLETE)
        return caught.exception

    def just_before(
        self, owner: object, step: str, *acts: Sequence[str], after: bool = False
    ) -> None:
        """The user acts just before (or ``after``) ``owner`` first takes a step."""
        real = getattr(owner, step)

        async def meanwhile(*given: object, **more: object) -> object:
            patch.stop()
            answer = await real(*given, **more) if after else None
            for words in acts:
                self.git(*words)
            return answer if after else await real(*given, **more)

        patch = mock.patch.object(owner, step, meanwhile)
        patch.start()
        self.addCleanup(patch.stop)


class WhereItMoves(TargetTest):
    def test_a_branch_that_is_checked_out_nowhere_is_only_a_ref(self) -> None:
        self.away()
        self.repository.write({"a": "dirty\n"})
        before = self.repository.seen_by_user()
        self.assertEqual(run_sync(self.target.check()), "")
        self.move()
        self.assertEqual(self.repository.commit_of("main"), self.new)
        self.assertEqual(self.repository.seen_by_user(), before)

    def test_a_clean_checkout_moves_along_and_keeps_files_that_git_does_not_know(self) -> None:
        self.repository.write({"untracked": "mine\n", "secret": "mine\n"})
        self.assertEqual(run_sync(self.target.check()), self.path)
        self.move()
        self.assertEqual(self.repository.commit_of("HEAD"), self.new)
        self.assertEqual(self.git("status", "--porcelain"), "?? untracked")
        self.assertFalse(os.path.exists(os.path.join(self.path, "dir")))
        with open(os.path.join(self.path, "secret"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine\n")

    def test_another_worktree_that_has_it_moves_and_the_users_own_stays(self) -> None:
        self.away()
        path = os.path.join(self.repository.root, "main here")
        self.git("worktree", "add", "--quiet", path, "main")
        before = self.repository.seen_by_user()
        self.move()
        self.assertEqual(self.git("status", "--porcelain", at=path), "")
        self.assertEqual(self.repository.commit_of("HEAD", at=path), self.new)
        self.assertEqual(self.repository.seen_by_user(), before)

    def test_no_hook_is_run_and_no_option_of_the_branch_is_heard(self) -> None:
        hook = os.path.join(self.path, ".git", "hooks", "post-merge")
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        with open(hook, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\ntouch hook-was-here\n")
        os.chmod(hook, 0o755)
        self.git("config", "branch.main.mergeOptions", "--no-ff --squash")
        self.move()
        self.assertEqual(self.repository.commit_of("HEAD"), self.new)
        self.assertEqual(self.git("status", "--porcelain"), "")


class WhatIsInTheWay(TargetTest):
    def test_uncommitted_changes_staged_or_not(self) -> None:
        self.repository.write({"a": "mine\n"})
        self.assertIn("stash", self.refused(self.path, "uncommitted files: a").hint)
        self.git("add", "a")
        self.refused("uncommitted files: a")

    def test_what_git_stash_leaves_out_is_told_apart(self) -> None:
        lib = os.path.join(self.repository.root, "lib")
        self.git("clone", "--quiet", self.path, lib)
        self.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib, "lib")
        self.old = self.repository.commit({}, "lib")
        self.git("update-index", "--cacheinfo", f"160000,{self.new},lib")
        self.git("commit", "--quiet", "-m", "bump")
        self.new = self.repository.commit_of("HEAD")
        self.git("reset", "--quiet", "--hard", self.old)
        self.target = self.open("main")
        inside = os.path.join(self.path, "lib")
        self.repository.commit({"more": ""}, at=inside)
        error = self.refused("uncommitted files: lib")
        self.git("-C", self.path, *error.hint.rpartition(f"{self.path} ")[2].split())
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.repository.write({"untracked": ""}, at=inside)
        self.assertIn(f"git -C {inside} status", self.refused("uncommitted files: lib").hint)
        self.repository.write({"README.md": "mine\n"})
        with self.assertRaises(UserError) as caught:
            run_sync(self.target.check())
        self.assertIn("README.md, lib", caught.exception.message)
        self.assertIn("stash", caught.exception.hint)

    def test_a_few_of_many_files_in_the_way_are_named(self) -> None:
        self.old = self.repository.commit({f"file{n:02}": "" for n in range(12)})
        self.target = self.open("main")
        self.repository.write({f"file{n:02}": "x" for n in range(12)})
        self.refused("file09 and 2 more")

    def test_a_file_that_git_does_not_know_where_a_new_one_would_go(self) -> None:
        self.repository.write({"new": "mine\n"})
        self.assertIn("would be overwritten: new", self.refused_move().message)
        self.assertEqual(self.repository.commit_of("main"), self.old)
        self.assertEqual(self.git("status", "--porcelain"), "?? new")

    def test_an_ignored_file_where_a_new_one_would_go(self) -> None:
        self.new = self.repository.commit({"secret": "theirs\n"})
        self.git("reset", "--quiet", "--hard", self.old)
        self.repository.write({"secret": "mine\n"})
        self.assertIn("secret", self.refused_move().message)
        with open(os.path.join(self.path, "secret"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine\n")

    def test_a_file_whose_changes_are_hidden_is_named_with_the_way_to_see_them(self) -> None:
        for bit in ("assume-unchanged", "skip-worktree"):
            with self.subTest(bit):
                self.git("update-index", f"--{bit}", "a")
                self.repository.write({"a": "mine\n"})
                error = self.refused_move()
                self.assertIn(f"skip-worktree is set in {self.path} for a", error.message)
                subprocess.run(error.hint, shell=True, check=True, env=self.repository.environ)
                self.assertEqual(self.git("status", "--porcelain"), " M a")
                self.git("reset", "--quiet", "--hard")
        self.move()

    def test_another_refusal_of_git_is_told_in_its_own_words(self) -> None:
        lock = os.path.join(self.path, ".git", "index.lock")
        with open(lock, "w"):
            pass
        self.assertIn("index.lock", self.refused_move().message)
        os.unlink(lock)
        self.move()

    def test_a_merge_or_a_rebase_or_a_cherry_pick_that_goes_on(self) -> None:
        self.git("checkout", "--quiet", "-b", "side", self.old)
        self.repository.commit({"a": "side\n"})
        self.git("checkout", "--quiet", "main")
        mine = self.repository.commit({"a": "main\n"})
        self.old, self.target = mine, self.open("main")
        self.git("merge", "side", fails=True)
        self.refused("a merge is in progress", self.path)
        self.git("merge", "--abort")
        self.git("cherry-pick", "side", fails=True)
        self.refused("a cherry-pick is in progress")
        self.git("cherry-pick", "--abort")
        self.git("rebase", "side", fails=True)
        self.refused("a rebase of main is in progress")
        self.git("rebase", "--abort")

    def test_a_rebase_in_another_worktree(self) -> None:
        self.away()
        path = os.path.join(self.repository.root, "there")
        self.git("worktree", "add", "--quiet", path, "main")
        self.old = self.repository.commit({"a": "main\n"}, at=path)
        self.git("branch", "side", f"{self.old}~1")
        self.repository.commit({"a": "elsewhere\n"})
        self.git("rebase", "elsewhere", at=path, fails=True)
        self.target = self.open("main")
        self.refused("a rebase of main is in progress")

    def test_a_checkout_that_is_gone_or_that_there_are_two_of(self) -> None:
        path = os.path.join(self.repository.root, "second")
        self.git("worktree", "add", "--quiet", "--force", path, "main")
        self.refused("checked out more than once", path)
        self.away()
        shutil.rmtree(path)
        self.assertIn("git worktree prune", self.refused(path, "which no longer exists").hint)

    def test_another_name_of_a_branch_that_may_be_checked_out(self) -> None:
        self.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
        self.target = self.open("alias")
        self.assertEqual(self.refused("alias is a symbolic ref to main").hint, "--into main")


class WhenItMovedMeanwhile(TargetTest):
    def test_the_one_that_is_checked_out_is_left_where_it_is(self) -> None:
        mine = self.repository.commit({"mine": ""})
        self.assertIn("moved in the meantime", self.refused_move().message)
        self.assertEqual(self.repository.commit_of("main"), mine)

    def test_the_other_one_as_well(self) -> None:
        self.away()
        mine = self.repository.commit({"mine": ""})
        self.git("update-ref", "refs/heads/main", mine)
        self.assertIn("try again", self.refused_move().hint)
        self.assertEqual(self.repository.commit_of("main"), mine)

    def moves_once_we_looked(self, commit: str) -> None:
        """The user moves the branch right after we saw where it is."""
        moves = (("reset", "--quiet", "--hard", commit), ("update-ref", "refs/heads/main", commit))
        self.just_before(commits, "added_files", *moves)
        self.just_before(self.target.git, "move_ref", *moves)

    def test_git_itself_compares_where_it_moves_after_we_looked(self) -> None:
        for away in (False, True):
            with self.subTest(away=away):
                if away:
                    self.away()
                mine = self.repository.commit({"mine": str(away)})
                self.git("reset", "--quiet", "--hard", self.old)
                self.git("update-ref", "refs/heads/main", self.old)
                self.target = self.open("main")
                self.moves_once_we_looked(mine)
                self.assertIn("moved in the meantime", self.refused_move().message)
                self.assertEqual(self.repository.commit_of("main"), mine)


class WhoeverActsMeanwhile(TargetTest):
    """No branch moves but the one that is meant, and no file of another one changes."""

    def setUp(self) -> None:
        super().setUp()
        self.git("branch", "other", self.old)

    def assert_only_main_may_have_moved(self, main: str) -> None:
        self.assertEqual(self.repository.commit_of("main"), main)
        self.assertEqual(self.repository.commit_of("other"), self.old)
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_a_switch_before_the_files_move(self) -> None:
        self.just_before(merging, "update_checkout", ("switch", "--quiet", "other"))
        self.assertIn("was switched away from main", self.refused_move().message)
        self.assert_only_main_may_have_moved(self.old)

    def test_a_switch_to_a_branch_on_which_the_files_can_not_move(self) -> None:
        self.git("switch", "--quiet", "-c", "third", self.old)
        third = self.repository.commit({"a": "3\n"})
        self.git("switch", "--quiet", "main")
        self.just_before(merging, "update_checkout", ("switch", "--quiet", "third"))
        self.assertIn("was switched away from main", self.refused_move().message)
        self.assert_only_main_may_have_moved(self.old)
        self.assertEqual(self.repository.commit_of("HEAD"), third)

    def test_a_file_that_is_changed_before_the_files_move(self) -> None:
        path = os.path.join(self.path, "a")
        self.just_before(
            merging, "update_checkout", ("-c", f"alias.dirty=!echo mine > {path}", "dirty")
        )
        self.assertIn("a", self.refused_move().message)
        self.assertEqual(self.repository.commit_of("main"), self.old)
        self.assertEqual(self.git("status", "--porcelain"), " M a")

    def test_a_switch_between_the_files_and_the_branch(self) -> None:
        self.just_before(self.target.git, "move_ref", ("switch", "--quiet", "other"))
        self.move()
        self.assert_only_main_may_have_moved(self.new)
        self.assertEqual(self.git("symbolic-ref", "HEAD"), "refs/heads/other")

    def test_a_switch_right_after_the_branch_moved(self) -> None:
        self.just_before(self.target.git, "move_ref", ("switch", "--quiet", "other"), after=True)
        self.move()
        self.assert_only_main_may_have_moved(self.new)

    def test_a_checkout_right_before_a_branch_moves_that_was_checked_out_nowhere(self) -> None:
        self.away()
        self.just_before(self.target.git, "move_ref", ("switch", "--quiet", "main"))
        self.move()
        self.assert_only_main_may_have_moved(self.new)
        self.assertEqual(self.repository.commit_of("HEAD"), self.new)

    def test_a_checkout_that_can_not_follow_is_named(self) -> None:
        self.away()
        path = os.path.join(self.path, "a")
        dirty = ("-c", f"alias.dirty=!echo mine > {path}", "dirty")
        self.just_before(self.target.git, "move_ref", ("switch", "--quiet", "main"), dirty)
        self.assertIn(self.path, self.refused_move().message)
        self.assertEqual(self.repository.commit_of("main"), self.new)

    def test_a_commit_that_took_the_files_keeps_them(self) -> None:
        self.just_before(self.target.git, "move_ref", ("commit", "--quiet", "-m", "mine"))
        self.assertIn("moved in the meantime", self.refused_move().message)
        self.assertEqual(self.git("log", "-1", "--format=%s", "main"), "mine")
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_a_git_that_was_killed_after_it_moved_the_branch(self) -> None:
        self.just_before(self.target.git, "move_ref", ("update-ref", "refs/heads/main", self.new))
        self.move()
        self.assert_only_main_may_have_moved(self.new)

    def test_a_reset_between_the_files_and_the_branch(self) -> None:
        self.just_before(
            self.target.git, "move_ref", ("reset", "--quiet", "--soft", f"{self.old}~1")
        )
        self.assertIn("moved in the meantime", self.refused_move().message)
        self.assertEqual(self.repository.commit_of("main"), self.repository.commit_of("other~1"))
        self.assertNotIn("new", self.git("status", "--porcelain"))


class AMoveThatWasCutShort(TargetTest):
    def setUp(self) -> None:
        super().setUp()
        # Else it tells that main was at `new` before.
        self.git("reflog", "expire", "--expire=now", "--all")

    def finish_move(self, *tips: str) -> bool:
        return run_sync(self.target.finish_move(tips))

    def test_a_move_that_only_lacks_the_branch_is_finished(self) -> None:
        self.git("read-tree", "-m", "-u", self.old, self.new)
        self.refused("uncommitted files")
        self.assertTrue(self.finish_move(self.old, self.new))
        self.assertEqual(self.target.commit, self.new)
        self.assertEqual(self.repository.commit_of("main"), self.new)
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_a_reverted_landing_is_not_repeated(self) -> None:
        self.move()
        self.git("reset", "--quiet", "--soft", self.old)
        self.assertFalse(self.finish_move(self.new))
        self.assertEqual(self.repository.commit_of("main"), self.old)
        self.refused("uncommitted files")

    def test_a_clean_checkout_and_none_at_all_are_left_alone(self) -> None:
        self.assertFalse(self.finish_move(self.new))
        self.away()
        self.assertFalse(self.finish_move(self.new))
        self.assertEqual(self.repository.commit_of("main"), self.old)

    def test_files_changed_by_the_user_are_left_alone(self) -> None:
        self.git("read-tree", "-m", "-u", self.old, self.new)
        self.repository.write({"a": "mine\n"})
        self.assertFalse(self.finish_move(self.new))
        self.assertEqual(self.repository.commit_of("main"), self.old)


if __name__ == "__main__":
    unittest.main()
