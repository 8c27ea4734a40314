"""The store of setups: whole or not there, bounded, and never taken from under a reader."""

from __future__ import annotations

import errno
import fcntl
import os
from unittest import mock

from core.worktree import setup_store
from core.worktree.relocatable import NotStored
from core.worktree.setup_store import Changed, SetupStore, Stored
from tests.support.setup_folders import SetupFolderTest


class StoreTest(SetupFolderTest):
    def setUp(self) -> None:
        super().setUp()
        self.store = SetupStore(self.root)
        self.other = os.path.join(self.root, "other")
        os.mkdir(self.other)

    def put(self, key: str = "key", limit_bytes: float = 1e12) -> Stored:
        stored = self.store.put(
            key, self.worktree, ["node_modules", "packages"], limit_bytes=limit_bytes
        )
        assert stored is not None
        return stored

    def take(self, stored: Stored, key: str = "key") -> tuple[str, ...]:
        return self.store.take(key, stored.digest, self.other, f"{self.other}~removing")

    def left(self) -> list[str]:
        return sorted(os.listdir(self.store.folder))


class Whole(StoreTest):
    def test_what_is_put_is_taken_with_modes_times_and_links(self) -> None:
        stored = self.put()
        self.assertEqual(self.take(stored), ("node_modules", "packages"))
        for name in ("node_modules/left", "node_modules/left/cli.js", "packages/own/index.js"):
            one, two = (os.lstat(self.path(name, top)) for top in (self.worktree, self.other))
            self.assertEqual((one.st_mode, one.st_mtime_ns), (two.st_mode, two.st_mtime_ns))
        self.assertEqual(self.read("node_modules/own/index.js", self.other), "own\n")
        self.assertEqual(sorted(os.listdir(self.root)), ["other", "rorchestrator", "worktree"])
        (entry,) = self.store.entries()
        self.assertEqual((entry.files, entry.bytes), (3, 3 * 4096))
        self.assertEqual(entry.folders, ("node_modules", "packages"))

    def test_the_store_is_for_its_user_alone(self) -> None:
        self.put()
        for folder in (self.store.folder, os.path.join(self.store.folder, "key")):
            self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)

    def test_a_copy_that_is_changed_changes_no_other(self) -> None:
        stored = self.put()
        self.take(stored)
        with open(self.path("node_modules/left/cli.js", self.other), "a") as file:
            file.write("an agent was here\n")
        self.other = os.path.join(self.root, "third")
        os.mkdir(self.other)
        self.take(stored)
        self.assertEqual(self.read("node_modules/left/cli.js", self.other), "#!/usr/bin/env node\n")

    def test_a_read_only_folder_can_be_stored_and_taken(self) -> None:
        os.chmod(self.path("node_modules"), 0o555)
        self.take(self.put())
        self.assertEqual(os.stat(self.path("node_modules", self.other)).st_mode & 0o777, 0o555)

    def test_a_second_process_that_stores_the_same_leaves_the_first_one_s(self) -> None:
        stored = self.put()
        again = self.store.put("key", self.worktree, ["packages"], limit_bytes=1e12)
        self.assertIsNone(again)
        self.assertEqual(self.left(), ["key"])
        self.assertEqual(self.take(stored), ("node_modules", "packages"))

    def test_a_failure_leaves_nothing(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        copying = mock.patch.object(setup_store, "copy_folder", side_effect=full)
        with copying, self.assertRaises(OSError):
            self.put()
        with mock.patch("os.rename", side_effect=full), self.assertRaises(OSError):
            self.put()
        self.assertEqual(self.left(), [])

    def test_too_much_is_not_stored(self) -> None:
        with self.assertRaises(NotStored):
            self.put(limit_bytes=4096)
        few = mock.Mock(return_value=mock.Mock(free=4096))
        with mock.patch("shutil.disk_usage", few), self.assertRaises(NotStored):
            self.put()
        self.assertEqual(self.left(), [])


class Taken(StoreTest):
    def test_whatever_somebody_wrote_into_an_entry_it_is_not_used(self) -> None:
        stored = self.put()
        entry = os.path.join(self.store.folder, "key")
        os.chmod(os.path.join(entry, "0", "left", "index.js"), 0o777)
        with self.assertRaises(Changed):
            self.take(stored)
        with open(os.path.join(entry, "about.json"), "w") as file:
            file.write('{"folders": ["../../escaped"], "bytes": 1, "files": 1}')
        with self.assertRaises(Changed):
            self.take(stored)
        os.unlink(os.path.join(entry, "about.json"))
        with self.assertRaises(Changed):
            self.take(stored)
        self.assertEqual(os.listdir(self.other), [])
        self.assertEqual(sorted(os.listdir(self.root)), ["other", "rorchestrator", "worktree"])

    def test_what_is_in_its_place_is_not_replaced(self) -> None:
        stored = self.put()
        os.mkdir(self.path("node_modules", self.other))
        with self.assertRaises(FileExistsError):
            self.take(stored)
        self.assertEqual(os.listdir(self.path("node_modules", self.other)), [])

    def test_nobody_who_holds_a_lock_holds_up_a_worktree(self) -> None:
        stored = self.put()
        entry = os.path.join(self.store.folder, "key")
        held = setup_store._locked(entry, fcntl.LOCK_EX)
        with held, self.assertRaises(BlockingIOError):
            self.take(stored)
        self.take(stored)

    def test_an_entry_in_use_is_not_removed(self) -> None:
        self.put()
        with setup_store._locked(os.path.join(self.store.folder, "key"), fcntl.LOCK_SH):
            self.assertFalse(self.store.remove("key"))
            self.store.trim(0)
        self.assertEqual(self.left(), ["key"])
        self.assertTrue(self.store.remove("key"))
        self.assertTrue(self.store.remove("key"))
        self.assertEqual(self.left(), [])

    def test_a_folder_that_has_its_own_gitignore(self) -> None:
        self.write("packages/.gitignore", "*\n")
        names = ("node_modules", "packages")
        ignoring = [setup_store.ignores_itself(self.path(name)) for name in names]
        self.assertEqual(ignoring, [False, True])


class Bounded(StoreTest):
    def test_what_was_not_used_for_the_longest_time_goes_first(self) -> None:
        stored = {key: self.put(key) for key in ("one", "two", "three")}
        for number, key in enumerate(stored):
            os.utime(os.path.join(self.store.folder, key), (number, number))
        self.take(stored["one"], "one")
        self.store.trim(2 * stored["one"].entry.bytes)
        self.assertEqual(self.left(), ["one", "three"])
        self.store.trim(0, keep=["three"])
        self.assertEqual(self.left(), ["three"])

    def test_leftovers_of_killed_processes_go_and_what_is_being_written_stays(self) -> None:
        self.put()
        for name in (".new-key-1-1", ".old-key-1-2", ".new-key-2-1"):
            os.makedirs(os.path.join(self.store.folder, name, "0"))
        busy = os.path.join(self.store.folder, ".new-key-2-1")
        with setup_store._locked(busy, fcntl.LOCK_EX):
            self.store.clear()
        self.assertEqual(self.left(), [".new-key-2-1", "key"])
        self.store.clear()
        self.assertEqual(self.left(), ["key"])

    def test_there_may_be_nothing_to_clear(self) -> None:
        self.store.clear()
        self.store.trim(0)
        self.assertFalse(os.path.exists(self.store.folder))
