"""Ignored files of the main checkout, copied or linked into a worktree."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import unittest
from unittest import mock

from core.model.errors import UserError
from core.worktree import copy_link

SECRET = b"SECRET=1\n" * 300_000


class SuppliesTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.root = os.path.realpath(folder.name)
        self.top, self.worktree = self.path("shop"), self.path("worktrees/a")
        self.staging = self.path("worktrees/a~removing")
        for made in (self.top, self.worktree, self.path("outside")):
            os.makedirs(made)

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def write(self, name: str, content: bytes = b"x\n") -> str:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def read(self, name: str) -> bytes:
        with open(self.path(name), "rb") as file:
            return file.read()

    def copy(self, name: str) -> None:
        copy_link.copy(self.top, name, self.worktree, copy_link.never_stopped, staging=self.staging)

    def link(self, name: str) -> None:
        copy_link.link(self.top, name, self.worktree)


class Matching(SuppliesTest):
    def test_patterns_are_of_files_and_folders_below_the_top(self) -> None:
        for name in (".env", "config/master.key", "config/db.yml", "vendor/a/b", "x/y/z.key"):
            self.write(f"shop/{name}")
        cases = {
            ".env": [".env"],
            "config/*.key": ["config/master.key"],
            "config": ["config"],
            "./config/": ["config"],
            "**/*.key": ["config/master.key", "x/y/z.key"],
            ".e[n]v": [".env"],
        }
        for pattern, expected in cases.items():
            with self.subTest(pattern):
                self.assertEqual(copy_link.matching(self.top, [pattern]), expected)

    def test_files_in_a_folder_that_is_kept_whole_are_kept_once(self) -> None:
        for name in ("config/master.key", "config/deep/er/db.yml", "other"):
            self.write(f"shop/{name}")
        found = copy_link.matching(self.top, ["config/deep/er/*", "config", "other", "config/*"])
        self.assertEqual(found, ["config", "other"])

    def test_a_pattern_without_a_match_is_reported(self) -> None:
        with self.assertRaisesRegex(UserError, "node_modules matches nothing in "):
            copy_link.matching(self.top, ["node_modules"])

    def test_links_that_lead_in_a_circle_are_not_followed(self) -> None:
        for number in range(4):
            self.write(f"shop/lib/{number}/a.key")
            os.symlink("../..", self.path(f"shop/lib/{number}/up"))
            os.symlink(self.path("shop"), self.path(f"shop/lib/{number}/top"))
        found = copy_link.matching(self.top, ["**/*.key"])
        self.assertEqual(found, [f"lib/{number}/a.key" for number in range(4)])
        self.assertEqual(copy_link.matching(self.top, ["lib/**"]), ["lib"])
        os.chmod(self.path("shop/lib/3"), 0)
        self.addCleanup(os.chmod, self.path("shop/lib/3"), 0o700)
        self.assertIn("lib/2/a.key", copy_link.matching(self.top, ["**/**/a.key/"]))
        self.assertEqual(len(copy_link.matching(self.top, ["lib/2/a.key", "lib/2/a.*"])), 1)

    def test_a_file_is_no_folder_to_look_into(self) -> None:
        self.write("shop/lib/a")
        with self.assertRaisesRegex(UserError, "matches nothing"):
            copy_link.matching(self.top, ["lib/a/*"])

    def test_a_search_ends_on_a_stop(self) -> None:
        self.write("shop/lib/a")
        for pattern in ("**/a", "l*/a"):
            with self.subTest(pattern), self.assertRaises(InterruptedError):
                copy_link.matching(self.top, [pattern], stopped=lambda: True)

    def test_signs_in_the_name_of_the_top_folder_are_no_pattern(self) -> None:
        self.write("odd[1]*/.env")
        self.assertEqual(copy_link.matching(self.path("odd[1]*"), [".env"]), [".env"])

    def test_a_link_that_leads_out_of_the_repository_is_refused(self) -> None:
        self.write("outside/secret")
        os.symlink(self.path("outside"), self.path("shop/way"))
        os.symlink(self.path("outside/secret"), self.path("shop/.env"))
        os.symlink("..", self.path("shop/up"))
        os.symlink(".", self.path("shop/self"))
        for pattern in ("way", "way/secret", ".env", "up", "self", "."):
            with self.subTest(pattern), self.assertRaisesRegex(UserError, "is not inside"):
                copy_link.matching(self.top, [pattern])

    def test_a_link_inside_of_the_repository_is_fine(self) -> None:
        self.write("shop/config/env")
        os.symlink("config/env", self.path("shop/.env"))
        self.assertEqual(copy_link.matching(self.top, [".env"]), [".env"])

    def test_git_s_own_files_are_never_taken(self) -> None:
        self.write("shop/.git/config")
        for pattern in (".g*t/config", ".gi?", ".[Gg]it"):
            with self.subTest(pattern), self.assertRaisesRegex(UserError, "belongs to git"):
                copy_link.matching(self.top, [pattern])

    def test_worktrees_inside_of_the_repository_are_left_out(self) -> None:
        self.write("shop/trees/a/x.env")
        self.write("shop/x.env")
        found = copy_link.matching(self.top, ["**/*.env"], exclude=self.path("shop/trees"))
        self.assertEqual(found, ["x.env"])
        with self.assertRaisesRegex(UserError, "matches nothing"):
            copy_link.matching(self.top, ["trees/*/x.env"], exclude=self.path("shop/trees"))


class Copying(SuppliesTest):
    def test_a_file_keeps_content_mode_and_times(self) -> None:
        source = self.write("shop/config/master.key", SECRET)
        os.chmod(source, 0o400)
        os.utime(source, (1_000_000_000, 1_000_000_000))
        self.copy("config/master.key")
        info = os.stat(self.path("worktrees/a/config/master.key"))
        self.assertEqual(self.read("worktrees/a/config/master.key"), SECRET)
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o400)
        self.assertEqual(info.st_mtime, 1_000_000_000)

    def test_the_copy_is_nobody_s_but_ours_before_it_has_its_mode(self) -> None:
        seen: list[int] = []
        self.write("shop/.env")
        before, copy_link.shutil.copystat = (
            copy_link.shutil.copystat,
            lambda source, target: seen.append(stat.S_IMODE(os.stat(target).st_mode)),
        )
        self.addCleanup(setattr, copy_link.shutil, "copystat", before)
        self.copy(".env")
        self.assertEqual(seen, [0o600])

    def test_writing_to_a_copy_does_not_change_its_source(self) -> None:
        self.write("shop/.env", SECRET)
        self.write("shop/lib/deep/a", SECRET)
        self.copy(".env")
        self.copy("lib")
        for name in (".env", "lib/deep/a"):
            with open(self.path("worktrees/a", name), "r+b") as file:
                file.write(b"changed")
            self.assertEqual(self.read(f"shop/{name}"), SECRET)
            self.assertEqual(os.stat(self.path("shop", name)).st_nlink, 1)

    def test_a_folder_is_copied_with_its_links_as_links(self) -> None:
        self.write("shop/lib/deep/a")
        self.write("outside/secret")
        os.symlink("deep/a", self.path("shop/lib/b"))
        os.symlink(self.path("outside"), self.path("shop/lib/way"))
        os.symlink("nowhere", self.path("shop/lib/broken"))
        self.copy("lib")
        there = self.path("worktrees/a/lib")
        self.assertEqual(sorted(os.listdir(there)), ["b", "broken", "deep", "way"])
        self.assertEqual(os.readlink(os.path.join(there, "b")), "deep/a")
        self.assertEqual(os.readlink(os.path.join(there, "way")), self.path("outside"))

    def contained(self, name: str) -> str:
        copy_link.copy(
            self.top,
            name,
            self.worktree,
            copy_link.never_stopped,
            staging=self.staging,
            contained=True,
        )
        return self.path("worktrees/a", name)

    def test_no_link_of_a_contained_copy_leads_back_to_its_source(self) -> None:
        self.write("shop/packages/here/a")
        self.write("shop/ignored/b")
        self.write("worktrees/a/packages/here/a")
        self.write("outside/data/c")
        self.write("shop/lib/deep/d")
        self.write("shop/lib/e")
        for words, name in (
            ("deep", "relative"),
            (self.path("shop/lib/deep"), "absolute"),
            (self.path("shop/lib"), "circle"),
            ("../packages/here", "packages"),
            (self.path("shop/packages/here"), "workspace"),
            (self.path("shop/ignored"), "ignored"),
            (self.path("outside/data"), "data"),
            (self.path("outside/data/c"), "c"),
            (self.path("outside/nowhere"), "dangling"),
        ):
            os.symlink(words, self.path("shop/lib", name))
        os.symlink(self.path("outside/data"), self.path("outside/data/circle"))
        os.symlink("c", self.path("outside/data/again"))
        os.mkfifo(self.path("outside/data/pipe"))
        there = self.contained("lib")
        for name, words in {
            "relative": "deep",
            "absolute": "deep",
            "circle": ".",
            "packages": "../packages/here",
            "workspace": "../packages/here",
            "data/again": "c",
            "data/circle": ".",
        }.items():
            self.assertEqual(os.readlink(os.path.join(there, name)), words, name)
        for name in ("ignored/b", "data/c", "c"):
            path = os.path.join(there, name)
            self.assertEqual(os.path.realpath(path), path)
            with open(path, "wb") as file:
                file.write(b"changed")
        self.assertEqual(self.read("shop/ignored/b") + self.read("outside/data/c"), b"x\nx\n")
        self.assertEqual(sorted(os.listdir(os.path.join(there, "data"))), ["again", "c", "circle"])
        self.assertFalse(os.path.lexists(os.path.join(there, "dangling")))

    def test_two_folders_that_link_to_each_other_are_copied_once_each(self) -> None:
        self.write("outside/one/a")
        self.write("outside/two/b")
        os.symlink(self.path("outside/two"), self.path("outside/one/two"))
        os.symlink(self.path("outside/one"), self.path("outside/two/one"))
        os.makedirs(self.path("shop/lib"))
        os.symlink(self.path("outside/one"), self.path("shop/lib/one"))
        there = self.contained("lib")
        self.assertEqual(os.listdir(os.path.join(there, "one/two")), ["b"])

    def test_a_read_only_file_stays_a_link(self) -> None:
        self.write("outside/tool")
        os.makedirs(self.path("shop/bin"))
        os.symlink("../../outside/tool", self.path("shop/bin/tool"))
        with mock.patch("os.access", return_value=False):
            there = self.contained("bin")
        self.assertEqual(os.readlink(os.path.join(there, "tool")), self.path("outside/tool"))

    def test_pipes_and_sockets_of_a_folder_are_left_out_and_hold_up_nobody(self) -> None:
        self.write("shop/tmp/a")
        os.mkfifo(self.path("shop/tmp/pipe"))
        self.copy("tmp")
        self.assertEqual(os.listdir(self.path("worktrees/a/tmp")), ["a"])

    def test_a_pipe_by_its_own_name_is_refused(self) -> None:
        os.mkfifo(self.path("shop/pipe"))
        with self.assertRaisesRegex(OSError, "is not a file"):
            self.copy("pipe")
        self.assertEqual(os.listdir(self.worktree), [])

    def test_existing_files_are_not_overwritten(self) -> None:
        self.write("shop/.env")
        self.write("worktrees/a/.env", b"tracked")
        with self.assertRaises(FileExistsError):
            self.copy(".env")
        self.assertEqual(self.read("worktrees/a/.env"), b"tracked")

    def test_nothing_is_made_through_a_link_that_leads_out_of_the_worktree(self) -> None:
        self.write("shop/config/deep/master.key")
        os.symlink(self.path("outside"), self.path("worktrees/a/config"))
        for supply in (self.copy, self.link):
            with self.subTest(supply.__name__):
                with self.assertRaisesRegex(OSError, "would be written outside of"):
                    supply("config/deep/master.key")
                self.assertEqual(os.listdir(self.path("outside")), [])

    def test_a_folder_comes_whole_and_with_its_mode(self) -> None:
        self.write("shop/lib/deep/a")
        os.chmod(self.path("shop/lib"), 0o555)
        with mock.patch("os.rename", side_effect=OSError("killed")), self.assertRaises(OSError):
            self.copy("lib")
        self.assertEqual(os.listdir(self.worktree), [])
        shutil.rmtree(self.staging)
        self.copy("lib")
        self.assertEqual(self.read("worktrees/a/lib/deep/a"), b"x\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("worktrees/a/lib")).st_mode), 0o555)
        self.assertFalse(os.path.exists(self.staging))

    def test_a_stop_ends_copying_between_two_files(self) -> None:
        for number in range(20):
            self.write(f"shop/lib/{number:02}", b"")
        asked: list[int] = []

        def stopped() -> bool:
            asked.append(1)
            return len(asked) > 5

        with self.assertRaises(OSError):
            copy_link.copy(self.top, "lib", self.worktree, stopped, staging=self.staging)
        self.assertEqual(len(os.listdir(self.path("worktrees/a~removing/lib"))), 4)
        self.assertEqual(os.listdir(self.worktree), [])

    def test_a_stop_ends_copying_within_a_large_file_and_leaves_no_partial_file(self) -> None:
        self.write("shop/big", b"x" * 3 * copy_link.CHUNK_BYTES)
        asked: list[int] = []

        def stopped() -> bool:
            asked.append(1)
            return len(asked) > 2

        unshared = mock.patch("fcntl.ioctl", side_effect=OSError)  # so are most file systems
        with unshared, self.assertRaises(OSError):
            copy_link.copy(self.top, "big", self.worktree, stopped, staging=self.staging)
        self.assertEqual(os.listdir(self.worktree), [])
        self.assertEqual(len(asked), 3)


class Linking(SuppliesTest):
    def test_a_link_leads_to_the_main_checkout(self) -> None:
        self.write("shop/node_modules/m.js", b"m")
        self.link("node_modules")
        self.assertTrue(os.path.islink(self.path("worktrees/a/node_modules")))
        self.assertEqual(self.read("worktrees/a/node_modules/m.js"), b"m")

    def test_the_folder_of_a_link_is_made(self) -> None:
        self.write("shop/config/deep/master.key")
        self.link("config/deep/master.key")
        self.assertEqual(self.read("worktrees/a/config/deep/master.key"), b"x\n")

    def test_existing_files_are_not_overwritten(self) -> None:
        self.write("shop/.env")
        os.symlink("nowhere", self.path("worktrees/a/.env"))
        with self.assertRaises(FileExistsError):
            self.link(".env")
        self.assertEqual(os.readlink(self.path("worktrees/a/.env")), "nowhere")
