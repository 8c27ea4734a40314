"""Leftovers of a killed `git worktree add`, and their repair."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable
from unittest import mock

from core.git.output import WorktreeStatus
from core.process.spawner import run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.worktrees import WorktreeTest

setUpModule = skip_if_run_elsewhere


class RepairTest(WorktreeTest):
    """What a killed `git worktree add` leaves, taken away."""

    def setUp(self) -> None:
        super().setUp()
        self.admin = os.path.join(self.repository.path, ".git", "worktrees", "auth")

    def repaired(self) -> None:
        """Repair, then see that git works again and the worktree can be made."""
        run_sync(self.manager.repair("auth"))
        self.repository.git("fsck", "--connectivity-only")
        self.repository.git("log", "--all", "--oneline")
        again = run_sync(self.manager.reopen("auth", self.base)) or self.create()
        self.assertIsInstance(run_sync(self.manager.inspect(again)), WorktreeStatus)
        self.assertEqual(run_sync(self.manager.remove("auth", again.path, self.base)), "")

    def test_every_incomplete_worktree_is_removed(self) -> None:
        other = self.create("auth2")

        def delete(*names: str) -> None:
            for name in names:
                os.unlink(os.path.join(self.admin, name))

        def empty(*names: str) -> None:
            for name in names:
                Path(self.admin, name).write_bytes(b"")

        link = os.path.join(self.folder, "auth", ".git")

        def unmake_branch() -> None:
            delete("index")
            self.repository.git("update-ref", "-d", "refs/heads/feature/auth")

        def unmake() -> None:
            shutil.rmtree(self.admin)
            shutil.rmtree(os.path.dirname(link))

        lock = Path(self.repository.path, ".git", "refs", "heads", "feature", "auth.lock")
        states: dict[str, Callable[[], object]] = {
            "no index": lambda: delete("index"),
            "no HEAD": lambda: delete("HEAD", "index"),
            "empty HEAD": lambda: empty("HEAD"),
            "no commondir": lambda: delete("commondir"),
            "empty commondir": lambda: empty("commondir"),
            "no gitdir": lambda: delete("gitdir"),
            "empty gitdir": lambda: empty("gitdir"),
            "no link": lambda: os.unlink(link),
            "empty link": lambda: Path(link).write_bytes(b""),
            "still locked": lambda: Path(self.admin, "locked").write_text("initializing"),
            "no worktree": lambda: shutil.rmtree(os.path.dirname(link)),
            "no branch": unmake_branch,
            "a lock": lambda: lock.write_bytes(b""),
            "nothing at all": unmake,
        }
        for name, spoil in states.items():
            with self.subTest(name):
                self.create()
                spoil()
                self.repaired()
                self.assertIsInstance(run_sync(self.manager.inspect(other)), WorktreeStatus)

    def test_a_repair_that_was_killed_is_repaired(self) -> None:
        self.create()
        os.unlink(os.path.join(self.admin, "index"))
        with (
            mock.patch("core.worktree.admin_files.remove_tree", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            run_sync(self.manager.repair("auth"))
        self.repaired()

    def test_a_whole_worktree_is_left_alone(self) -> None:
        made = self.create()
        self.write(made, {"new": "x"})
        run_sync(self.manager.repair("auth"))
        status = run_sync(self.manager.inspect(made))
        assert isinstance(status, WorktreeStatus)
        self.assertEqual(status.untracked, ("new",))

    def test_before_the_first_worktree_there_is_nothing_to_repair(self) -> None:
        run_sync(self.manager.repair("auth"))

    def test_a_folder_reached_by_a_symbolic_link_is_repaired_too(self) -> None:
        link = os.path.join(self.repository.root, "link")
        os.makedirs(self.folder)
        os.symlink(self.folder, link)
        self.manager = self.open(folder=link)
        self.create()
        os.unlink(os.path.join(self.admin, "index"))
        self.repaired()
