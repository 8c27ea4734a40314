"""`core.git.left_lock`: a killed git's lock on a ref of ours is removed, anybody else's stays."""

from __future__ import annotations

from pathlib import Path

from core.git.left_lock import LeftLock
from core.process.spawner import run_sync
from tests.support.git import GitTest

OURS = "refs/rorchestrator/resolutions/a/1"


class LeftLockTest(GitTest):
    def setUp(self) -> None:
        super().setUp()
        self.tip = self.repository.commit_of("main")

    def lock(self, ref: str) -> Path:
        path = Path(self.repository.path, ".git", f"{ref}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        return path

    def test_a_lock_that_is_the_same_through_all_tries_is_removed(self) -> None:
        lock = self.lock(OURS)
        self.assertTrue(run_sync(self.git.create_ref(OURS, self.tip)))
        self.assertEqual(self.repository.commit_of(OURS), self.tip)
        self.assertEqual(self.spawner.pauses, 7)
        self.assertFalse(lock.exists())
        self.lock(OURS)
        self.assertEqual(run_sync(self.git.delete_ref(OURS, self.tip)), "")

    def test_a_lock_that_another_git_took_meanwhile_stays(self) -> None:
        lock = self.lock(OURS)

        def again() -> None:
            lock.unlink()
            lock.write_bytes(b"x" * self.spawner.pauses)

        self.spawner.at_pause = again
        self.refused(self.git.create_ref(OURS, self.tip), "File exists")
        self.assertTrue(lock.exists())

    def test_a_lock_of_a_branch_stays(self) -> None:
        lock = self.lock("refs/heads/x")
        self.refused(self.git.create_ref("refs/heads/x", self.tip), "File exists")
        self.assertTrue(lock.exists())

    def test_a_remote_cannot_name_a_file_elsewhere(self) -> None:
        lock = self.lock(OURS)
        for path in (f"{self.repository.path}/refs/rorchestrator/a", f"{lock.parent}/../../../x"):
            Path(f"{path}.lock").parent.mkdir(parents=True, exist_ok=True)
            Path(f"{path}.lock").write_bytes(b"")
            said = f"remote: Unable to create '{path}.lock': File exists.".encode()
            found = LeftLock(f"{self.repository.path}/.git", said)
            self.assertFalse(found.is_removed(said))
            self.assertTrue(Path(f"{path}.lock").exists())

    def test_a_lock_that_went_meanwhile_is_no_left_lock(self) -> None:
        lock = self.lock(OURS)
        said = f"Unable to create '{lock}': File exists.".encode()
        found = LeftLock(f"{self.repository.path}/.git", said)
        lock.unlink()
        self.assertFalse(found.is_removed(said))
