"""The status of a worktree after an agent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.git import checkouts, configuration
from core.git.door import GitError
from core.git.output import WorktreeStatus
from core.model.frozen import replace
from core.process.spawner import run_sync
from core.worktree import admin_files, baseline, inspection, keeping
from core.worktree.baseline import Baseline
from core.worktree.worktree import Worktree
from tests.support.once import skip_if_run_elsewhere
from tests.support.worktrees import WorktreeTest, changed

setUpModule = skip_if_run_elsewhere


class LookTest(WorktreeTest):
    """What an agent may have done to its worktree."""

    def inspect(self, worktree: Worktree) -> str:
        found = run_sync(self.manager.inspect(worktree))
        assert isinstance(found, str), found
        return found

    def test_work_in_order_is_a_status(self) -> None:
        made = self.create()
        self.repository.commit({"own": "x"}, at=made.path)
        self.write(made, {"new": "x"})
        status = run_sync(self.manager.inspect(made))
        assert isinstance(status, WorktreeStatus)
        self.assertEqual(status.uncommitted, ("new",))

    def test_another_branch_is_named(self) -> None:
        made = self.create()
        self.repository.git("checkout", "-q", "-b", "other", at=made.path)
        self.assertIn("switched to other; the work belongs on feature/auth", self.inspect(made))
        self.repository.git("checkout", "-q", "--detach", at=made.path)
        self.assertIn("switched to (detached)", self.inspect(made))

    def test_a_rewritten_history_is_reported(self) -> None:
        made = self.create()
        self.repository.git("reset", "-q", "--hard", "HEAD~1", at=made.path)
        self.repository.commit({"b": ""}, at=made.path)
        self.assertIn("rewritten", self.inspect(made))

    def test_a_missing_worktree_is_reported(self) -> None:
        made = self.create()
        shutil.rmtree(made.path)
        self.assertIn("is gone", self.inspect(made))

    def test_a_link_in_place_of_the_worktree_is_reported(self) -> None:
        made = self.create()
        theirs = os.path.join(self.repository.root, "theirs")
        shutil.copytree(made.path, theirs)
        shutil.rmtree(made.path)
        os.symlink(theirs, made.path)
        self.assertIn("was replaced by a link", self.inspect(made))

    def test_a_replaced_link_is_reported_and_nothing_behind_it_runs(self) -> None:
        made = self.create()
        link = os.path.join(made.path, ".git")
        os.unlink(link)
        self.assertIn(".git was changed", self.inspect(made))
        self.repository.git("init", "-q", at=made.path)
        trace = os.path.join(self.repository.root, "trace")
        self.repository.git("config", "core.fsmonitor", f"touch '{trace}'", at=made.path)
        self.assertIn(".git was changed", self.inspect(made))
        shutil.rmtree(link)
        Path(link).write_text(f"gitdir: {self.repository.path}/.git\n")
        self.assertIn(".git was changed", self.inspect(made))
        self.assertFalse(os.path.exists(trace))

    def test_a_link_replaced_by_a_pipe_is_reported_and_not_read(self) -> None:
        made = self.create()
        os.unlink(os.path.join(made.path, ".git"))
        os.mkfifo(os.path.join(made.path, ".git"))
        self.assertIn(".git was changed", self.inspect(made))
        self.assertIsNone(run_sync(self.manager.reopen("auth", self.base)))
        self.refused(
            keeping.unsaved(self.manager, made.path), "is no longer a worktree of this repository"
        )

    def test_a_pipe_that_git_would_block_on_is_reported(self) -> None:
        made = self.create()
        os.mkfifo(os.path.join(made.path, ".gitattributes"))
        self.assertIn("git would block on a pipe: .gitattributes", self.inspect(made))
        self.refused(
            keeping.unsaved(self.manager, made.path), r"git would block on a pipe: \.gitattributes"
        )

    def test_locks_of_a_killed_git_are_removed(self) -> None:
        made = self.create()
        admin = run_sync(checkouts.admin_dir(self.manager.git, made.path))
        branch = os.path.join(self.repository.path, ".git", "refs", "heads", "feature", "auth.lock")
        locks = [os.path.join(admin, "index.lock"), os.path.join(admin, "HEAD.lock"), branch]
        for again in (False, True):
            with self.subTest(again=again):
                for lock in locks:
                    Path(lock).touch()
                if again:
                    run_sync(self.manager.reopen("auth", self.base))
                else:
                    self.assertIsInstance(run_sync(self.manager.inspect(made)), WorktreeStatus)
                self.assertEqual([lock for lock in locks if os.path.exists(lock)], [])

    def test_a_folder_that_git_can_not_look_into_is_held_back_and_never_removed(self) -> None:
        made = self.create()
        self.write(made, {"new": "x"})
        name = "d" * 200
        here = os.open(made.path, os.O_RDONLY)
        for _ in range(25):  # as deep as no path can name
            os.mkdir(name, dir_fd=here)
            deeper = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(os.open("lost", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here))
        os.close(here)
        work = self.work(made)
        self.assertEqual(work.files_changed, 1)
        (closed,) = work.held_back
        self.assertRegex(closed, f"^({name}/)+$")
        self.assertEqual(run_sync(keeping.unsaved(self.manager, made.path)), ([], [closed]))

    def test_a_worktree_that_git_no_longer_knows_is_reported(self) -> None:
        made = self.create()
        admin = os.path.join(self.repository.path, ".git", "worktrees", "auth")
        Path(admin, "index").write_text("no index")
        with self.assertRaisesRegex(GitError, "could not read the index of"):
            self.inspect(made)
        shutil.rmtree(admin)
        self.assertIn("no longer leads to this repository", self.inspect(made))

    def test_a_link_to_another_repository_is_reported_and_none_of_its_programs_runs(
        self,
    ) -> None:
        made = self.create()
        self.write(made, {"a": "changed"})
        self.repository.git("init", "-q", "evil", at=self.repository.root)
        evil = os.path.join(self.repository.root, "evil", ".git")
        trace = os.path.join(self.repository.root, "trace")
        self.repository.git("config", "filter.x.clean", f"touch '{trace}'", at=evil)
        Path(evil, "info", "attributes").parent.mkdir(exist_ok=True)
        Path(evil, "info", "attributes").write_text("* filter=x\n")
        admin = Path(self.repository.path, ".git", "worktrees", "auth")
        (admin / "commondir").write_text(f"{evil}\n")
        self.assertIn("no longer leads to this repository", self.inspect(made))
        self.assertIsNone(run_sync(self.manager.reopen("auth", self.base)))
        (admin / "commondir").unlink()
        self.assertIn("no longer leads to this repository", self.inspect(made))
        self.assertFalse(os.path.exists(trace))

    def test_an_unfinished_merge_is_reported(self) -> None:
        self.on("other", {"a": changed(_3="other")}, start=self.base)
        made = self.create()
        self.repository.commit({"a": changed(_3="mine")}, at=made.path)
        self.repository.git("merge", "other", at=made.path, fails=True)
        self.assertIn("a merge is unfinished: a", self.inspect(made))


class FreshTest(WorktreeTest):
    """What is recorded of a worktree in which nothing ran."""

    def setUp(self) -> None:
        super().setUp()
        self.made = self.create()
        self.admin = admin_files.admin_folder(self.manager, self.made.path)

    def recorded(self) -> Baseline:
        recording = inspection.record_baseline(self.manager, self.made, is_fresh=True)
        run_sync(recording)
        self.assertNotIn("rorchestrator-index", os.listdir(self.admin))
        return baseline.load(self.admin)

    def test_one_that_git_has_just_written_is_clean_without_a_look(self) -> None:
        self.assertTrue(self.made.is_checked_out)
        os.unlink(os.path.join(self.made.path, "a"))
        self.assertEqual(self.recorded(), Baseline(ignored=frozenset()))
        self.repository.git("config", "core.autocrlf", "input")
        self.assertEqual(self.recorded().changed, {"a": baseline.ABSENT})

    def test_what_is_said_without_a_look_is_what_git_would_say(self) -> None:
        async def both(made: Worktree) -> None:
            said = await inspection.status_before(self.manager, made, is_fresh=True)
            self.assertEqual(said, await inspection.full_status(self.manager, made.path))

        async def main() -> None:
            await both(self.made)
            async with self.manager.scratch("other", self.base) as scratch:
                await both(scratch)

        run_sync(main())

    def test_without_an_index_git_tells(self) -> None:
        os.unlink(os.path.join(self.admin, "index"))
        self.assertEqual(len(self.recorded().changed), 2)

    def test_of_one_that_took_over_files_what_is_missing_is_seen(self) -> None:
        self.made = replace(self.made, is_checked_out=False)
        self.assertEqual(self.recorded(), Baseline(ignored=frozenset()))
        os.unlink(os.path.join(self.made.path, "a"))
        Path(self.admin, "rorchestrator-index").touch()  # of a killed run
        self.assertEqual(self.recorded().changed, {"a": baseline.ABSENT})

    def test_the_content_counts_where_git_may_convert_it(self) -> None:
        index = Path(self.admin, "index").read_bytes()
        git, attributes = self.manager.git, Path(self.repository.path, ".git", "info", "attributes")
        self.assertFalse(run_sync(configuration.may_convert(git, index)))
        for other in (index[:4] + b"\0\0\0\4" + index[8:], index + b"src/.gitattributes"):
            self.assertTrue(run_sync(configuration.may_convert(git, other)))
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_text("a text\n")
        self.assertTrue(run_sync(configuration.may_convert(git, index)))
        attributes.unlink()
        self.repository.git("config", "core.splitIndex", "true")
        self.assertTrue(run_sync(configuration.may_convert(git, index)))
        self.repository.git("config", "--unset", "core.splitIndex")
        self.assertFalse(run_sync(configuration.may_convert(git, index)))
        self.repository.git("config", "core.autocrlf", "input")
        self.assertTrue(run_sync(configuration.may_convert(git, index)))
        self.assertEqual(self.recorded(), Baseline(ignored=frozenset()))
